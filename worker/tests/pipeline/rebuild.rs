//! A guest in place of the one there was: same number, same hardware address, nothing of what was in it.

use domain::ContainerId;
use domain::container::{Container, ContainerCommand, ContainerEvent, Lifecycle, Rebuild, Scripts, Source};
use domain::operation::{Command, OperationCommand, Status};
use domain::pipeline::{PipelineName, StepName, StepSpec};
use domain::{Aggregate as _, OperationId, Version};
use platform::log::Append;
use uuid::Uuid;

use crate::fault::Fault;
use crate::proofs::{On, begin, each, has_succeeded as ended_well, on_both};
use crate::support::{World, meta};
use crate::trips::{Met, Trip};

on_both!(
    a_crash_after_every_single_append_of_a_rebuild_ends_the_same,
    a_rebuild_that_fails_at_any_step_goes_on_from_there,
    a_rebuild_that_is_cancelled_leaves_all_as_it_was_or_goes_on_from_there,
);

fn steps() -> impl Iterator<Item = StepSpec> {
    PipelineName::Rebuild.table().steps().copied()
}

/// A rebuild from the template that the container's stream holds, as the API accepts it, under a new password.
pub(crate) async fn prepare(world: &World, container: ContainerId) -> OperationId {
    prepare_from(world, container, "tiny", true).await
}

async fn prepare_from(world: &World, container: ContainerId, template: &str, backup_first: bool) -> OperationId {
    let operation = OperationId::new(Uuid::now_v7());
    let found = world.tools.catalogue.find(template).await.unwrap().unwrap();
    let (password, row) = world.seal("password", b"another horse battery");
    let rebuild = Rebuild {
        operation,
        source: Source::Template(template.into()),
        template: found.version.clone(),
        scripts: Scripts::All,
        root_password: Some(password),
        inputs: None,
    };
    let loaded = world.log.load::<Container>(container).await.unwrap();
    let says = ContainerCommand::AcceptRebuild(Box::new(rebuild.clone()));
    let events = loaded.state.decide(says, &()).unwrap();
    let events = events.iter().map(|event| domain::Event::encode(event).unwrap()).collect();
    let mut append = Append::new(meta()).stream(Container::stream(container), loaded.expected(), events).with(row);
    append.rows.extend(world.tools.catalogue.keep(&found));
    world.log.append(append).await.unwrap();
    let command = Command::RebuildContainer { container, rebuild: Box::new(rebuild), backup_first };
    world
        .ask(operation, OperationCommand::Accept(domain::operation::Accepted::new(command, None, Some(world.host))))
        .await;
    operation
}

/// As somebody asks for it who saw it fail or cancelled it.
async fn retry(world: &World, container: ContainerId, id: OperationId) {
    let operation = world.operation(id).await;
    let rebuild = operation.accepted().unwrap().command.rebuild().unwrap().clone();
    let says = match operation.has_succeeded(StepName::BeginRebuild) {
        true => ContainerCommand::RetryRebuild(id),
        false => ContainerCommand::AcceptRebuild(Box::new(rebuild)),
    };
    world.log.execute::<Container>(container, says, &(), meta()).await.unwrap();
    world.ask(id, OperationCommand::Retry).await;
}

async fn numbers_and_cards(world: &World, container: ContainerId) -> (Vec<u32>, String) {
    let history = world.log.stream(&Container::stream(container), Version(0)).await.unwrap();
    let made = history.iter().filter_map(|stored| match stored.event().unwrap() {
        ContainerEvent::GuestCreated { vmid, .. } => Some(vmid.get()),
        _ => None,
    });
    let made = made.collect();
    let (api, guest) = world.api(container).await;
    let config = api.lxc(&guest.node, guest.vmid.get()).config().await.unwrap();
    (made, config.get("net0").unwrap().to_owned())
}

