//! Operations: how they go, and what may be asked of them.

use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, get, post};
use domain::operation::OperationCommand;
use domain::pipeline::PipelineName;
use domain::{ContainerId, HostId, OperationId};
use platform::views::{self, OperationFilter, OperationRow};
use serde::Deserialize;
use utoipa::IntoParams;

use super::id::Id;
use crate::accept;
use crate::access::Caller;
use crate::app::App;
use crate::ask;
use crate::asking::Asking;
use crate::paging::{self, List, Paging, Search, words};
use crate::problem::Problem;
use crate::shape::operation::OperationView;
use crate::shape::operation_row::OperationItem;
use crate::tag::Tagged;
use crate::unread::unread;
use crate::waiting::{self, Waiter};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Operations {
    /// How many at most, 1 to 500; 50 when left out.
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// By which field; `-` before it: the other way round. The newest come first when it is left out.
    #[param(schema_with = paging::sorts::<OperationRow>)]
    sort: Option<String>,
    #[param(value_type = Option<Uuid>)]
    container: Option<ContainerId>,
    #[param(value_type = Option<Uuid>)]
    host: Option<HostId>,
    /// `create`, `delete`, `resize`, `change`, `root_password`, `suspend`, `resume`, `start`, `stop`, `shutdown` or `reboot`.
    #[param(value_type = Option<String>)]
    kind: Option<PipelineName>,
    /// Any of `queued`, `running`, `succeeded`, `failed`, `cancelled`, `stuck`, with commas between.
    status: Option<String>,
}

/// Operations
#[utoipa::path(tag = "operations", params(Operations), responses((status = 200, body = List<OperationItem>)))]
#[get("/v1/operations")]
pub(super) async fn list(
    app: Data<App>,
    caller: Caller,
    query: Search<Operations>,
) -> Result<Json<List<OperationItem>>, Problem> {
    let Search(query) = query;
    let page = Paging { limit: query.limit, cursor: query.cursor, sort: query.sort }.page::<OperationRow>()?;
    let filter = OperationFilter {
        account: caller.account,
        target: query.container,
        host: query.host,
        pipeline: query.kind,
        status: words("status", query.status.as_deref())?.unwrap_or_default(),
        ..OperationFilter::default()
    };
    let found = views::page::<OperationRow>(app.log.db(), &filter, &page).await.map_err(unread)?;
    let mut items = Vec::with_capacity(found.items.len());
    for row in found.items {
        let (id, status, reason) = (row.id, row.status, row.waiting.clone());
        let (until, updated_at) = (row.waiting_until, row.updated_at);
        let waiter = Waiter { id, status, reason: reason.as_ref(), until, updated_at };
        let mut item = OperationItem::from(row);
        waiting::fill(&app, &waiter, &mut item.waiting).await;
        item.stalled = waiting::silence(&app, &waiter).await;
        items.push(item);
    }
    Ok(Json(List { items, next: found.next.map(|cursor| cursor.to_string()) }))
}

/// An operation
///
/// With its steps: when each began and ended, how often it was tried, and what went wrong.
#[utoipa::path(
    tag = "operations",
    params(Id<OperationId>),
    responses(
        (status = 200, body = OperationView),
    )
)]
#[get("/v1/operations/{id}")]
pub(super) async fn detail(app: Data<App>, id: Id<OperationId>) -> Result<Tagged<OperationView>, Problem> {
    let mut view = accept::operation(&app, id.0).await?;
    let (reason, until) = (view.reason.clone(), view.waiting.as_ref().and_then(|waiting| waiting.until));
    let (status, updated_at) = (view.status.into(), view.updated_at);
    let waiter = Waiter { id: id.0, status, reason: reason.as_ref(), until, updated_at };
    waiting::fill(&app, &waiter, &mut view.waiting).await;
    waiting::in_line(&app, &waiter, view.created_at, &mut view.waiting).await;
    view.stalled = waiting::silence(&app, &waiter).await;
    let all = serde_json::to_value(&view).map_err(Problem::internal)?;
    Ok(Tagged::new(view.version(), view).beside(&all))
}

/// Cancel an operation
///
/// What runs is stopped, and what was built is taken down again. Asked twice is as good as once.
#[utoipa::path(
    tag = "operations",
    params(Id<OperationId>),
    responses(
        (status = 202, description = "It is being cancelled", body = OperationView),
        (status = 409, description = "It has ended, or there is no way back any more", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/operations/{id}/cancel")]
pub(super) async fn cancel(app: Data<App>, asking: Asking, id: Id<OperationId>) -> Result<HttpResponse, Problem> {
    ask::of_operation(&app, &asking, id.0, OperationCommand::Cancel).await
}

/// Retry a failed operation
///
/// From the phase that failed, with the same ids.
#[utoipa::path(
    tag = "operations",
    params(Id<OperationId>),
    responses(
        (status = 202, description = "It is tried again", body = OperationView),
        (status = 409, description = "It has not failed, or another is at work on the container", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/operations/{id}/retry")]
pub(super) async fn retry(app: Data<App>, asking: Asking, id: Id<OperationId>) -> Result<HttpResponse, Problem> {
    ask::of_operation(&app, &asking, id.0, OperationCommand::Retry).await
}
