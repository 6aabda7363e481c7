//! What is known of a wait only now: the place in the queue, and who holds what is waited for.

use chrono::{DateTime, Utc};
use domain::operation::{WaitReason, stalled};
use domain::{OperationId, operation};
use platform::queue::Place;
use platform::series::records;
use platform::views;

use crate::app::App;
use crate::shape::operation::{HolderView, StalledView, StatusView, WaitingView};

/// What waits, as its shape knows it.
pub(crate) struct Waiter<'a> {
    pub(crate) id: OperationId,
    pub(crate) status: operation::Status,
    pub(crate) reason: Option<&'a WaitReason>,
    pub(crate) until: Option<DateTime<Utc>>,
    pub(crate) updated_at: DateTime<Utc>,
}

/// Adds it to what the log tells. What can't be found out is left out: this is an answer about trouble, not more of it.
pub(crate) async fn fill(app: &App, it: &Waiter<'_>, waiting: &mut Option<WaitingView>) {
    if let Some(key) = it.reason.and_then(WaitReason::line)
        && let Some(view) = waiting
        && let Ok(Some(seen)) = app.coordination.locks().inspect(key).await
    {
        let now = app.log.clock().now();
        view.holders = seen.holders.into_iter().map(|held| HolderView::of(held, now)).collect();
    }
    if waiting.is_some() || it.status != operation::Status::Queued {
        return;
    }
    let (kind, message, place) = match app.queue.place(it.id.uuid()).await {
        Ok(Some(Place::Queued { ahead })) => ("queue", format!("place {} in the queue", ahead + 1), Some(ahead + 1)),
        Ok(Some(Place::Delayed { for_ })) => ("delay", format!("begins in {} s", for_.as_secs()), None),
        Ok(Some(Place::Running)) => return,
        Ok(None) => ("queue", "it is not in the queue; the sweep puts it back soon".to_owned(), None),
        Err(_) => ("queue", "the queue does not answer".to_owned(), None),
    };
    let since = Some(it.updated_at);
    *waiting = Some(WaitingView { kind: kind.to_owned(), message, place, since, ..WaitingView::default() });
}

/// Where in its line it is by now, and how long that is. For one operation: in a list it would be asked for each.
pub(crate) async fn in_line(app: &App, it: &Waiter<'_>, asked: DateTime<Utc>, waiting: &mut Option<WaitingView>) {
    let (Some(key), Some(view)) = (it.reason.and_then(WaitReason::line), waiting) else { return };
    if let Ok(ahead) = views::ahead_in_line(app.log.db(), key, it.id, asked).await {
        view.place = Some(ahead + 1);
    }
    view.line = views::in_line(app.log.db(), key).await.ok();
}

/// Whether it is silent for longer than anything does that goes well.
pub(crate) async fn silence(app: &App, it: &Waiter<'_>) -> Option<StalledView> {
    let now = app.log.clock().now();
    // Asked first of what is at hand; what it said last is read only when it matters.
    stalled(it.status, it.reason, it.until, it.updated_at, now)?;
    let series = records::of_operation(it.id);
    let last = records::last(app.log.db(), &series).await.unwrap_or(0);
    let said = records::read(app.log.db(), &series, last - 1, 1).await.unwrap_or_default();
    let last_sign = said.last().map_or(it.updated_at, |record| record.at.max(it.updated_at));
    let since = stalled(it.status, it.reason, it.until, last_sign, now)?;
    let message =
        format!("nothing is heard of it for {} min, which is longer than expected", (now - since).num_minutes());
    Some(StalledView { since, message })
}

impl From<StatusView> for operation::Status {
    fn from(view: StatusView) -> Self {
        match view {
            StatusView::Queued => Self::Queued,
            StatusView::Running => Self::Running,
            StatusView::Succeeded => Self::Succeeded,
            StatusView::Failed => Self::Failed,
            StatusView::Cancelled => Self::Cancelled,
            StatusView::Stuck => Self::Stuck,
        }
    }
}
