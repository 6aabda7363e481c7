//! An operation as its readers see it.

use chrono::{DateTime, Utc};
use domain::operation::{AfterFailure, End, Operation, OperationEvent, Status, StepState, WaitReason, why};
use domain::pipeline::StepName;
use domain::{Aggregate as _, Meta, OperationId, Recorded};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::operation_steps::{StepView, steps};

/// One accepted command and what became of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OperationView {
    pub id: Uuid,
    /// What is done: `create`, `delete`, `start`, …
    #[schema(example = "create")]
    pub kind: String,
    #[schema(example = "running")]
    pub status: StatusView,
    /// Where it is: `creating`, `starting`, `deploying`, …; absent before it begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "deploying")]
    pub phase: Option<String>,
    /// Never falls.
    #[schema(minimum = 0, maximum = 100, example = 42)]
    pub percent: u8,
    /// Why nothing happens right now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<WaitingView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stalled: Option<StalledView>,
    /// As the log has it.
    #[serde(skip)]
    #[schema(ignore)]
    pub(crate) reason: Option<WaitReason>,
    /// Why it failed, as much as its reader may know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorView>,
    /// What came of it, once it has succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Value>,
    pub cancel_requested: bool,
    /// What may be asked of it now.
    pub may: May,
    /// Who asked for it: `bootstrap`, `user:…`, `key:…`.
    #[schema(example = "bootstrap")]
    pub asked_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Uuid>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    /// In the order in which they run; in lists left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepView>,
    pub links: OperationLinks,
}

/// The operation that makes a container, and what is told only now.
#[derive(Debug, Serialize, ToSchema)]
pub struct Created {
    #[serde(flatten)]
    pub operation: OperationView,
    /// The container's id.
    pub container: Uuid,
    /// When the request had none: the one that was made. Keep it, it is not shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_password: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatusView {
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
    /// Something could not be taken down: an operator has to look, then retry.
    Stuck,
}

#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct WaitingView {
    /// `queue`, `lock`, `slot`, `proxmox_lock`, `task`, `host_unreachable`, `retry_backoff`, `delay`.
    #[serde(rename = "type")]
    pub kind: String,
    /// In words, for people.
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// Its place in the queue or in line; 1 is next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<u64>,
    /// How many stand in line for the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Who holds it now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holders: Vec<HolderView>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HolderView {
    /// The process and its turn.
    pub who: String,
    #[schema(example = "operation 01990000-0000-7000-8000-0000000000c1")]
    pub what: String,
    pub since: DateTime<Utc>,
    pub age_seconds: f64,
}

/// Nothing is heard of it for longer than anything does that goes well; a worker has been called to it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StalledView {
    pub since: DateTime<Utc>,
    pub message: String,
}

impl WaitingView {
    pub(super) fn of(reason: &WaitReason, until: Option<DateTime<Utc>>, since: Option<DateTime<Utc>>) -> Self {
        let place = match reason {
            WaitReason::Slot { place, .. } => Some(u64::from(*place)),
            _ => None,
        };
        Self { kind: tag(reason), message: reason.to_string(), until, since, place, ..Self::default() }
    }
}

