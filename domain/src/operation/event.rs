use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AfterFailure, Command, Failure, FailureKind, WaitReason};
use crate::pipeline::{PipelineName, StepName};
use crate::{AccountId, ContainerId, Event, HostId};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    pub pipeline: PipelineName,
    pub command: Command,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<ContainerId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostId>,
}

impl Accepted {
    #[must_use]
    pub fn new(command: Command, account: Option<AccountId>, host: Option<HostId>) -> Self {
        Self { pipeline: command.pipeline(), target: Some(command.target()), command, account, host }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum OperationEvent {
    #[serde(rename = "operation.accepted")]
    Accepted(Accepted),
    #[serde(rename = "operation.claimed")]
    Claimed { worker: String },
    /// Its worker left it at a safe point for another.
    #[serde(rename = "operation.put_down")]
    PutDown,
    #[serde(rename = "operation.step_started")]
    StepStarted { step: StepName, attempt: u32, intent: Value },
    #[serde(rename = "operation.step_succeeded")]
    StepSucceeded { step: StepName, fact: Value },
    #[serde(rename = "operation.step_failed")]
    StepFailed { step: StepName, attempt: u32, failure_kind: FailureKind, error: Failure, next: AfterFailure },
    #[serde(rename = "operation.waiting")]
    Waiting { reason: WaitReason, until: Option<DateTime<Utc>> },
    #[serde(rename = "operation.resumed")]
    Resumed,
    #[serde(rename = "operation.cancel_requested")]
    CancelRequested,
    #[serde(rename = "operation.retry_requested")]
    RetryRequested,
    #[serde(rename = "operation.undo_started")]
    UndoStarted { step: StepName, attempt: u32 },
    #[serde(rename = "operation.undone")]
    Undone { step: StepName },
    #[serde(rename = "operation.undo_failed")]
    UndoFailed { step: StepName, attempt: u32, failure_kind: FailureKind, error: Failure, next: AfterFailure },
    #[serde(rename = "operation.succeeded")]
    Succeeded { summary: Value },
    #[serde(rename = "operation.failed")]
    Failed { error: Failure },
    #[serde(rename = "operation.cancelled")]
    Cancelled,
    /// Something could not be taken down: an operator has to look, then retry.
    #[serde(rename = "operation.stuck")]
    Stuck { error: Failure },
}

impl Event for OperationEvent {}
