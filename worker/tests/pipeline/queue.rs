//! Operations by way of the queue: slots, fairness between accounts, and jobs that were lost.

use std::time::Duration;

use domain::container::Source;
use domain::host::Limits;
use domain::operation::{Operation, OperationEvent};
use domain::pipeline::StepName;
use domain::{AccountId, Aggregate as _, ContainerId, Meta, OperationId, Version};
use platform::queue::Settings;
use uuid::Uuid;

use crate::support::{Ground, World, hostname, meta, spec};

async fn until_ended(world: &World, ids: &[OperationId]) {
    for id in ids {
        while !world.operation(*id).await.has_ended() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn bare(world: &World, by: Meta) -> (ContainerId, OperationId) {
    world.request_as(by, spec(&hostname(), Source::Image("debian-12".into())), false).await
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_whose_job_was_never_pushed_are_found_and_done() {
    let world = World::new().await;
    let made = [bare(&world, meta()).await, bare(&world, meta()).await];
    let engine = world.engine("w");
    assert_eq!(engine.sweep().await, Ok(2));
    assert_eq!(engine.sweep().await, Ok(0), "they are queued by now");
    let settings = Settings::default();
    let working = engine.work(&settings);
    let ended = async {
        until_ended(&world, &made.map(|(_, id)| id)).await;
        world.stop.cancel();
    };
    let (worked, ()) = tokio::join!(working, ended);
    worked.unwrap();
    for (container, _) in made {
        world.is_ready(container).await.unwrap();
    }
    assert_eq!(engine.sweep().await, Ok(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_are_at_work_on_a_node_than_it_has_slots_and_nobody_waits_behind_another_accounts_many() {
    let limits = Limits { per_host: 100, per_node: 2, per_storage: 100 };
    let world = World::on(Ground { limits, ..Ground::local() }).await;
    let by = |account: AccountId| Meta { account: Some(account), ..meta() };
    let (greedy, modest) = (AccountId::new(Uuid::now_v7()), AccountId::new(Uuid::now_v7()));
    let mut made = Vec::new();
    for number in 0..20 {
        made.push(bare(&world, by(if number < 17 { greedy } else { modest })).await.1);
    }
    let engine = world.engine("w");
    for id in &made {
        engine.wake(*id).await.unwrap();
    }
    let ended = async {
        until_ended(&world, &made).await;
        world.stop.cancel();
    };
    let settings = Settings::default();
    let (worked, ()) = tokio::join!(engine.work(&settings), ended);
    worked.unwrap();

    // From the log: when each was at work, and where. It holds its slot from its second step on.
    let mut work = Vec::new();
    for id in &made {
        let (mut node, mut from, mut to) = (String::new(), 0, 0);
        for stored in world.log.stream(&Operation::stream(*id), Version(0)).await.unwrap() {
            match stored.event().unwrap() {
                OperationEvent::StepSucceeded { step: StepName::LeaseVmid, fact } => {
                    node = fact["place"]["node"].as_str().unwrap().to_owned();
                }
                OperationEvent::StepStarted { step: StepName::EnsureImage, .. } => from = stored.position.0,
                OperationEvent::StepSucceeded { step: StepName::Finish, .. } => to = stored.position.0,
                _ => {}
            }
        }
        assert!(from > 0 && to > from, "{:?}", world.operation(*id).await.end());
        work.push((node, from, to));
    }
    for (node, from, _) in &work {
        let beside = work.iter().filter(|(other, begin, end)| other == node && begin <= from && from < end);
        assert!(beside.count() <= 2, "{work:?}");
    }
    let mut order: Vec<usize> = (0..made.len()).collect();
    order.sort_by_key(|at| work[*at].2);
    let last_modest = order.iter().rposition(|at| *at >= 17).unwrap();
    assert!(last_modest < 16, "the modest account's last came in place {last_modest} of 20");
}
