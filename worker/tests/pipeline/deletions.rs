//! Containers that are to be deleted later are deleted then, once, whoever is there to do it.

use std::time::Duration;

use chrono::TimeDelta;
use domain::ContainerId;
use domain::container::{Container, ContainerCommand, Deletion, Lifecycle, Source};
use domain::operation::{Command, Status};
use domain::pipeline::PipelineName;
use platform::views::{self, MOST, OperationFilter, OperationRow, Order, Page};
use worker::engine::deletions_topic;

use crate::support::{World, hostname, meta, spec};

async fn ready(world: &World) -> ContainerId {
    let (container, create) = world.request(spec(&hostname(), Source::Image("debian-12".into()))).await;
    assert_eq!(world.drive(create).await.status(), Some(Status::Succeeded));
    container
}

async fn say(world: &World, container: ContainerId, command: ContainerCommand) {
    world.log.execute::<Container>(container, command, &(), meta()).await.unwrap();
}

async fn plan(world: &World, container: ContainerId, delay: TimeDelta) {
    let at = world.log.clock().now() + delay;
    say(world, container, ContainerCommand::PlanDelete(Deletion { at, purge: true, keep_unreferenced: true })).await;
}

async fn deletes(world: &World, container: ContainerId) -> Vec<OperationRow> {
    let pipeline = Some(PipelineName::Delete);
    let filter = OperationFilter { target: Some(container), pipeline, ..OperationFilter::default() };
    let page = Page { limit: MOST, after: None, order: Order::Oldest };
    views::page::<OperationRow>(world.log.db(), &filter, &page).await.unwrap().items
}

fn pass(world: &World, hours: i64) {
    world.skip_to(world.log.clock().now() + TimeDelta::hours(hours));
}

async fn begun(world: &World, worker: &str) -> u64 {
    world.engine(worker).delete_due().await.unwrap().begun
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_is_deleted_once_by_many_workers_and_after_a_restart() {
    let world = World::new().await;
    let (doomed, kept) = (ready(&world).await, ready(&world).await);
    plan(&world, doomed, TimeDelta::hours(24)).await;
    plan(&world, kept, TimeDelta::hours(24)).await;
    let looked = world.engine("one").delete_due().await.unwrap();
    let due = world.container(doomed).await.deletion().unwrap().at;
    assert_eq!((looked.begun, looked.next), (0, Some(due)), "not before its time");
    say(&world, kept, ContainerCommand::WithdrawDelete).await;
    pass(&world, 25);
    let engines: Vec<_> = (0..4).map(|number| world.engine(&format!("w{number}"))).collect();
    let looks = futures_util::future::join_all(engines.iter().map(worker::Engine::delete_due)).await;
    assert_eq!(looks.into_iter().map(|look| look.unwrap().begun).sum::<u64>(), 1);
    let [delete] = deletes(&world, doomed).await.try_into().unwrap();
    assert_eq!(
        delete.command,
        Command::DeleteContainer { container: doomed, purge: true, keep_unreferenced: true },
        "as it was asked for"
    );
    assert_eq!(world.queue().depth().await.unwrap().queued, 1, "and a worker is called");
    assert_eq!(begun(&world, "restarted").await, 0);
    assert_eq!(world.drive(delete.id).await.status(), Some(Status::Succeeded));
    assert_eq!(world.container(doomed).await.lifecycle(), Lifecycle::Removed);
    assert_eq!(begun(&world, "restarted").await, 0);
    assert_eq!(deletes(&world, kept).await, []);
    world.only_guests_of(&[kept]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_for_whoever_is_at_work_and_is_not_forgotten() {
    let world = World::new().await;
    let container = ready(&world).await;
    plan(&world, container, TimeDelta::hours(1)).await;
    pass(&world, 2);
    let stop = world.accept(Command::StopContainer { container }).await;
    assert_eq!(begun(&world, "one").await, 0);
    assert!(world.container(container).await.deletion().is_some());
    world.drive(stop).await;
    assert_eq!(begun(&world, "one").await, 1);
    assert_eq!(deletes(&world, container).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_wakes_for_the_next_one_and_hears_of_a_nearer_one() {
    let world = World::new().await;
    let container = ready(&world).await;
    let engine = world.engine("waiting");
    let deleted = async {
        // It sleeps for what is far off; a nearer one is told on the bus, and then it is slept for and no longer.
        plan(&world, container, TimeDelta::hours(1)).await;
        while world.tools.bus.watched() == 0 {
            tokio::task::yield_now().await;
        }
        plan(&world, container, TimeDelta::milliseconds(400)).await;
        world.tools.bus.publish(deletions_topic(), 1).await;
        while deletes(&world, container).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        world.stop.cancel();
    };
    // Less than it would look for by itself.
    tokio::time::timeout(Duration::from_secs(8), async { tokio::join!(engine.deletions_on(), deleted) }).await.unwrap();
}
