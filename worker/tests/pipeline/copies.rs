//! Pipelines that copy what is in a container and bring it back: what they have to begin with, how they end, and what is
//! left when they don't.

use domain::container::{ContainerSpec, Power, Where, marker};
use domain::copy::{BackupMode, file};
use domain::operation::{Command, OperationCommand, Status};
use domain::pipeline::{PipelineName, StepName};
use domain::{ContainerId, OperationId};
use proxmox::LxcChange;
use uuid::Uuid;
use worker::Copies;

use crate::fault::Fault;
use crate::proofs::{On, begin, each, has_succeeded as ended_well, on_both};
use crate::support::{World, hostname};
use crate::trips::{Met, Trip};

pub(crate) const OURS: [PipelineName; 8] = [
    PipelineName::Snapshot,
    PipelineName::Rollback,
    PipelineName::DeleteSnapshot,
    PipelineName::Backup,
    PipelineName::Restore,
    PipelineName::DeleteBackup,
    PipelineName::Clone,
    PipelineName::RestoreNew,
];

on_both!(
    a_crash_after_every_single_append_ends_the_same,
    a_failure_at_each_step_leaves_it_as_it_was_and_is_retried,
    each_undo_may_run_twice,
);

pub(crate) fn snapshot(container: ContainerId, name: &str) -> Command {
    Command::TakeSnapshot { container, name: name.into(), description: Some("all is well".into()) }
}

pub(crate) async fn done(world: &World, command: Command) {
    let id = world.accept(command).await;
    let operation = world.drive(id).await;
    assert_eq!(operation.status(), Some(Status::Succeeded), "{:?}", operation.end());
}

async fn note(world: &World, container: ContainerId, text: &str) {
    let vmid = world.container(container).await.guest().unwrap().vmid.get();
    world.in_guest(vmid, &format!("echo {text} >/srv/note")).await;
}

async fn noted(world: &World, container: ContainerId) -> String {
    let vmid = world.container(container).await.guest().unwrap().vmid.get();
    world.in_guest(vmid, "cat /srv/note").await.trim().to_owned()
}

async fn snapshots(world: &World, container: ContainerId) -> Vec<String> {
    let guest = world.container(container).await.guest().cloned().unwrap();
    let found = Copies::new(world.tools.clone()).snapshots(&guest).await.unwrap();
    found.into_iter().map(|snapshot| snapshot.name).collect()
}

async fn backups(world: &World, container: ContainerId) -> usize {
    Copies::new(world.tools.clone()).backups(container).await.unwrap().len()
}

pub(crate) fn backup(container: ContainerId) -> Command {
    let notes = Some("all is well".into());
    Command::BackUp { container, storage: None, mode: BackupMode::Snapshot, notes, protected: false, schedule: None }
}

fn uses_backup(pipeline: PipelineName) -> bool {
    matches!(pipeline, PipelineName::Restore | PipelineName::DeleteBackup | PipelineName::RestoreNew)
}

fn uses_snapshot(pipeline: PipelineName) -> bool {
    matches!(pipeline, PipelineName::Rollback | PipelineName::DeleteSnapshot)
}

fn makes_another(pipeline: PipelineName) -> bool {
    matches!(pipeline, PipelineName::Clone | PipelineName::RestoreNew)
}

/// An operation of the pipeline that has not begun. The container says `old` in a note at the copy, and `new` since then.
/// Answers whom the operation is for: for a clone, and for a restore to a new container, that is the new one.
pub(crate) async fn prepare(
    world: &World,
    container: ContainerId,
    pipeline: PipelineName,
) -> (ContainerId, OperationId) {
    note(world, container, "old").await;
    if matches!(pipeline, PipelineName::Rollback | PipelineName::Restore) {
        // A setting of then, which is not on record.
        let (api, guest) = world.api(container).await;
        let change = LxcChange { onboot: Some(true), ..LxcChange::default() };
        api.lxc(&guest.node, guest.vmid.get()).configure(&change).await.unwrap();
    }
    if uses_snapshot(pipeline) {
        done(world, snapshot(container, "first")).await;
    }
    if uses_backup(pipeline) {
        done(world, backup(container)).await;
    }
    note(world, container, "new").await;
    let name = "first".to_owned();
    let kept = world.container(container).await.backups().next().map(|made| file(&made.volume).to_owned());
    let kept = kept.unwrap_or_default();
    let other = ContainerId::new(Uuid::now_v7());
    let command = match pipeline {
        PipelineName::Snapshot => snapshot(container, "second"),
        PipelineName::Rollback => Command::RollBack { container, name, start: None },
        PipelineName::DeleteSnapshot => Command::DeleteSnapshot { container, name },
        PipelineName::Backup => backup(container),
        PipelineName::Restore => Command::RestoreBackup { container, backup: kept, start: None },
        PipelineName::DeleteBackup => Command::DeleteBackup { container, backup: kept },
        PipelineName::Clone => {
            Command::CloneContainer { container: other, source: container, full: true, snapshot: None }
        }
        PipelineName::RestoreNew => Command::RestoreNew { container: other, source: container, backup: kept },
        _ => unreachable!(),
    };
    if !makes_another(pipeline) {
        return (container, world.accept(command).await);
    }
    let of = world.container(container).await;
    let guest = of.guest().unwrap();
    let place = Where::Node { host: guest.host, node: guest.node.clone() };
    let spec = ContainerSpec { hostname: hostname(), place, ..of.request().unwrap().spec.clone() };
    (other, world.request_with(spec, command).await)
}

