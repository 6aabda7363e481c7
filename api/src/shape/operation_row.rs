//! An operation in a list: the same, without its steps.

use domain::operation::Status;
use platform::views::OperationRow;
use serde::Serialize;
use utoipa::ToSchema;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::operation::{ErrorView, OperationLinks, StalledView, StatusView, WaitingView, links, percent, word};

#[derive(Debug, Serialize, ToSchema)]
pub struct OperationItem {
    pub id: Uuid,
    #[schema(example = "create")]
    pub kind: String,
    pub status: StatusView,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    #[schema(minimum = 0, maximum = 100)]
    pub percent: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<WaitingView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stalled: Option<StalledView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorView>,
    pub cancel_requested: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    pub links: OperationLinks,
}

impl From<OperationRow> for OperationItem {
    fn from(row: OperationRow) -> Self {
        let (until, ended) = (row.waiting_until, !matches!(row.status, Status::Queued | Status::Running));
        Self {
            id: row.id.uuid(),
            kind: word(&row.pipeline),
            status: row.status.into(),
            phase: row.phase,
            percent: percent(row.percent),
            waiting: row.waiting.filter(|_| !ended).map(|reason| WaitingView::of(&reason, until, row.waiting_since)),
            stalled: None,
            error: row.error.as_ref().map(ErrorView::from),
            cancel_requested: row.cancel_requested,
            created_at: row.created_at,
            updated_at: row.updated_at,
            ended_at: row.ended_at,
            links: links(row.id, row.target),
        }
    }
}
