//! Why an operation waits, and when that is too long.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests say what they expect by failing")]

use chrono::{DateTime, TimeDelta, Utc};
use domain::operation::{
    Accepted, AfterFailure, Command, Failure, FailureKind, Operation, OperationEvent as E, Status, WaitReason, Why,
    stalled, why,
};
use domain::pipeline::StepName;
use domain::{Aggregate, ContainerId, HostId};
use serde_json::Value;
use uuid::Uuid;

const HOST: HostId = HostId::new(Uuid::from_u128(9));

fn at(minute: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
}

fn of(events: Vec<E>) -> Option<Why> {
    let container = ContainerId::new(Uuid::from_u128(1));
    let accepted = Accepted::new(Command::StartContainer { container }, None, Some(HOST));
    let mut all = vec![E::Accepted(accepted), E::Claimed { worker: "w".into() }];
    all.extend(events);
    let operation = Operation::fold(&all);
    why(&operation, all.iter().enumerate().map(|(n, event)| (event, at(n as i64))))
}

fn started(attempt: u32) -> E {
    E::StepStarted { step: StepName::StartGuest, attempt, intent: Value::Null }
}

fn failed(attempt: u32, failure_kind: FailureKind) -> E {
    let error = Failure::new("x", "X", "CT is locked (backup)");
    let next = AfterFailure::Retry { at: at(99) };
    E::StepFailed { step: StepName::StartGuest, attempt, failure_kind, error, next }
}

#[test]
fn behind_another_try_is_the_host_or_its_lock_since_the_first_of_its_kind() {
    use FailureKind::{Locked, Temporary, Unreachable};
    let rows =
        vec![started(1), failed(1, Locked), started(2), failed(2, Unreachable), started(3), failed(3, Unreachable)];
    let found = of(rows.clone()).unwrap();
    assert_eq!(found.reason, WaitReason::HostUnreachable { host: HOST, since: at(5) });
    assert_eq!((found.since, found.until), (Some(at(5)), Some(at(99))));
    let found = of(rows[..2].to_vec()).unwrap();
    assert_eq!(found.reason, WaitReason::ProxmoxLock { words: "CT is locked (backup)".into() });
    assert_eq!(found.since, Some(at(3)));
    let found = of(vec![started(1), failed(1, Temporary)]).unwrap();
    assert!(matches!(found.reason, WaitReason::RetryBackoff { .. }));
    assert_eq!(of(vec![started(1)]), None);
    assert_eq!(of(vec![started(1), failed(1, Temporary), started(2)]), None, "it is being tried again");
}

#[test]
fn a_slot_is_waited_for_since_it_was_asked_for() {
    let reason = WaitReason::Slot { limit: "node a".into(), place: 2, key: Some("node:a".into()) };
    let found =
        of(vec![E::Waiting { reason: reason.clone(), until: None }, E::Claimed { worker: "v".into() }]).unwrap();
    assert_eq!(found, Why { reason, until: None, since: Some(at(2)) });
}

#[test]
fn silence_is_too_long_only_after_what_is_waited_for() {
    let delay = WaitReason::Delay;
    let slot = WaitReason::Slot { limit: "x".into(), place: 1, key: None };
    for (status, reason, until, now, expected) in [
        (Status::Queued, None, None, 4, false),
        (Status::Queued, None, None, 6, true),
        (Status::Running, None, None, 19, false),
        (Status::Running, None, None, 21, true),
        (Status::Running, Some(&delay), Some(at(30)), 31, false),
        (Status::Running, Some(&delay), Some(at(30)), 33, true),
        (Status::Running, Some(&slot), None, 59, false),
        (Status::Running, Some(&slot), None, 61, true),
        (Status::Succeeded, None, None, 999, false),
        (Status::Stuck, None, None, 999, false),
    ] {
        let found = stalled(status, reason, until, at(0), at(now));
        assert_eq!(found, expected.then_some(at(0)), "{status} {reason:?} {now}");
    }
}
