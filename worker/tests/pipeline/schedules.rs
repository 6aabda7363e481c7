//! Backups that are due begin by themselves, and old ones go.

use std::time::Duration;

use chrono::TimeDelta;
use domain::ContainerId;
use domain::copy::{BackupMode, file};
use domain::operation::{Command, Status};
use domain::pipeline::PipelineName;
use domain::schedule::{Every, Given, Keep, Schedule, ScheduleCommand, Schedules};
use platform::views::{self, MOST, OperationFilter, OperationRow, Order, Page};
use worker::Copies;

use crate::support::{World, hostname, meta, spec};

async fn ready(world: &World) -> ContainerId {
    let image = domain::container::Source::Image("debian-12".into());
    let (container, create) = world.request(spec(&hostname(), image)).await;
    assert_eq!(world.drive(create).await.status(), Some(Status::Succeeded));
    container
}

async fn nightly(world: &World, container: ContainerId, keep: Keep) {
    let schedule = Schedule {
        every: Every::Day { hour: 2, minute: 30 },
        keep,
        storage: None,
        mode: BackupMode::Snapshot,
        notes: Some("by night".into()),
    };
    let command = ScheduleCommand::Set { name: "nightly".into(), schedule };
    let given = Given { now: world.log.clock().now() };
    world.log.execute::<Schedules>(container, command, &given, meta()).await.unwrap();
}

/// The operations of a kind, the oldest first.
async fn operations(world: &World, container: ContainerId, kind: PipelineName) -> Vec<OperationRow> {
    let filter = OperationFilter { target: Some(container), pipeline: Some(kind), ..OperationFilter::default() };
    let page = Page { limit: MOST, after: None, order: Order::Oldest };
    views::page::<OperationRow>(world.log.db(), &filter, &page).await.unwrap().items
}

async fn days(world: &World, days: i64) {
    world.skip_to(world.log.clock().now() + TimeDelta::days(days));
    // The name of a backup tells the second that it was made in.
    let second = platform::clock::now().timestamp();
    while platform::clock::now().timestamp() == second {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_is_begun_once_by_many_workers_and_what_was_missed_is_caught_up_on_once() {
    let world = World::new().await;
    let container = ready(&world).await;
    nightly(&world, container, Keep::default()).await;
    assert_eq!(world.engine("one").begin_due().await, Ok(0), "nothing is due that was before it was set");
    days(&world, 5).await;
    let engines: Vec<_> = (0..4).map(|number| world.engine(&format!("w{number}"))).collect();
    let begun = futures_util::future::join_all(engines.iter().map(worker::Engine::begin_due)).await;
    assert_eq!(begun.into_iter().map(Result::unwrap).sum::<u64>(), 1);
    let [backup] = operations(&world, container, PipelineName::Backup).await.try_into().unwrap();
    assert_eq!(world.queue().depth().await.unwrap().queued, 1, "and a worker is called");
    assert_eq!(world.drive(backup.id).await.status(), Some(Status::Succeeded));
    // One that starts later finds nothing more to do.
    assert_eq!(world.engine("restarted").begin_due().await, Ok(0));
    let guest_backups = Copies::new(world.tools.clone()).backups(container).await.unwrap();
    assert_eq!(guest_backups.iter().map(|one| one.notes.as_deref()).collect::<Vec<_>>(), [Some("by night")]);

    // While something else is at work on the container it waits for its turn, and is not forgotten.
    days(&world, 1).await;
    let stop = world.accept(Command::StopContainer { container }).await;
    assert_eq!(world.engine("one").begin_due().await, Ok(0));
    world.drive(stop).await;
    assert_eq!(world.engine("one").begin_due().await, Ok(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_of_its_own_beyond_the_retention_go() {
    let world = World::new().await;
    let container = ready(&world).await;
    nightly(&world, container, Keep { last: Some(2), ..Keep::default() }).await;
    let mode = BackupMode::Snapshot;
    let by_hand = Command::BackUp { container, storage: None, mode, notes: None, protected: false, schedule: None };
    let by_hand = world.accept(by_hand).await;
    world.drive(by_hand).await;
    for _ in 0..3 {
        days(&world, 1).await;
        assert_eq!(world.engine("w").begin_due().await, Ok(1));
        let last = operations(&world, container, PipelineName::Backup).await.pop().unwrap();
        assert_eq!(world.drive(last.id).await.status(), Some(Status::Succeeded));
    }
    let made: Vec<_> = world.container(container).await.backups().cloned().collect();
    let oldest = made.iter().filter(|made| made.schedule.is_some()).min_by_key(|made| made.made_at).unwrap();
    assert_eq!(world.engine("w").begin_due().await, Ok(1));
    let [prune] = operations(&world, container, PipelineName::DeleteBackup).await.try_into().unwrap();
    assert_eq!(prune.command, Command::DeleteBackup { container, backup: file(&oldest.volume).to_owned() });
    assert_eq!(world.drive(prune.id).await.status(), Some(Status::Succeeded));
    assert_eq!(world.engine("w").begin_due().await, Ok(0), "two stay, and the one that somebody made by hand");
    assert_eq!(Copies::new(world.tools.clone()).backups(container).await.unwrap().len(), 3);
}
