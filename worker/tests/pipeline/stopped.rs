//! A cancellation stops what runs on Proxmox for it, where that leaves nothing half done: the task itself is seen to end,
//! and the undo puts right what it had begun.

use std::time::Duration;

use chrono::TimeDelta;
use domain::container::{Power, Source};
use domain::copy::BackupMode;
use domain::operation::{Command, OperationCommand, Status};
use domain::pipeline::{PipelineName, StepName};
use domain::{ContainerId, OperationId};
use proxmox::{Task, TaskList};
use sim::{Effect, Rule};
use worker::Copies;
use worker::engine::Outcome;

use crate::copies::prepare;
use crate::proofs::tiny;
use crate::support::{Ground, World, hostname, spec, turn, unique};
use crate::trips::{Met, Trip};

/// From now on the call's task does not end by itself.
fn hang(world: &World, call: &str) {
    world.sim.faults().add(Rule::once(call, Effect::TaskHangs));
}

async fn tasks(world: &World, kind: &str) -> Vec<Task> {
    let client = world.tools.hosts.get(world.host).await.unwrap().client.clone();
    let wanted = TaskList { kind: Some(kind.into()), with_active: true, ..TaskList::default() };
    let mut found = Vec::new();
    for node in ["pve1", "pve2"] {
        found.extend(client.tasks(node, &wanted).await.unwrap());
    }
    found
}

/// Cancelled in the middle of its task: how the operation ended, and the tasks that did not end well.
async fn cancelled(world: &World, id: OperationId, kind: &str) -> Vec<Task> {
    let cancel = async {
        while !tasks(world, kind).await.iter().any(|task| task.endtime.is_none()) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(world.operation(id).await.may_cancel(), "and its reader is told so");
        world.ask(id, OperationCommand::Cancel).await;
    };
    let both = async { tokio::join!(world.drive(id), cancel) };
    let (operation, ()) = tokio::time::timeout(Duration::from_secs(60), both).await.expect("it is not waited for");
    assert_eq!(operation.status(), Some(Status::Cancelled), "{:?}", operation.end());
    let mut left = tasks(world, kind).await;
    assert!(left.iter().all(|task| task.endtime.is_some()), "{kind} still runs");
    left.retain(|task| task.status.as_deref() != Some("OK"));
    left
}

