//! What is on Proxmox otherwise than recorded, and what nobody has.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::container::{Container, ContainerCommand, Features, Ipv4, Power, Source, marker};
use domain::drift::{Drift, DriftRejection, Drifted};
use domain::operation::{Command, OperationCommand, Status};
use domain::orphan::Why;
use domain::pipeline::{PipelineName, StepName};
use domain::{Aggregate as _, ContainerId, OperationId, Version};
use platform::views::{self, OrphanFilter, OrphanRow, Page};
use proxmox::{LxcChange, Upid};
use worker::{Looked, Sweep};

use crate::support::{World, hostname, meta, spec};
use crate::trips::{Met, Trip};

pub(crate) const OURS: [PipelineName; 2] = [PipelineName::PutBack, PipelineName::RemoveOrphan];

async fn ended(world: &World, client: &proxmox::Client, upid: Upid) {
    let waiting = proxmox::Waiting { limit: Duration::from_secs(60), cancel: world.stop.clone() };
    assert!(matches!(client.wait_silently(&upid, &waiting).await, Ok(proxmox::Finished::Done { .. })));
}

async fn outside(world: &World, id: ContainerId, change: LxcChange) {
    let (api, guest) = world.api(id).await;
    api.lxc(&guest.node, guest.vmid.get()).configure(&change).await.unwrap();
}

async fn stopped_outside(world: &World, id: ContainerId) {
    let (api, guest) = world.api(id).await;
    let upid = api.lxc(&guest.node, guest.vmid.get()).stop().await.unwrap();
    ended(world, &api, upid).await;
}

async fn look(world: &World) -> Looked {
    Sweep::new(world.tools.clone()).look(true).await.unwrap()
}

async fn drift(world: &World, id: ContainerId) -> Drift {
    world.log.load::<Drift>(id).await.unwrap().state
}

async fn told(world: &World, id: ContainerId) -> Vec<String> {
    let told = world.log.stream(&Drift::stream(id), Version(0)).await.unwrap();
    told.into_iter().map(|one| one.kind).collect()
}

fn whats(drift: &Drift) -> Vec<Drifted> {
    drift.differences().iter().map(|one| one.what).collect()
}

fn much() -> LxcChange {
    let card = "name=eth0,bridge=vmbr0,ip=192.0.2.7/24,gw=192.0.2.1,firewall=1".to_owned();
    LxcChange {
        hostname: Some("other".into()),
        cores: Some(2),
        memory: Some(1024),
        swap: Some(128),
        onboot: Some(true),
        tags: Some(vec!["gantry".into(), "theirs".into()]),
        features: Some("nesting=1".into()),
        networks: BTreeMap::from([(0, card)]),
        nameserver: Some("192.0.2.53".into()),
        ..LxcChange::default()
    }
}

async fn put_back(world: &World, id: ContainerId) -> Command {
    look(world).await;
    let drift = drift(world, id).await;
    let (change, power) = drift.put_back().unwrap();
    Command::PutBack { container: id, change, power, marker: drift.lost_marker() }
}

/// As the log is after a restore from before the container's delete was undone by hand.
async fn stray(world: &World, id: ContainerId) -> Command {
    let guest = world.container(id).await.guest().cloned().unwrap();
    world.log.execute::<Container>(id, ContainerCommand::Remove, &(), meta()).await.unwrap();
    Command::RemoveOrphan { container: id, host: guest.host, node: guest.node, vmid: guest.vmid }
}

/// For the proofs: an operation of the pipeline that has not begun.
pub(crate) async fn prepare(world: &World, id: ContainerId, pipeline: PipelineName) -> OperationId {
    let command = match pipeline {
        PipelineName::PutBack => {
            // Other names than those of the containers beside it.
            outside(world, id, LxcChange { hostname: Some(hostname()), ..much() }).await;
            stopped_outside(world, id).await;
            // Others may be at work on this host: only this one counts here.
            put_back(world, id).await
        }
        _ => stray(world, id).await,
    };
    world.accept(command).await
}

