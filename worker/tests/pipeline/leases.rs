//! Who has lost the right to work on an operation, in the middle of whatever it is, writes nothing more and asks nothing
//! more of Proxmox; who has it then brings it to its end.

use std::time::Duration;

use domain::operation::Status;
use domain::pipeline::PipelineName;
use proxmox::{Client, TaskList, Upid};
use sim::{Effect, Rule};
use tokio_util::sync::CancellationToken;
use worker::engine::{Outcome, Turn};

use crate::proofs::{On, begin, each, has_succeeded, on_both};
use crate::support::{World, unique};

on_both!(a_lease_that_is_lost_while_a_task_runs_is_the_end_of_all_writing_and_asking);

/// Those that begin a task of Proxmox: there a worker can be stopped in the middle.
const WITH_TASKS: [PipelineName; 14] = [
    PipelineName::Create,
    PipelineName::Delete,
    PipelineName::Resize,
    PipelineName::Suspend,
    PipelineName::Resume,
    PipelineName::Start,
    PipelineName::Stop,
    PipelineName::Shutdown,
    PipelineName::Reboot,
    PipelineName::Snapshot,
    PipelineName::Rollback,
    PipelineName::Backup,
    PipelineName::Clone,
    PipelineName::Rebuild,
];

async fn a_lease_that_is_lost_while_a_task_runs_is_the_end_of_all_writing_and_asking(on: On) {
    each(WITH_TASKS, async |pipeline| {
        // Of its own, because the faults strike whoever comes by.
        let world = on.world().await;
        let (container, id) = begin(&world, pipeline).await;
        let calls = ["POST /**", "PUT /**", "DELETE /**"].map(|call| rule(&world, call, Effect::LatencyMs(0)));
        let changes = || calls.iter().map(|id| world.sim.faults().hits(*id)).sum::<u32>();
        let hanging = ["POST /**", "PUT /**", "DELETE /**"].map(|call| rule(&world, call, Effect::TaskHangs));

        let (lost, name) = (CancellationToken::new(), unique("loser"));
        let (engine, turn) = (world.engine(&name), Turn { name, lost: lost.clone() });
        let watching = async {
            let client = world.tools.hosts.get(world.host).await.unwrap().client.clone();
            let upid = loop {
                if world.operation(id).await.has_ended() {
                    return None;
                }
                match running(&world, &client).await.pop() {
                    Some(upid) => break upid,
                    None => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            };
            // The worker has heard of it, and waits for its end.
            tokio::time::timeout(Duration::from_secs(5), until_still(&world, id)).await.unwrap();
            let then = (world.versions(id).await, world.progress(id).await.len(), changes());
            lost.cancel();
            Some((client, upid, then))
        };
        let (left, seen) = tokio::join!(engine.drive(id, &turn), watching);
        let Some((client, upid, then)) = seen else { return Err("no task hung".to_owned()) };
        if !matches!(left, Ok(Outcome::Left)) {
            return Err(format!("{left:?}"));
        }
        let now = (world.versions(id).await, world.progress(id).await.len(), changes());
        if now != then {
            return Err(format!("it went on: {now:?} after {then:?}"));
        }
        assert!(hanging.iter().all(|id| world.sim.faults().remove(*id)));
        client.stop_task(&upid).await.unwrap();
        let operation = world.drive(id).await;
        if operation.status() != Some(Status::Succeeded) {
            return Err(format!("{:?}", operation.end()));
        }
        has_succeeded(&world, pipeline, container, id).await
    })
    .await;
}

fn rule(world: &World, call: &str, effect: Effect) -> u64 {
    world.sim.faults().add(Rule::always(call, effect))
}

async fn running(world: &World, client: &Client) -> Vec<Upid> {
    let wanted = TaskList { with_active: true, limit: Some(500), ..TaskList::default() };
    let mut all = Vec::new();
    for node in world.sim.nodes() {
        let tasks = client.tasks(&node.name, &wanted).await.unwrap();
        all.extend(tasks.into_iter().filter(|task| task.endtime.is_none()).map(|task| task.upid));
    }
    all
}

/// Nothing was said for as long as a batch of lines is held back, and then some.
async fn until_still(world: &World, id: domain::OperationId) {
    let mut before = (0, 0);
    loop {
        let now = (world.versions(id).await, world.progress(id).await.len());
        if now == before {
            return;
        }
        before = now;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}
