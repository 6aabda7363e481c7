//! Containers: asking for one, looking at them.

use std::sync::Arc;

use actix_web::web::{Data, Json};
use actix_web::{get, post};
use domain::container::{Lifecycle, TemplateVersion};
use domain::{ContainerId, HostId};
use platform::catalogue::Listed;
use platform::views::{self, ContainerFilter, ContainerRow, DriftRow};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use super::asked::{Accepted, Asked};
use super::id::Id;
use crate::access::Caller;
use crate::app::App;
use crate::body::Body;
use crate::create as creating;
use crate::paging::{self, List, Paging, Search, words};
use crate::preview;
use crate::problem::{Kind, Problem};
use crate::shape::container::ContainerView;
use crate::shape::drift::DriftView;
use crate::shape::operation::Created;
use crate::shape::plan::Plan;
use crate::tag::Tagged;
use crate::unread::unread;
use crate::wish::CreateContainer;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Creating {
    /// Only say what would happen: nothing is written, nothing is kept for it.
    #[serde(default)]
    pub(super) dry_run: bool,
}

/// Ask for a container
///
/// Accepted at once; the operation in the answer tells how it goes. All that is wrong with the wish is told at once.
#[utoipa::path(
    tag = "containers",
    params(Creating, Asked),
    request_body = CreateContainer,
    responses(
        Accepted<Created>,
        (status = 200, description = "It has ended while you waited; with `dry_run` the plan", content((Created), (Plan))),
        (status = 409, description = "The host name is in use", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/containers")]
pub(super) async fn create(
    asked: Asked,
    query: Search<Creating>,
    body: Body<CreateContainer>,
) -> Result<Accepted<Created>, Problem> {
    if query.0.dry_run {
        return Ok(Accepted::shown(&preview::of_create(&asked.app, &asked.asking, body).await?));
    }
    let (taken, password) = creating::container(&asked.app, &asked.asking, body).await?;
    asked.answer(taken, password).await
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Containers {
    /// How many at most, 1 to 500; 50 when left out.
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// By which field; `-` before it: the other way round. The newest come first when it is left out.
    #[param(schema_with = paging::sorts::<ContainerRow>)]
    sort: Option<String>,
    hostname: Option<String>,
    template: Option<String>,
    /// Only those whose template has changed since (`true`).
    behind: Option<bool>,
    #[param(value_type = Option<Uuid>)]
    host: Option<HostId>,
    node: Option<String>,
    /// Any of `creating`, `ready`, `failed`, `removed`, with commas between; all but the removed when left out.
    lifecycle: Option<String>,
}

/// Containers
///
/// Each with what Proxmox says of it, or said when it last answered.
#[utoipa::path(tag = "containers", params(Containers), responses((status = 200, body = List<ContainerView>)))]
#[get("/v1/containers")]
pub(super) async fn list(
    app: Data<App>,
    caller: Caller,
    query: Search<Containers>,
) -> Result<Json<List<ContainerView>>, Problem> {
    let Search(query) = query;
    let page = Paging { limit: query.limit, cursor: query.cursor, sort: query.sort }.page::<ContainerRow>()?;
    let present = || vec![Lifecycle::Creating, Lifecycle::Ready, Lifecycle::Failed];
    let newest = if query.behind == Some(true) { Some(newest(&app).await?) } else { None };
    let filter = ContainerFilter {
        behind: newest,
        account: caller.account,
        hostname: query.hostname,
        template: query.template,
        host: query.host,
        node: query.node,
        lifecycle: words("lifecycle", query.lifecycle.as_deref())?.unwrap_or_else(present),
        ..ContainerFilter::default()
    };
    let found = views::page::<ContainerRow>(app.log.db(), &filter, &page).await.map_err(unread)?;
    let now = app.log.clock().now();
    let items = found.items.into_iter().map(|row| {
        let live = app.live.of(row.id);
        ContainerView::of(row, live, now)
    });
    Ok(Json(List { items: items.collect(), next: found.next.map(|cursor| cursor.to_string()) }))
}

/// The versions that the templates have now.
async fn newest(app: &App) -> Result<Vec<TemplateVersion>, Problem> {
    let found = app.catalogue.list().await.map_err(Problem::internal)?;
    let one = |found: &Arc<Listed>| {
        let version = found.usable.as_ref()?.version.clone();
        Some(TemplateVersion { name: found.name.clone(), hash: version })
    };
    Ok(found.iter().filter_map(one).collect())
}

/// A container
#[utoipa::path(
    tag = "containers",
    params(Id<ContainerId>),
    responses(
        (status = 200, body = ContainerView),
    )
)]
#[get("/v1/containers/{id}")]
pub(super) async fn detail(app: Data<App>, id: Id<ContainerId>) -> Result<Tagged<ContainerView>, Problem> {
    let row: Option<ContainerRow> = views::get(app.log.db(), id.0).await.map_err(unread)?;
    let row = row.ok_or_else(|| Problem::new(Kind::NotFound))?;
    let drift: Option<DriftRow> = views::get(app.log.db(), id.0).await.map_err(unread)?;
    let version = row.version;
    let mut view = ContainerView::of(row, app.live.of(id.0), app.log.clock().now());
    view.drift = drift.map(|drift| DriftView::of(drift, None));
    // When it was seen is no news; what was seen is.
    let now = &view.live;
    let seen = json!([now.power, view.node, now.cpu, now.memory_bytes, now.disk_bytes, now.lock, view.drift]);
    Ok(Tagged::new(version, view).beside(&seen))
}