pub(crate) async fn has_succeeded(world: &World, id: ContainerId, operation: OperationId) -> Result<(), String> {
    match world.operation(operation).await.accepted().unwrap().command.clone() {
        Command::RemoveOrphan { vmid, .. } => {
            let there = world.sim.world().vmids().contains(&vmid.get());
            if there { Err(format!("{vmid} is still there")) } else { Ok(()) }
        }
        _ => {
            world.is_changed(id).await?;
            match whats(&drift(world, id).await) {
                left if left.is_empty() => world.is_ready(id).await,
                left => Err(format!("{left:?}")),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_differs_is_told_once_and_again_when_it_differs_otherwise() {
    let world = World::new().await;
    let id = world.made().await;
    let looked = look(&world).await;
    assert_eq!((looked.containers, looked.drifted, looked.orphans), (1, 0, 0), "{looked:?}");
    assert!(told(&world, id).await.is_empty());
    outside(&world, id, LxcChange { memory: Some(1024), ..LxcChange::default() }).await;
    for _ in 0..2 {
        look(&world).await;
    }
    assert_eq!(told(&world, id).await, ["drift.found"]);
    outside(&world, id, much()).await;
    stopped_outside(&world, id).await;
    for _ in 0..2 {
        assert_eq!(look(&world).await.drifted, 1);
    }
    assert_eq!(told(&world, id).await, ["drift.found", "drift.changed"]);
    use Drifted as D;
    let all =
        [D::Power, D::Hostname, D::Cores, D::MemoryMb, D::SwapMb, D::Network, D::Features, D::Tags, D::StartOnBoot];
    assert_eq!(whats(&drift(&world, id).await), all);
    // One that an operation is at work on is not judged.
    let start = world.accept(Command::StartContainer { container: id }).await;
    outside(&world, id, LxcChange { memory: Some(2048), ..LxcChange::default() }).await;
    assert_eq!(look(&world).await.containers, 0);
    assert_eq!(told(&world, id).await.len(), 2);
    world.drive(start).await;
    look(&world).await;
    assert!(!whats(&drift(&world, id).await).contains(&D::Power));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_takes_over_what_proxmox_has() {
    let world = World::new().await;
    let id = world.made().await;
    outside(&world, id, much()).await;
    stopped_outside(&world, id).await;
    look(&world).await;
    let taken = Box::new(drift(&world, id).await.accept().unwrap());
    world.log.execute::<Container>(id, ContainerCommand::AcceptDrift(taken), &(), meta()).await.unwrap();
    let looked = look(&world).await;
    assert_eq!((looked.containers, looked.drifted), (1, 0), "{:?}", drift(&world, id).await);
    assert_eq!(told(&world, id).await, ["drift.found", "drift.gone"]);
    let container = world.container(id).await;
    let spec = &container.request().unwrap().spec;
    assert_eq!((spec.hostname.as_str(), spec.cores, spec.memory_mb, spec.swap_mb), ("other", 2, 1024, 128));
    assert_eq!(spec.features, Features { nesting: true, ..Features::default() });
    let address = Ipv4::Static { address: "192.0.2.7/24".into(), gateway: Some("192.0.2.1".into()) };
    assert_eq!((&spec.network.ipv4, spec.network.nameservers.as_slice()), (&address, &["192.0.2.53".to_owned()][..]));
    assert_eq!((spec.tags.as_slice(), container.power()), (&["theirs".to_owned()][..], Power::Stopped));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_back_keeps_what_is_not_ours_and_a_cancellation_takes_it_back() {
    let world = World::new().await;
    let id = world.made().await;
    let (api, guest) = world.api(id).await;
    let config = async || api.lxc(&guest.node, guest.vmid.get()).config().await.unwrap();
    let text = |config: &proxmox::LxcConfig, name: &str| config.get(name).unwrap_or_default().to_owned();
    outside(&world, id, much()).await;
    stopped_outside(&world, id).await;
    let theirs = config().await;
    let command = put_back(&world, id).await;
    let cancelled = world.accept(command.clone()).await;
    assert_eq!(world.until_killed(cancelled, Trip::BeforeStart(StepName::GrowDisk)).await, Met::Tripped);
    assert_eq!(text(&config().await, "memory"), "512");
    world.ask(cancelled, OperationCommand::Cancel).await;
    assert_eq!(world.drive(cancelled).await.status(), Some(Status::Cancelled));
    let now = config().await;
    for name in ["hostname", "memory", "cores", "tags", "features", "nameserver", "onboot"] {
        assert_eq!(text(&now, name), text(&theirs, name), "{name}");
    }
    let id_of = world.accept(command).await;
    assert_eq!(world.drive(id_of).await.status(), Some(Status::Succeeded));
    has_succeeded(&world, id, id_of).await.unwrap();
    let card = text(&config().await, "net0");
    assert!(card.contains("firewall=1") && card.contains("ip=dhcp") && !card.contains("gw="), "{card}");
    assert_eq!(config().await.get("nameserver"), None);
    assert_eq!(told(&world, id).await.last().unwrap(), "drift.gone", "told by the operation, not by the next sweep");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_marker_that_somebody_wiped_out_is_put_back_and_a_grown_disk_only_accepted() {
    let world = World::new().await;
    let id = world.made().await;
    let wiped = LxcChange { description: Some("Ann's notes".into()), tags: Some(vec![]), ..LxcChange::default() };
    outside(&world, id, wiped).await;
    let command = put_back(&world, id).await;
    assert_eq!(drift(&world, id).await.accept(), Err(DriftRejection::NoMarker));
    let operation = world.accept(command).await;
    assert_eq!(world.drive(operation).await.status(), Some(Status::Succeeded));
    let (api, guest) = world.api(id).await;
    let lxc = api.lxc(&guest.node, guest.vmid.get());
    let config = lxc.config().await.unwrap();
    let (tags, text) = (config.get("tags").unwrap(), config.get("description").unwrap());
    assert_eq!(marker::parse(tags, text), Some(id), "{tags} {text}");
    assert!(text.contains("Ann's notes"), "{text}");

    let upid = lxc.resize("rootfs", "9G").await.unwrap();
    ended(&world, &api, upid).await;
    look(&world).await;
    assert_eq!(drift(&world, id).await.put_back(), Err(DriftRejection::Grown { found: 9 }));
    assert_eq!(drift(&world, id).await.accept().unwrap().change.disk_gb, Some(9));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_whose_guest_is_gone_is_told_of_and_a_host_that_is_away_judges_nobody() {
    let world = World::new().await;
    let id = world.made().await;
    for node in ["pve1", "pve2"] {
        world.sim.world().set_online(node, false);
    }
    let looked = look(&world).await;
    assert_eq!((looked.containers, looked.away.len()), (0, 1), "{looked:?}");
    for node in ["pve1", "pve2"] {
        world.sim.world().set_online(node, true);
    }
    assert!(told(&world, id).await.is_empty());
    stopped_outside(&world, id).await;
    let (api, guest) = world.api(id).await;
    let upid = api.lxc(&guest.node, guest.vmid.get()).delete(proxmox::LxcDelete::default()).await.unwrap();
    ended(&world, &api, upid).await;
    look(&world).await;
    let found = drift(&world, id).await;
    assert_eq!((whats(&found), found.put_back()), (vec![Drifted::Guest], Err(DriftRejection::GuestGone)));
}

async fn orphans(world: &World) -> Vec<OrphanRow> {
    views::page::<OrphanRow>(world.log.db(), &OrphanFilter::default(), &Page::default()).await.unwrap().items
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_nobody_has_is_told_of_and_removed_when_somebody_says_so() {
    let world = World::new().await;
    let (kept, gone) = (world.made().await, world.made().await);
    assert_eq!(look(&world).await.orphans, 0);
    let command = stray(&world, gone).await;
    let there = world.sim.world().vmids();
    for _ in 0..2 {
        assert_eq!(look(&world).await.orphans, 1);
    }
    let [orphan] = orphans(&world).await.try_into().unwrap();
    assert_eq!((orphan.stray.container, orphan.stray.why), (gone, Why::Removed));
    assert_eq!(world.sim.world().vmids(), there, "nothing is removed by itself");
    let remove = world.accept(command.clone()).await;
    assert_eq!(world.drive(remove).await.status(), Some(Status::Succeeded));
    world.only_guests_of(&[kept]).await;
    assert!(orphans(&world).await.is_empty());
    // One that bears another's marker by now is left alone; so is one that is a container's.
    let (_, guest) = world.api(kept).await;
    for container in [kept, gone] {
        let command = Command::RemoveOrphan { container, host: guest.host, node: guest.node.clone(), vmid: guest.vmid };
        let refused = world.accept(command).await;
        let refused = world.drive(refused).await;
        assert_eq!(refused.status(), Some(Status::Failed));
        assert_eq!(refused.failing().unwrap().slug, "orphan-not-ours");
    }
    world.only_guests_of(&[kept]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_made_is_no_orphan() {
    let world = World::new().await;
    let (id, create) = world.request(spec(&hostname(), Source::Image("debian-12".into()))).await;
    assert_eq!(world.until_killed(create, Trip::BeforeEnd(StepName::CreateGuest)).await, Met::Tripped);
    assert_eq!(world.sim.world().vmids().len(), 1);
    let looked = look(&world).await;
    assert_eq!((looked.orphans, looked.drifted), (0, 0));
    world.drive(create).await;
    assert_eq!(look(&world).await.containers, 1);
    assert!(told(&world, id).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_workers_sweeps() {
    let world = World::new().await;
    let id = world.made().await;
    outside(&world, id, LxcChange { memory: Some(1024), ..LxcChange::default() }).await;
    let every = Duration::from_millis(20);
    let (one, two) = (Sweep::new(world.tools.clone()), Sweep::new(world.tools.clone()));
    let until = async {
        while told(&world, id).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let held = world.coordination.locks().inspect("sweep:drift").await.unwrap().unwrap();
        world.stop.cancel();
        held.holders.len()
    };
    let ((), (), holders) =
        tokio::join!(one.sweep_on(every, "one", &world.stop), two.sweep_on(every, "two", &world.stop), until);
    assert_eq!(holders, 1);
    assert_eq!(told(&world, id).await, ["drift.found"]);
}
