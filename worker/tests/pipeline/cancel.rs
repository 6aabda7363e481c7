//! Taking operations back, and taking them over.

use std::time::Duration;

use domain::container::{Lifecycle, Power};
use domain::operation::{OperationCommand, Status};
use domain::pipeline::{PipelineName, StepName};
use domain::progress::ProgressKind;
use domain::{ContainerId, OperationId};
use worker::engine::{EngineError, Outcome};

use crate::changes::config;
use crate::copies;
use crate::proofs::{On, begin, each, has_succeeded, tiny};
use crate::support::{World, turn};
use crate::templates;
use crate::trips::{Met, Trip};

async fn was_cancelled(world: &World, container: ContainerId, id: OperationId) -> Result<(), String> {
    let operation = world.drive(id).await;
    world.progress(id).await;
    if operation.status() != Some(Status::Cancelled) {
        return Err(format!("{:?}", operation.end()));
    }
    world.is_gone(container).await?;
    match (world.sealed_of(container).await, world.container(container).await.lifecycle()) {
        (0, Lifecycle::Removed) => Ok(()),
        left => Err(format!("{left:?}")),
    }
}

/// What Proxmox has of it, but for the disk: that never shrinks.
async fn settings(world: &World, container: ContainerId) -> Vec<(String, String)> {
    if world.container(container).await.guest().is_none() {
        return Vec::new();
    }
    config(world, container).await.into_iter().filter(|(name, _)| name != "rootfs").collect()
}

pub(crate) async fn each_undo_may_run_twice(on: On) {
    let world = on.world().await;
    // Those of the others are proven beside what is theirs alone.
    let elsewhere = |name| copies::OURS.contains(&name) || templates::OURS.contains(&name);
    let all = PipelineName::ALL.into_iter().filter(|name| !elsewhere(*name)).flat_map(|name| {
        let steps = move || name.table().steps();
        steps().filter(|spec| spec.undo).map(move |spec| {
            let mut after = steps().skip_while(|other| other.name != spec.name);
            let last = after.find(|other| !other.may_cancel).or_else(|| steps().last()).unwrap().name;
            (name, spec.name, last)
        })
    });
    each(all, async |(pipeline, step, last)| {
        let (container, id) = begin(&world, pipeline).await;
        let before = settings(&world, container).await;
        world.until_killed(id, Trip::BeforeStart(last)).await;
        world.ask(id, OperationCommand::Cancel).await;
        if world.until_killed(id, Trip::BeforeUndone(step)).await != Met::Tripped {
            return Err("was never undone".to_owned());
        }
        if pipeline == PipelineName::Create {
            return was_cancelled(&world, container, id).await;
        }
        let operation = world.drive(id).await;
        if operation.status() != Some(Status::Cancelled) || world.container(container).await.changing().is_some() {
            return Err(format!("{:?}", operation.end()));
        }
        let after = settings(&world, container).await;
        // Its guest is another one by then.
        let same = pipeline == PipelineName::Rebuild || after == before;
        if same { Ok(()) } else { Err(format!("{after:?} was {before:?}")) }
    })
    .await;
}

/// Also when nobody lived to say what had become of it.
async fn power_is_known(world: &World, container: ContainerId) -> Result<(), String> {
    let state = world.container(container).await;
    let Some(guest) = state.guest() else { return Ok(()) };
    let runs = world.sim.world().is_running(guest.vmid.get());
    let said = state.power();
    if runs == (said == Power::Running) { Ok(()) } else { Err(format!("it runs: {runs}, and is recorded as {said:?}")) }
}

pub(crate) async fn each_step_can_be_cancelled_until_there_is_no_way_back(on: On) {
    let world = on.world().await;
    let all = PipelineName::ALL.into_iter().flat_map(|name| name.table().steps().map(move |step| (name, *step)));
    each(all, async |(pipeline, step)| {
        let (container, id) = begin(&world, pipeline).await;
        if world.until_killed(id, Trip::BeforeEnd(step.name)).await != Met::Tripped {
            return Err("never came there".to_owned());
        }
        let asked = world.try_ask(id, OperationCommand::Cancel).await;
        if !step.may_cancel {
            world.drive(id).await;
            has_succeeded(&world, pipeline, container, id).await?;
            return asked.err().map(drop).ok_or_else(|| "the cancellation was not refused".to_owned());
        }
        asked?;
        if pipeline == PipelineName::Create {
            return was_cancelled(&world, container, id).await;
        }
        match world.drive(id).await.status() {
            // One that is to be put back is otherwise than on record to begin with.
            Some(Status::Cancelled) if pipeline == PipelineName::PutBack => Ok(()),
            Some(Status::Cancelled) => power_is_known(&world, container).await,
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

pub(crate) async fn a_script_that_runs_is_stopped_by_a_cancellation(on: On) {
    let world = on.world().await;
    let (container, id) = tiny(&world, false).await;
    world.until_killed(id, Trip::BeforeStart(StepName::RunScripts)).await;
    let vmid = world.container(container).await.guest().unwrap().vmid.get();
    world.in_guest(vmid, "touch /srv/slow").await;
    let cancel = async {
        while !world.progress(id).await.iter().any(|told| format!("{told:?}").contains("20-two.sh (2 of 3)")) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        world.ask(id, OperationCommand::Cancel).await;
    };
    let (ended, ()) = tokio::join!(was_cancelled(&world, container, id), cancel);
    ended.unwrap();
    world.only_guests_of(&[]).await;
}

pub(crate) async fn a_worker_that_was_replaced_can_say_nothing_any_more(on: On) {
    let world = on.world().await;
    let (container, id) = tiny(&world, false).await;
    world.until_killed(id, Trip::BeforeStart(StepName::RunScripts)).await;
    let vmid = world.container(container).await.guest().unwrap().vmid.get();
    world.in_guest(vmid, "touch /srv/slow").await;
    let (engine, old) = (world.engine("old"), turn("old"));
    let replaced = async {
        while world.operation(id).await.worker() != Some("old") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let (ended, _) = tokio::join!(world.drive(id), async {
            while world.operation(id).await.worker() == Some("old") {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            world.in_guest(vmid, "rm /srv/slow").await;
        });
        ended
    };
    let (old, _) = tokio::join!(engine.drive(id, &old), replaced);
    assert!(matches!(old, Ok(Outcome::Left) | Err(EngineError::Lost { .. })), "{old:?}");
    has_succeeded(&world, PipelineName::Create, container, id).await.unwrap();
    // One line for each that a script said, from whichever of both.
    let lines = world
        .progress(id)
        .await
        .into_iter()
        .filter(|told| matches!(&told.kind, ProgressKind::Log { next: Some(_), .. }));
    let mut lines: Vec<_> = lines.map(|told| serde_json::to_string(&told.kind).unwrap()).collect();
    let all = lines.len();
    lines.sort();
    lines.dedup();
    assert_eq!(lines.len(), all);
}
