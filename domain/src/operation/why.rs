//! Why nothing happens with an operation, and since when; and whether that takes longer than it should.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::{FailureKind, Operation, OperationEvent, Status, WaitReason};
use crate::HostId;
use crate::pipeline::StepName;

/// What an operation waits for, with more than its last event alone can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    pub reason: WaitReason,
    pub until: Option<DateTime<Utc>>,
    pub since: Option<DateTime<Utc>>,
}

/// From the operation and its events with their times.
#[must_use]
pub fn why<'a>(
    operation: &Operation,
    history: impl DoubleEndedIterator<Item = (&'a OperationEvent, DateTime<Utc>)>,
) -> Option<Why> {
    let waiting = operation.waiting().filter(|_| !operation.has_ended())?;
    let mut found = Why { reason: waiting.reason.clone(), until: waiting.until, since: None };
    let mut kind = None;
    for (event, at) in history.rev() {
        match event {
            OperationEvent::Waiting { .. } if kind.is_none() => found.since = Some(at),
            OperationEvent::StepFailed { failure_kind, error, .. }
            | OperationEvent::UndoFailed { failure_kind, error, .. } => {
                if kind.is_some_and(|kind| kind != *failure_kind) {
                    break;
                }
                if kind.is_none() && found.since.is_some() {
                    break;
                }
                if kind.is_none() {
                    found.reason = instead(operation, *failure_kind, &error.detail, at).unwrap_or(found.reason);
                }
                kind = Some(*failure_kind);
                found.since = Some(at);
            }
            OperationEvent::Claimed { .. }
            | OperationEvent::PutDown
            | OperationEvent::Resumed
            | OperationEvent::StepStarted { .. }
            | OperationEvent::UndoStarted { .. } => {}
            _ => break,
        }
    }
    if let (WaitReason::HostUnreachable { since, .. }, Some(first)) = (&mut found.reason, found.since) {
        *since = first;
    }
    Some(found)
}

/// What is behind the waiting for another try.
fn instead(operation: &Operation, kind: FailureKind, words: &str, at: DateTime<Utc>) -> Option<WaitReason> {
    match kind {
        FailureKind::Locked => Some(WaitReason::ProxmoxLock { words: words.to_owned() }),
        FailureKind::Unreachable => host(operation).map(|host| WaitReason::HostUnreachable { host, since: at }),
        FailureKind::Temporary | FailureKind::Final => None,
    }
}

fn host(operation: &Operation) -> Option<HostId> {
    let placed = || operation.fact(StepName::LeaseVmid).or_else(|| operation.intent(StepName::LeaseVmid));
    let chosen = || placed()?.pointer("/place/host").and_then(Value::as_str)?.parse().ok();
    operation.accepted()?.host.or_else(chosen)
}

/// Since when an operation is silent for longer than anything does that goes well.
#[must_use]
pub fn stalled(
    status: Status,
    reason: Option<&WaitReason>,
    until: Option<DateTime<Utc>>,
    last_sign: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let minutes = match (status, reason) {
        (Status::Queued, None) => 5,
        (Status::Queued | Status::Running, Some(WaitReason::Slot { .. } | WaitReason::Lock { .. })) => 60,
        (Status::Queued | Status::Running, Some(WaitReason::Task { .. })) => 60,
        (Status::Queued | Status::Running, Some(_)) => 2,
        // A script may say nothing for as long as it may run; a step without an end is cut off by its own limit.
        (Status::Running, None) => 20,
        _ => return None,
    };
    let expected = until.unwrap_or(last_sign).max(last_sign);
    (now - expected > TimeDelta::minutes(minutes)).then_some(last_sign)
}