pub(crate) async fn has_succeeded(world: &World, container: ContainerId) -> Result<(), String> {
    world.is_ready(container).await?;
    let state = world.container(container).await;
    let request = state.request().unwrap();
    let vmid = state.guest().unwrap().vmid.get();
    if request.spec.source != Source::Template("tiny".into()) || !state.is_rebuilt() {
        return Err(format!("{request:?}"));
    }
    let (numbers, _) = numbers_and_cards(world, container).await;
    if numbers != [vmid, vmid] {
        return Err(format!("made as {numbers:?}, is {vmid}"));
    }
    // Each backup is one that was made before the old guest went, and that is made once.
    let backups = state.backups().count();
    if backups != 1 {
        return Err(format!("{backups} backups"));
    }
    world.has_password(container, "another horse battery").await
}

/// As if nothing had been asked, but for a backup.
async fn is_as_before(world: &World, container: ContainerId) -> Result<(), String> {
    world.is_ready(container).await?;
    let state = world.container(container).await;
    match &state.request().unwrap().spec.source {
        Source::Image(_) => world.has_password(container, "correct horse battery").await,
        other => Err(format!("{other:?}")),
    }
}

async fn a_crash_after_every_single_append_of_a_rebuild_ends_the_same(on: On) {
    let world = on.world().await;
    let (_, whole) = begin(&world, PipelineName::Rebuild).await;
    world.drive(whole).await;
    let versions = world.versions(whole).await;
    each((2..=versions).flat_map(|at| [Trip::Before(at), Trip::After(at)]), async |trip| {
        let (container, id) = begin(&world, PipelineName::Rebuild).await;
        world.until_killed(id, trip).await;
        world.drive(id).await;
        ended_well(&world, PipelineName::Rebuild, container, id).await
    })
    .await;
}

async fn a_rebuild_that_fails_at_any_step_goes_on_from_there(on: On) {
    each(steps().filter_map(|spec| Some((spec.name, Fault::at(spec.name)?))), async |(step, fault)| {
        // Of its own, because faults strike whoever comes by.
        let world = on.world().await;
        let (container, id) = begin(&world, PipelineName::Rebuild).await;
        if world.until_killed(id, Trip::BeforeStart(step)).await != Met::Tripped {
            return Err("never came there".to_owned());
        }
        fault.strike(&world, container).await;
        let failed = world.drive(id).await;
        if failed.status() != Some(Status::Failed) {
            return Err(format!("did not fail: {:?}", failed.end()));
        }
        fault.mend(&world, container).await;
        let begun = failed.has_succeeded(StepName::BeginRebuild);
        let lifecycle = world.container(container).await.lifecycle();
        if lifecycle != if begun { Lifecycle::Failed } else { Lifecycle::Ready } {
            return Err(format!("{lifecycle:?}"));
        }
        if !begun {
            is_as_before(&world, container).await?;
        }
        retry(&world, container, id).await;
        let done = world.drive(id).await;
        if done.fact(StepName::KeepPlace) != failed.fact(StepName::KeepPlace).or(done.fact(StepName::KeepPlace)) {
            return Err("it went elsewhere".to_owned());
        }
        ended_well(&world, PipelineName::Rebuild, container, id).await?;
        world.only_guests_of(&[container]).await;
        Ok(())
    })
    .await;
}