/// The container that a new one was made from.
async fn original(world: &World, container: ContainerId) -> ContainerId {
    let made_by = world.container(container).await.created_by().unwrap();
    let accepted = world.operation(made_by).await.accepted().cloned().unwrap();
    accepted.command.source().unwrap_or(container)
}

pub(crate) async fn has_succeeded(world: &World, container: ContainerId, pipeline: PipelineName) -> Result<(), String> {
    world.is_ready(container).await?;
    let note = noted(world, container).await;
    let (snapshots, backups) = (snapshots(world, container).await, backups(world, container).await);
    let wanted: (&str, &[&str], usize) = match pipeline {
        PipelineName::Snapshot => ("new", &["second"], 0),
        PipelineName::Rollback => ("old", &["first"], 0),
        PipelineName::DeleteSnapshot | PipelineName::DeleteBackup | PipelineName::Clone => ("new", &[], 0),
        PipelineName::Backup => ("new", &[], 1),
        PipelineName::Restore => ("old", &[], 1),
        // What was backed up is the other's.
        _ => ("old", &[], 0),
    };
    if (note.as_str(), backups) != (wanted.0, wanted.2) || snapshots != wanted.1 {
        return Err(format!("{note} {snapshots:?} {backups}"));
    }
    if makes_another(pipeline) {
        let original = original(world, container).await;
        is_as_before(world, original, pipeline).await?;
        let (api, guest) = world.api(container).await;
        let config = api.lxc(&guest.node, guest.vmid.get()).config().await.unwrap();
        let owner =
            marker::parse(config.get("tags").unwrap_or_default(), config.get("description").unwrap_or_default());
        if owner != Some(container) {
            return Err(format!("bears the marker of {owner:?}"));
        }
        let named = world.in_guest(guest.vmid.get(), "cat /etc/hostname").await;
        if named.trim() != world.container(container).await.request().unwrap().spec.hostname {
            return Err(format!("is called {named}"));
        }
    }
    Ok(())
}

/// As if nothing had been asked.
async fn is_as_before(world: &World, container: ContainerId, pipeline: PipelineName) -> Result<(), String> {
    world.is_ready(container).await?;
    let found = (noted(world, container).await, snapshots(world, container).await, backups(world, container).await);
    let snapshots = if uses_snapshot(pipeline) { vec!["first".to_owned()] } else { vec![] };
    let wanted = ("new".to_owned(), snapshots, usize::from(uses_backup(pipeline)));
    if found == wanted { Ok(()) } else { Err(format!("{found:?}")) }
}

async fn a_crash_after_every_single_append_ends_the_same(on: On) {
    let world = on.world().await;
    let mut all = Vec::new();
    for pipeline in OURS {
        let (_, whole) = begin(&world, pipeline).await;
        world.drive(whole).await;
        let versions = world.versions(whole).await;
        all.extend((2..=versions).flat_map(|at| [Trip::Before(at), Trip::After(at)]).map(|trip| (pipeline, trip)));
    }
    each(all, async |(pipeline, trip)| {
        let (container, id) = begin(&world, pipeline).await;
        world.until_killed(id, trip).await;
        world.drive(id).await;
        ended_well(&world, pipeline, container, id).await
    })
    .await;
}

