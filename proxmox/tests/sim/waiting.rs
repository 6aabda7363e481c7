//! Waiting for tasks, whatever becomes of them.

use std::time::Duration;

use proxmox::{Error, Finished, Lock, Outcome, Retry, TaskStatus, Waiting};
use sim::{Effect, Options, Rule};
use tokio_util::sync::CancellationToken;

use crate::pve::{NODE, Pve, debian, dry, within};

const START: &str = "POST /nodes/*/lxc/*/status/start";
const LOOK: &str = "GET /nodes/*/tasks/*/status";

async fn with_container() -> Pve {
    let pve = Pve::new(dry()).await;
    pve.container(101).await;
    pve
}

#[tokio::test]
async fn cancelling_stops_the_task_and_is_confirmed() {
    let pve = with_container().await;
    pve.sim.faults().add(Rule::once(START, Effect::TaskHangs));
    let upid = pve.client.lxc(NODE, 101).start().await.unwrap();
    let waiting = Waiting { limit: Duration::from_secs(60), cancel: CancellationToken::new() };
    let (ended, ()) = tokio::join!(pve.client.wait(&upid, &waiting, |_| ()), async {
        assert_eq!(pve.client.task_status(&upid).await.unwrap(), TaskStatus::Running);
        waiting.cancel.cancel();
    });
    assert_eq!(ended.unwrap(), Finished::Cancelled { exit: "unexpected status".into() });
    assert!(matches!(pve.client.task_status(&upid).await.unwrap(), TaskStatus::Over { .. }));
    pve.sim.stop().await;
}

#[tokio::test]
async fn one_that_ends_while_it_is_cancelled_has_ended_well() {
    let pve = with_container().await;
    let upid = pve.client.lxc(NODE, 101).start().await.unwrap();
    assert_eq!(
        pve.client.wait_silently(&upid, &within(Duration::from_secs(9))).await.unwrap(),
        Finished::Done { warnings: vec![] }
    );
    let waiting = within(Duration::from_secs(9));
    waiting.cancel.cancel();
    assert_eq!(pve.client.wait_silently(&upid, &waiting).await.unwrap(), Finished::Done { warnings: vec![] });
    pve.sim.stop().await;
}

#[tokio::test]
async fn warnings_are_a_success_that_says_what_they_are() {
    let pve = with_container().await;
    pve.sim.faults().add(Rule::once(START, Effect::TaskWarns(2)));
    let Finished::Done { warnings } = pve.ended(pve.client.lxc(NODE, 101).start().await).await.unwrap() else {
        panic!("not done")
    };
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].starts_with("WARN"), "{warnings:?}");
    pve.sim.stop().await;
}

#[tokio::test]
async fn failures_keep_the_words_and_say_what_may_be_done() {
    let pve = with_container().await;
    let ct = pve.client.lxc(NODE, 101);
    pve.sim.faults().add(Rule::once(START, Effect::TaskFails("startup for container '101' failed".into())));
    let error = pve.failed(ct.start().await).await;
    assert_eq!((error.words(), error.retry()), ("startup for container '101' failed", Retry::Never));
    pve.sim.faults().add(Rule::once("", Effect::LockTimeout));
    let error = pve.failed(ct.start().await).await;
    assert!(matches!(error.root(), Error::Locked(Lock::File, _)), "{error}");
    assert!(matches!(error.retry(), Retry::After(_)));
    pve.sim.stop().await;
}

#[tokio::test]
async fn a_task_that_takes_too_long_is_overdue_and_goes_on() {
    let pve = with_container().await;
    pve.sim.faults().add(Rule::once(START, Effect::TaskHangs));
    let upid = pve.client.lxc(NODE, 101).start().await.unwrap();
    let ended = pve.client.wait_silently(&upid, &within(Duration::from_millis(200))).await;
    assert_eq!(ended.unwrap(), Finished::Overdue);
    assert_eq!(pve.client.task_status(&upid).await.unwrap(), TaskStatus::Running);
    pve.client.stop_task(&upid).await.unwrap();
    assert!(matches!(pve.client.task_status(&upid).await.unwrap(), TaskStatus::Over { .. }));
    pve.client.stop_task(&upid).await.unwrap();
    pve.sim.stop().await;
}

#[tokio::test]
async fn a_host_that_is_away_for_a_while_does_not_lose_the_task() {
    let pve = with_container().await;
    let proxy = |status, reason: &str| Effect::Proxy { status, reason: reason.into(), done: false };
    let faults = [
        Rule::once(LOOK, proxy(595, "No route to host")),
        Rule::once(LOOK, proxy(596, "Connection timed out")),
        // A read is repeated at once, so both must be lost to be seen.
        Rule { times: Some(2), ..Rule::always(LOOK, Effect::ResetBefore) },
    ];
    let upid = pve.client.lxc(NODE, 101).start().await.unwrap();
    for fault in faults {
        let times = fault.times.unwrap();
        let id = pve.sim.faults().add(fault);
        let ended = pve.client.wait_silently(&upid, &within(Duration::from_secs(60))).await;
        assert_eq!(ended.unwrap(), Finished::Done { warnings: Vec::new() });
        assert_eq!(pve.sim.faults().hits(id), times);
    }
    pve.sim.stop().await;
}

#[tokio::test]
async fn a_node_that_stays_away_leaves_the_outcome_unknown() {
    let pve = with_container().await;
    pve.sim.faults().add(Rule::once(START, Effect::TaskHangs));
    let upid = pve.client.lxc(NODE, 101).start().await.unwrap();
    pve.sim.faults().add(Rule::always("GET /**", Effect::ResetBefore));
    let error = pve.client.wait_silently(&upid, &within(Duration::from_secs(1))).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(Outcome::Unknown, _)), "{error}");
    assert_eq!(error.retry(), Retry::OutcomeUnknown);
    pve.sim.stop().await;
}

#[tokio::test]
async fn a_node_that_leaves_and_comes_back_is_found_through_the_other() {
    let nodes = vec!["pve1".to_owned(), "pve2".to_owned()];
    let pve = Pve::new(Options { nodes, ..dry() }).await;
    pve.done(pve.client.create_lxc("pve2", &debian(101)).await).await;
    let upid = pve.client.lxc("pve2", 101).start().await.unwrap();
    pve.sim.world().set_online("pve2", false);
    let waiting = within(Duration::from_secs(60));
    let (ended, ()) = tokio::join!(pve.client.wait_silently(&upid, &waiting), async {
        assert!(matches!(pve.client.task_status(&upid).await, Err(Error::Unreachable(Outcome::NotDone, _))));
        pve.sim.world().set_online("pve2", true);
    });
    assert_eq!(ended.unwrap(), Finished::Done { warnings: Vec::new() });
    pve.sim.stop().await;
}

#[tokio::test]
async fn a_log_of_many_pages_comes_whole_and_in_order() {
    let pve = with_container().await;
    pve.sim.faults().add(Rule::once(START, Effect::TaskWarns(1234)));
    let upid = pve.client.lxc(NODE, 101).start().await.unwrap();
    let mut numbers = Vec::new();
    let ended = pve.client.wait(&upid, &within(Duration::from_secs(60)), |line| numbers.push(line.n)).await.unwrap();
    assert!(matches!(ended, Finished::Done { .. }));
    assert!(numbers.len() > 1234, "{}", numbers.len());
    assert!(numbers.iter().zip(1..).all(|(n, expected)| *n == expected), "a line is missing or came twice");
    pve.sim.stop().await;
}