async fn made(world: &World) -> ContainerId {
    let (container, id) = world.request(spec(&hostname(), Source::Image("debian-12".into()))).await;
    assert_eq!(world.drive(id).await.status(), Some(Status::Succeeded));
    container
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_runs_is_stopped_and_nothing_of_it_stays() {
    let world = World::new().await;
    let container = made(&world).await;
    hang(&world, "POST /nodes/*/vzdump");
    let mode = BackupMode::Snapshot;
    let back_up = Command::BackUp { container, storage: None, mode, notes: None, protected: false, schedule: None };
    let id = world.accept(back_up.clone()).await;
    assert_eq!(cancelled(&world, id, "vzdump").await.len(), 1);
    assert_eq!(Copies::new(world.tools.clone()).backups(container).await.unwrap().len(), 0);
    // It holds nothing: the next one is made.
    let again = world.accept(back_up).await;
    assert_eq!(world.drive(again).await.status(), Some(Status::Succeeded));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_to_a_new_container_and_a_create_are_stopped_and_leave_no_guest() {
    let world = World::new().await;
    let container = made(&world).await;
    let (_, id) = prepare(&world, container, PipelineName::RestoreNew).await;
    hang(&world, "POST /nodes/*/lxc");
    assert_eq!(cancelled(&world, id, "vzrestore").await.len(), 1);
    world.only_guests_of(&[container]).await;
    let (_, id) = tiny(&world, false).await;
    hang(&world, "POST /nodes/*/lxc");
    assert_eq!(cancelled(&world, id, "vzcreate").await.len(), 1);
    world.only_guests_of(&[container]).await;
}

/// Proxmox would leave the guest locked, or without disks: those are not to be cancelled, and say so.
#[tokio::test(flavor = "multi_thread")]
async fn what_must_not_be_stopped_says_that_it_may_not_be_cancelled() {
    for (pipeline, call, kind) in [
        (PipelineName::Rollback, "POST /nodes/*/lxc/*/snapshot/*/rollback", "vzrollback"),
        (PipelineName::Restore, "POST /nodes/*/lxc", "vzrestore"),
    ] {
        let world = World::new().await;
        let container = made(&world).await;
        let (_, id) = prepare(&world, container, pipeline).await;
        assert!(world.operation(id).await.may_cancel(), "as long as nothing of it is done");
        hang(&world, call);
        let look = async {
            while !tasks(&world, kind).await.iter().any(|task| task.endtime.is_none()) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            assert!(!world.operation(id).await.may_cancel(), "{pipeline:?}");
            assert!(world.try_ask(id, OperationCommand::Cancel).await.is_err(), "{pipeline:?}");
        };
        tokio::select! {
            ended = world.drive(id) => panic!("{pipeline:?} ended before its task did: {:?}", ended.end()),
            () = look => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clone_is_stopped_leaves_no_guest_and_lets_its_source_go() {
    let durations = [("vzclone".to_owned(), Duration::from_secs(3))].into();
    let ground = Ground::local();
    let world = World::on(Ground { sim: sim::Options { durations, ..ground.sim }, ..ground }).await;
    let container = made(&world).await;
    let (_, id) = prepare(&world, container, PipelineName::Clone).await;
    assert_eq!(cancelled(&world, id, "vzclone").await.len(), 1);
    world.only_guests_of(&[container]).await;
    // Neither a lock nor the snapshot that it was cloned from is left on the source.
    let (_, again) = prepare(&world, container, PipelineName::Clone).await;
    assert_eq!(world.drive(again).await.status(), Some(Status::Succeeded));
}

/// Nobody could tell it from one that is stopped, and it would be lost what it did.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_frozen_before_it_was_cancelled_runs_on() {
    let world = World::new().await;
    let container = made(&world).await;
    for trip in [Trip::BeforeStart(StepName::RecordPower), Trip::BeforeEnd(StepName::SuspendGuest)] {
        let id = world.accept(Command::SuspendContainer { container }).await;
        assert_eq!(world.until_killed(id, trip).await, Met::Tripped);
        let (api, guest) = world.api(container).await;
        let lxc = api.lxc(&guest.node, guest.vmid.get());
        assert!(!lxc.status().await.unwrap().is_running(), "it is frozen");
        world.ask(id, OperationCommand::Cancel).await;
        assert_eq!(world.drive(id).await.status(), Some(Status::Cancelled));
        assert!(lxc.status().await.unwrap().is_running());
        assert_eq!(world.container(container).await.power(), Power::Running);
    }
}

/// Nobody lived to say that the container was stopped, and its node answers later, or not in time.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_cancelled_stop_came_to_is_asked_for_as_long_as_its_node_starts_anew() {
    let world = World::new().await;
    for (back, recorded) in [(true, Power::Stopped), (false, Power::Running)] {
        let container = made(&world).await;
        let node = world.container(container).await.guest().unwrap().node.clone();
        let id = world.accept(Command::StopContainer { container }).await;
        assert_eq!(world.until_killed(id, Trip::BeforeEnd(StepName::StopGuest)).await, Met::Tripped);
        world.ask(id, OperationCommand::Cancel).await;
        world.sim.world().set_online(&node, false);
        let asked = world.log.clock().now();
        while back && world.operation(id).await.step(StepName::StopGuest).unwrap().undo_failures < 3 {
            match world.engine("driver").drive(id, &turn(&unique("driver"))).await {
                Ok(Outcome::Later(Some(at))) => world.skip_to(at),
                other => panic!("{other:?}"),
            }
        }
        world.sim.world().set_online(&node, back);
        assert_eq!(world.drive(id).await.status(), Some(Status::Cancelled));
        assert_eq!(world.container(container).await.power(), recorded);
        world.sim.world().set_online(&node, true);
        assert!(world.log.clock().now() - asked < TimeDelta::minutes(3), "it does not wait for ever");
    }
}