impl HolderView {
    pub(crate) fn of(held: platform::lock::Held, now: DateTime<Utc>) -> Self {
        let age_seconds = (now - held.since).num_milliseconds().max(0) as f64 / 1e3;
        Self { who: held.holder.who, what: held.holder.what, since: held.since, age_seconds }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ErrorView {
    /// Stable: `storage-full`, `image-missing`.
    #[serde(rename = "type")]
    #[schema(example = "storage-full")]
    pub kind: String,
    pub title: String,
    /// What is wrong here, and what to do about it.
    pub detail: String,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct May {
    pub cancel: bool,
    pub retry: bool,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OperationLinks {
    #[serde(rename = "self")]
    pub own: String,
    pub events: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
}

impl From<Status> for StatusView {
    fn from(status: Status) -> Self {
        match status {
            Status::Queued => Self::Queued,
            Status::Running => Self::Running,
            Status::Succeeded => Self::Succeeded,
            Status::Failed => Self::Failed,
            Status::Cancelled => Self::Cancelled,
            Status::Stuck => Self::Stuck,
        }
    }
}

impl From<&domain::operation::Failure> for ErrorView {
    fn from(failure: &domain::operation::Failure) -> Self {
        Self { kind: failure.slug.clone(), title: failure.title.clone(), detail: failure.detail.clone() }
    }
}

impl OperationView {
    /// From its whole history. None when there is no such operation.
    #[must_use]
    pub fn of(id: OperationId, history: &[Recorded]) -> Option<Self> {
        let events: Vec<(OperationEvent, DateTime<Utc>)> = history
            .iter()
            .map(|recorded| Some((recorded.event().ok()?, recorded.recorded_at)))
            .collect::<Option<_>>()?;
        Self::after(id, &history.first()?.meta, &events)
    }

    /// From all that happened, the first of it with `meta`.
    #[must_use]
    pub fn after(id: OperationId, meta: &Meta, events: &[(OperationEvent, DateTime<Utc>)]) -> Option<Self> {
        let (created_at, updated_at) = (events.first()?.1, events.last()?.1);
        let operation = Operation::fold(events.iter().map(|(event, _)| event));
        let (accepted, status) = (operation.accepted()?, operation.status()?);
        let steps = steps(accepted.pipeline.table(), &operation, events);
        let error = match operation.end() {
            Some(End::Failed(failure) | End::Stuck(failure)) => Some(failure),
            _ => operation.failing(),
        };
        let summary = match operation.end() {
            Some(End::Succeeded { summary }) => Some(summary.clone()),
            _ => None,
        };
        let waits = why(&operation, events.iter().map(|(event, at)| (event, *at)));
        Some(Self {
            id: id.uuid(),
            kind: word(&accepted.pipeline),
            status: status.into(),
            phase: phase(&operation, events),
            percent: percent(operation.percent()),
            waiting: waits.as_ref().map(|why| WaitingView::of(&why.reason, why.until, why.since)),
            stalled: None,
            reason: waits.map(|why| why.reason),
            error: error.map(ErrorView::from),
            summary,
            cancel_requested: operation.cancel_requested(),
            may: May { cancel: operation.may_cancel(), retry: operation.may_retry() },
            asked_by: meta.actor.to_string(),
            request_id: meta.request.map(domain::RequestId::uuid),
            created_at,
            updated_at,
            ended_at: operation.has_ended().then_some(updated_at),
            steps,
            links: links(id, accepted.target),
        })
    }

    /// Rises with all that happens to it.
    #[must_use]
    pub fn version(&self) -> i64 {
        self.updated_at.timestamp_micros()
    }

    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.ended_at.is_some()
    }
}

pub(super) fn links(id: OperationId, container: Option<domain::ContainerId>) -> OperationLinks {
    OperationLinks {
        own: format!("/v1/operations/{id}"),
        events: format!("/v1/operations/{id}/events"),
        container: container.map(|id| format!("/v1/containers/{id}")),
    }
}

fn phase(operation: &Operation, events: &[(OperationEvent, DateTime<Utc>)]) -> Option<String> {
    let begun: StepName = events.iter().rev().find_map(|(event, _)| match event {
        OperationEvent::StepStarted { step, .. } | OperationEvent::UndoStarted { step, .. } => Some(*step),
        _ => None,
    })?;
    Some(operation.pipeline()?.phase_of(begun)?.name.to_owned())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
pub(super) fn percent(percent: f64) -> u8 {
    percent as u8
}

/// A unit variant's name as it is in JSON.
pub(super) fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The name of a tagged variant.
pub(super) fn tag(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.get("type").and_then(Value::as_str).unwrap_or_default().to_owned()
}

pub(super) fn is_retried(after: Option<AfterFailure>, state: StepState) -> bool {
    matches!(state, StepState::Failed | StepState::UndoFailed) && matches!(after, Some(AfterFailure::Retry { .. }))
}
