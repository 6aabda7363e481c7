//! Operations by way of the queue: slots, fairness between accounts, and jobs that were lost.

use std::time::Duration;

use domain::container::Source;
use domain::host::Limits;
use domain::operation::{Operation, OperationEvent};
use domain::pipeline::StepName;
use domain::{AccountId, Aggregate as _, ContainerId, Meta, OperationId, Version};
use platform::queue::Settings;
use uuid::Uuid;

use crate::proofs::{On, on_both};
use crate::support::{Ground, World, hostname, meta, spec};

on_both!(
    operations_whose_job_was_never_pushed_are_found_and_done,
    no_more_are_at_work_on_a_node_than_it_has_slots_and_nobody_waits_behind_another_accounts_many,
    no_more_are_at_work_on_a_storage_or_a_host_than_they_have_slots_and_who_waits_says_why,
);

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

async fn operations_whose_job_was_never_pushed_are_found_and_done(on: On) {
    let world = on.world().await;
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

/// An operation while it held its slots, which it does from its second step on.
#[derive(Debug)]
struct Work {
    node: String,
    storage: String,
    /// In the log.
    from: i64,
    to: i64,
}

async fn worked(world: &World, ids: &[OperationId]) -> Vec<Work> {
    let mut all = Vec::new();
    for id in ids {
        let mut work = Work { node: String::new(), storage: String::new(), from: 0, to: 0 };
        for stored in world.log.stream(&Operation::stream(*id), Version(0)).await.unwrap() {
            match stored.event().unwrap() {
                OperationEvent::StepSucceeded { step: StepName::LeaseVmid, fact } => {
                    let place = |what: &str| fact["place"][what].as_str().unwrap().to_owned();
                    (work.node, work.storage) = (place("node"), place("storage"));
                }
                OperationEvent::StepStarted { step: StepName::EnsureImage, .. } => work.from = stored.position.0,
                OperationEvent::StepSucceeded { step: StepName::Finish, .. } => work.to = stored.position.0,
                _ => {}
            }
        }
        assert!(work.from > 0 && work.to > work.from, "{:?}", world.operation(*id).await.end());
        all.push(work);
    }
    all
}

/// The most that were at work at the same time among those that share something.
fn most_at_once(all: &[Work], shares: impl Fn(&Work, &Work) -> bool) -> usize {
    let beside = |one: &Work| {
        all.iter().filter(|other| shares(one, other) && other.from <= one.from && one.from < other.to).count()
    };
    all.iter().map(beside).max().unwrap()
}

async fn work_off(world: &World, ids: &[OperationId]) {
    let engine = world.engine("w");
    for id in ids {
        engine.wake(*id).await.unwrap();
    }
    let ended = async {
        until_ended(world, ids).await;
        world.stop.cancel();
    };
    let settings = Settings::default();
    let (worked, ()) = tokio::join!(engine.work(&settings), ended);
    worked.unwrap();
}

async fn no_more_are_at_work_on_a_node_than_it_has_slots_and_nobody_waits_behind_another_accounts_many(on: On) {
    let limits = Limits { per_host: 100, per_node: 2, per_storage: 100 };
    let world = World::on(Ground { limits, ..on.ground().await }).await;
    let by = |account: AccountId| Meta { account: Some(account), ..meta() };
    let (greedy, modest) = (AccountId::new(Uuid::now_v7()), AccountId::new(Uuid::now_v7()));
    let mut made = Vec::new();
    for number in 0..20 {
        made.push(bare(&world, by(if number < 17 { greedy } else { modest })).await.1);
    }
    work_off(&world, &made).await;
    let work = worked(&world, &made).await;
    assert_eq!(most_at_once(&work, |a, b| a.node == b.node), 2, "{work:?}");
    let mut order: Vec<usize> = (0..made.len()).collect();
    order.sort_by_key(|at| work[*at].to);
    let last_modest = order.iter().rposition(|at| *at >= 17).unwrap();
    assert!(last_modest < 16, "the modest account's last came in place {last_modest} of 20");
    nothing_is_held(&world).await;
}

async fn no_more_are_at_work_on_a_storage_or_a_host_than_they_have_slots_and_who_waits_says_why(on: On) {
    for (limits, said) in [
        (Limits { per_host: 3, per_node: 100, per_storage: 100 }, "host sim (at most 3 at once)"),
        (Limits { per_host: 100, per_node: 100, per_storage: 2 }, "on node pve"),
    ] {
        let world = World::on(Ground { limits, ..on.ground().await }).await;
        let mut made = Vec::new();
        for _ in 0..12 {
            made.push(bare(&world, meta()).await.1);
        }
        work_off(&world, &made).await;
        let work = worked(&world, &made).await;
        assert!(most_at_once(&work, |_, _| true) <= limits.per_host.into(), "{work:?}");
        let one_storage = |a: &Work, b: &Work| (&a.node, &a.storage) == (&b.node, &b.storage);
        assert!(most_at_once(&work, one_storage) <= limits.per_storage.into(), "{work:?}");
        let mut told = Vec::new();
        for id in &made {
            told.extend(world.progress(*id).await.into_iter().map(|progress| format!("{:?}", progress.kind)));
        }
        assert!(told.iter().any(|line| line.contains("waits for its turn") && line.contains(said)), "{told:?}");
        nothing_is_held(&world).await;
    }
}

async fn nothing_is_held(world: &World) {
    while !world.coordination.locks().list("").await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