async fn a_rebuild_that_is_cancelled_leaves_all_as_it_was_or_goes_on_from_there(on: On) {
    let world = on.world().await;
    each(steps().filter(|spec| spec.may_cancel), async |spec| {
        let (container, id) = begin(&world, PipelineName::Rebuild).await;
        if world.until_killed(id, Trip::BeforeEnd(spec.name)).await != Met::Tripped {
            return Err("never came there".to_owned());
        }
        world.ask(id, OperationCommand::Cancel).await;
        let operation = world.drive(id).await;
        if operation.status() != Some(Status::Cancelled) {
            return Err(format!("{:?}", operation.end()));
        }
        let given = operation.accepted().unwrap().command.rebuild().unwrap().root_password.unwrap();
        if operation.has_succeeded(StepName::BeginRebuild) != operation.may_retry() {
            return Err("what may be retried is what has begun".to_owned());
        }
        if !operation.may_retry() {
            is_as_before(&world, container).await?;
            return match world.tools.vault.open(given).await {
                Ok(_) => Err("the password that was not set is kept".to_owned()),
                Err(_) => Ok(()),
            };
        }
        if world.container(container).await.lifecycle() != Lifecycle::Failed {
            return Err("nobody sees that it is not whole".to_owned());
        }
        retry(&world, container, id).await;
        world.drive(id).await;
        ended_well(&world, PipelineName::Rebuild, container, id).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn its_hardware_address_stays_and_with_it_what_dhcp_gives() {
    let world = World::new().await;
    let container = world.made().await;
    let before = (numbers_and_cards(&world, container).await.1, world.container(container).await.addresses().to_vec());
    let id = prepare_from(&world, container, "tiny", false).await;
    assert_eq!(world.drive(id).await.status(), Some(Status::Succeeded));
    let state = world.container(container).await;
    assert_eq!((numbers_and_cards(&world, container).await.1, state.addresses().to_vec()), before);
    assert!(before.0.contains("hwaddr="), "{before:?}");
    assert_eq!(state.backups().count(), 0, "none was asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_guest_somebody_removed_is_made_again() {
    let world = World::new().await;
    let container = world.made().await;
    let (api, guest) = world.api(container).await;
    let wanted = proxmox::LxcDelete { force: true, purge: false, unreferenced_disks: true };
    let upid = api.lxc(&guest.node, guest.vmid.get()).delete(wanted).await.unwrap();
    let waiting = proxmox::Waiting { limit: std::time::Duration::from_secs(60), cancel: Default::default() };
    assert!(matches!(api.wait_silently(&upid, &waiting).await, Ok(proxmox::Finished::Done { .. })));
    let id = prepare_from(&world, container, "tiny", false).await;
    let operation = world.drive(id).await;
    assert_eq!(operation.status(), Some(Status::Succeeded), "{:?}", operation.end());
    world.is_ready(container).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_is_not_ours_is_left_alone() {
    let world = World::new().await;
    let container = world.made().await;
    let (api, guest) = world.api(container).await;
    let theirs = proxmox::LxcChange { description: Some("mine".into()), ..Default::default() };
    api.lxc(&guest.node, guest.vmid.get()).configure(&theirs).await.unwrap();
    let id = prepare(&world, container).await;
    let operation = world.drive(id).await;
    assert_eq!(operation.failing().map(|failure| failure.slug.as_str()), Some("not-ours"), "{:?}", operation.end());
    world.is_ready(container).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_failed_takes_another_rebuild_and_the_first_can_not_go_on_then() {
    let world = World::new().await;
    let container = world.made().await;
    let first = prepare(&world, container).await;
    assert_eq!(world.until_killed(first, Trip::BeforeStart(StepName::CreateGuest)).await, Met::Tripped);
    let fault = Fault::at(StepName::CreateGuest).unwrap();
    fault.strike(&world, container).await;
    assert_eq!(world.drive(first).await.status(), Some(Status::Failed));
    fault.mend(&world, container).await;
    let second = prepare_from(&world, container, "tiny", false).await;
    assert_eq!(world.drive(second).await.status(), Some(Status::Succeeded));
    has_succeeded(&world, container).await.unwrap();
    let again = ContainerCommand::RetryRebuild(first);
    let refused = world.log.execute::<Container>(container, again, &(), meta()).await;
    assert!(refused.unwrap_err().to_string().contains("another rebuild"));
    let delete = world.accept(Command::DeleteContainer { container, purge: true, keep_unreferenced: false }).await;
    world.drive(delete).await;
    ended_well(&world, PipelineName::Delete, container, delete).await.unwrap();
}
