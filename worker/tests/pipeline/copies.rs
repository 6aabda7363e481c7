//! Pipelines that copy what is in a container and bring it back: what they have to begin with, how they end, and what is
//! left when they don't.

use domain::ContainerId;
use domain::container::Power;
use domain::operation::{Command, OperationCommand, Status};
use domain::pipeline::{PipelineName, StepName};
use worker::Copies;

use crate::fault::Fault;
use crate::proofs::{On, begin, each, has_succeeded as ended_well, on_both};
use crate::support::World;
use crate::trips::{Met, Trip};

const OURS: [PipelineName; 3] = [PipelineName::Snapshot, PipelineName::Rollback, PipelineName::DeleteSnapshot];

on_both!(
    a_crash_after_every_single_append_ends_the_same,
    a_failure_at_each_step_leaves_it_as_it_was_and_is_retried,
    each_undo_may_run_twice,
);

fn snapshot(container: ContainerId, name: &str) -> Command {
    Command::TakeSnapshot { container, name: name.into(), description: Some("all is well".into()) }
}

async fn done(world: &World, command: Command) {
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

/// What the pipeline needs to begin with; the container says `old` in a note at the copy, and `new` since then.
pub(crate) async fn prepare(world: &World, container: ContainerId, pipeline: PipelineName) -> Command {
    note(world, container, "old").await;
    if pipeline != PipelineName::Snapshot {
        done(world, snapshot(container, "first")).await;
    }
    note(world, container, "new").await;
    let name = "first".to_owned();
    match pipeline {
        PipelineName::Snapshot => snapshot(container, "second"),
        PipelineName::Rollback => Command::RollBack { container, name, start: None },
        _ => Command::DeleteSnapshot { container, name },
    }
}

pub(crate) async fn has_succeeded(world: &World, container: ContainerId, pipeline: PipelineName) -> Result<(), String> {
    world.is_ready(container).await?;
    let (note, snapshots) = (noted(world, container).await, snapshots(world, container).await);
    let wanted: (&str, &[&str]) = match pipeline {
        PipelineName::Snapshot => ("new", &["second"]),
        PipelineName::Rollback => ("old", &["first"]),
        _ => ("new", &[]),
    };
    if (note.as_str(), snapshots.as_slice())
        == (wanted.0, &wanted.1.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()[..])
    {
        Ok(())
    } else {
        Err(format!("{note} {snapshots:?}"))
    }
}

/// As if nothing had been asked.
async fn is_as_before(world: &World, container: ContainerId, pipeline: PipelineName) -> Result<(), String> {
    world.is_ready(container).await?;
    let found = (noted(world, container).await, snapshots(world, container).await);
    let snapshots = if pipeline == PipelineName::Snapshot { vec![] } else { vec!["first".to_owned()] };
    if found == ("new".to_owned(), snapshots) { Ok(()) } else { Err(format!("{found:?}")) }
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
        let fault = Fault::at(step.name).ok_or("how can it fail?")?;
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
        // What came after the point of no return stays done.
        if step.name != StepName::StartAgain {
            is_as_before(&world, container, pipeline).await?;
        }
        world.ask(id, OperationCommand::Retry).await;
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
            Some(Status::Cancelled) => is_as_before(&world, container, pipeline).await,
            other => Err(format!("{other:?}")),
        }
    })
    .await;
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