async fn a_failure_at_each_step_leaves_it_as_it_was_and_is_retried(on: On) {
    let all = OURS.into_iter().flat_map(|name| name.table().steps().map(move |step| (name, *step)));
    each(all, async |(pipeline, step)| {
        // Of its own, because faults strike whoever comes by.
        let world = on.world().await;
        let step_fault = match (pipeline, step.name) {
            (PipelineName::Clone, StepName::CreateGuest) => Some(Fault::TaskFails("POST /nodes/*/lxc/*/clone")),
            _ => Fault::at(step.name),
        };
        // Only the log itself can keep the last word of a create from being said.
        let Some(fault) = step_fault else { return Ok(()) };
        let (container, id) = begin(&world, pipeline).await;
        if world.until_killed(id, Trip::BeforeStart(step.name)).await != Met::Tripped {
            return Err("never came there".to_owned());
        }
        fault.strike(&world, container).await;
        let failed = world.drive(id).await;
        if failed.status() != Some(Status::Failed) {
            return Err(format!("did not fail: {:?}", failed.end()));
        }
        fault.mend(&world, container).await;
        // A restore that fails in the middle leaves no guest, and what came after the point of no return stays done.
        if makes_another(pipeline) {
            world.is_gone(container).await?;
            is_as_before(&world, original(&world, container).await, pipeline).await?;
            world.retry(container, id).await;
        } else {
            let no_way_back = [StepName::StartAgain, StepName::RestoreGuest, StepName::RestoreSettings];
            if !no_way_back.contains(&step.name) {
                is_as_before(&world, container, pipeline).await?;
            }
            world.ask(id, OperationCommand::Retry).await;
        }
        world.drive(id).await;
        ended_well(&world, pipeline, container, id).await
    })
    .await;
}

async fn each_undo_may_run_twice(on: On) {
    let world = on.world().await;
    let undone = OURS
        .into_iter()
        .flat_map(|name| name.table().steps().filter(|spec| spec.undo).map(move |spec| (name, spec.name)));
    each(undone, async |(pipeline, step)| {
        let (container, id) = begin(&world, pipeline).await;
        if world.until_killed(id, Trip::BeforeEnd(step)).await != Met::Tripped {
            return Err("never came there".to_owned());
        }
        world.ask(id, OperationCommand::Cancel).await;
        if world.until_killed(id, Trip::BeforeUndone(step)).await != Met::Tripped {
            return Err("was never undone".to_owned());
        }
        match world.drive(id).await.status() {
            Some(Status::Cancelled) if makes_another(pipeline) => {
                world.is_gone(container).await?;
                is_as_before(&world, original(&world, container).await, pipeline).await
            }
            Some(Status::Cancelled) => is_as_before(&world, container, pipeline).await,
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_record_already_is_taken_off_it_by_a_second_undo_too() {
    let world = World::new().await;
    for (pipeline, step) in [(PipelineName::Snapshot, StepName::TakeSnapshot), (PipelineName::Backup, StepName::BackUp)]
    {
        let (_, whole) = begin(&world, pipeline).await;
        world.drive(whole).await;
        let on_record = world.versions(whole).await - 1;
        let (container, id) = begin(&world, pipeline).await;
        assert_eq!(world.until_killed(id, Trip::After(on_record)).await, Met::Tripped);
        let state = world.container(container).await;
        assert_eq!(state.backups().count() + state.snapshots().count(), 1);
        world.ask(id, OperationCommand::Cancel).await;
        assert_eq!(world.until_killed(id, Trip::BeforeUndone(step)).await, Met::Tripped);
        assert_eq!(world.drive(id).await.status(), Some(Status::Cancelled));
        is_as_before(&world, container, pipeline).await.unwrap();
        let state = world.container(container).await;
        assert_eq!(state.backups().count() + state.snapshots().count(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_container_stays_stopped_unless_it_is_to_run() {
    let world = World::new().await;
    for (start, runs) in [(None, false), (Some(true), true)] {
        let (container, id) = begin(&world, PipelineName::Rollback).await;
        world.ask(id, OperationCommand::Cancel).await;
        world.drive(id).await;
        done(&world, Command::StopContainer { container }).await;
        done(&world, Command::RollBack { container, name: "first".into(), start }).await;
        let state = world.container(container).await;
        assert_eq!(world.sim.world().is_running(state.guest().unwrap().vmid.get()), runs);
        assert_eq!(state.power(), if runs { Power::Running } else { Power::Stopped });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_and_what_is_there_already_is_said() {
    let world = World::new().await;
    let (container, id) = begin(&world, PipelineName::Snapshot).await;
    world.drive(id).await;
    for (command, slug) in [
        (snapshot(container, "second"), "snapshot-exists"),
        (Command::RollBack { container, name: "third".into(), start: None }, "snapshot-missing"),
        (Command::DeleteSnapshot { container, name: "third".into() }, "snapshot-missing"),
    ] {
        let id = world.accept(command).await;
        let operation = world.drive(id).await;
        assert_eq!(operation.failing().map(|failure| failure.slug.as_str()), Some(slug), "{:?}", operation.end());
        world.is_ready(container).await.unwrap();
    }
    assert_eq!(snapshots(&world, container).await, ["second"], "what another made is not taken back");
}
