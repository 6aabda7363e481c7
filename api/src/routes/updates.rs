//! A container's template: running it through again, going on to another version, and what is other there.

use std::collections::BTreeMap;

use actix_web::web::{Data, Json, Path};
use actix_web::{get, post};
use domain::ContainerId;
use domain::container::Lifecycle;
use domain::operation::Command;
use domain::template::difference;
use platform::views::{self, ContainerFilter, ContainerRow, MOST, Order, Page};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use super::asked::{Accepted, Asked};
use super::id::Id;
use crate::access::Caller;
use crate::act::For;
use crate::app::App;
use crate::body::Body;
use crate::paging::{List, Search};
use crate::problem::{Kind, Problem};
use crate::shape::operation::OperationView;
use crate::shape::plan::Plan;
use crate::shape::version::{DifferenceView, TemplateOfContainer, VersionView};
use crate::unread::unread;
use crate::updating::{self, UpdateContainer};

/// Apply a container's template again
///
/// The version that it has: its files by their policies, its packages, its scripts; then its ports and its health are
/// looked at. A template that is written well changes nothing the second time.
#[utoipa::path(tag = "actions", params(Id<ContainerId>, Asked), responses(Accepted))]
#[post("/v1/containers/{id}/actions/apply")]
pub(super) async fn apply(asked: Asked, id: Id<ContainerId>) -> Result<Accepted, Problem> {
    updating::version_of(&asked.app, id.0).await?;
    asked.of(id.0, For::Ready, Command::ApplyTemplate { container: id.0 }).await
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Updating {
    /// Only say what would happen to each file: nothing is changed.
    #[serde(default)]
    dry_run: bool,
}

/// Update a container to another version of its template
///
/// A snapshot is taken; the files that the template changed, its packages and its scripts are applied; its ports and its
/// health are looked at. When anything fails, the container goes back to the snapshot. A file that was changed both in
/// the container and in the template is not overwritten: the operation fails with `update-conflicts` before anything is
/// changed, and `dry_run` tells which those are; say in `take` what stays.
#[utoipa::path(
    tag = "actions",
    params(Id<ContainerId>, Updating, Asked),
    request_body = UpdateContainer,
    responses(
        Accepted,
        (status = 200, description = "It has ended while you waited; with `dry_run` the plan", content((OperationView), (Plan))),
    )
)]
#[post("/v1/containers/{id}/update")]
pub(super) async fn update(
    asked: Asked,
    id: Id<ContainerId>,
    query: Search<Updating>,
    body: Body<UpdateContainer>,
) -> Result<Accepted, Problem> {
    if query.0.dry_run {
        return Ok(Accepted::shown(&updating::plan(&asked.app, id.0, body).await?));
    }
    let taken = updating::update(&asked.app, &asked.asking, id.0, body).await?;
    asked.answer(taken, Value::Null).await
}

/// A container's template
///
/// Which version it has, what is other in the newest one, and every version that it had.
#[utoipa::path(
    tag = "containers",
    params(Id<ContainerId>),
    responses(
        (status = 200, body = TemplateOfContainer),
        (status = 409, description = "It is made from a bare image", body = Problem, content_type = "application/problem+json"),
    )
)]
#[get("/v1/containers/{id}/template")]
pub(super) async fn template_of(app: Data<App>, id: Id<ContainerId>) -> Result<Json<TemplateOfContainer>, Problem> {
    let (has, found) = updating::with_newest(&app, id.0).await?;
    let newest = found.as_ref().and_then(|found| found.version.as_ref()).map(|version| version.hash.clone());
    let behind = newest.as_ref().is_some_and(|newest| *newest != has.hash);
    let differences = match found.as_ref().and_then(|found| found.template.as_ref()).filter(|_| behind) {
        Some(template) => difference(&updating::kept(&app, &has.hash).await?, template),
        None => Vec::new(),
    };
    Ok(Json(TemplateOfContainer {
        template: has.name,
        version: has.hash,
        newest,
        behind,
        differences: differences.into_iter().map(DifferenceView::from).collect(),
        history: updating::history(&app, id.0).await?,
    }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Between {
    /// The hash of one version.
    from: String,
    /// The hash of the other; the newest when left out.
    to: Option<String>,
}

/// What is other between two versions of a template
#[utoipa::path(
    tag = "templates",
    params(("name" = String, Path, description = "The template's name", example = "nginx"), Between),
    responses(
        (status = 200, body = List<DifferenceView>),
        (status = 404, description = "There is no such template, or no such version of it", body = Problem, content_type = "application/problem+json"),
    )
)]
#[get("/v1/templates/{name}/difference")]
pub(super) async fn compare(
    app: Data<App>,
    name: Path<String>,
    query: Search<Between>,
) -> Result<Json<List<DifferenceView>>, Problem> {
    let of = |template: domain::template::Template| {
        if template.name == *name { Ok(template) } else { Err(Problem::new(Kind::NotFound)) }
    };
    let from = of(updating::kept(&app, &query.0.from).await?)?;
    let to = match &query.0.to {
        Some(hash) => of(updating::kept(&app, hash).await?)?,
        None => {
            let found = app.catalogue.find(&name).await.map_err(Problem::internal)?;
            let template = found.and_then(|found| found.template.clone());
            (*template.ok_or_else(|| Problem::new(Kind::NotFound))?).clone()
        }
    };
    let items = difference(&from, &to).into_iter().map(DifferenceView::from).collect();
    Ok(Json(List { items, next: None }))
}

/// The versions of a template
///
/// Those that your containers have, and the newest.
#[utoipa::path(
    tag = "templates",
    params(("name" = String, Path, description = "The template's name", example = "nginx")),
    responses((status = 200, body = List<VersionView>))
)]
#[get("/v1/templates/{name}/versions")]
pub(super) async fn versions(
    app: Data<App>,
    caller: Caller,
    name: Path<String>,
) -> Result<Json<List<VersionView>>, Problem> {
    let found = app.catalogue.find(&name).await.map_err(Problem::internal)?;
    let newest = found.and_then(|found| found.version.clone()).map(|version| version.hash);
    let mut counts: BTreeMap<String, u64> = newest.iter().map(|hash| (hash.clone(), 0)).collect();
    let filter = ContainerFilter {
        account: caller.account,
        template: Some(name.into_inner()),
        lifecycle: vec![Lifecycle::Creating, Lifecycle::Ready, Lifecycle::Failed],
        ..ContainerFilter::default()
    };
    let mut after = None;
    loop {
        let page = Page { limit: MOST, after, order: Order::Oldest };
        let rows = views::page::<ContainerRow>(app.log.db(), &filter, &page).await.map_err(unread)?;
        for version in rows.items.into_iter().filter_map(|row| row.template) {
            *counts.entry(version.hash).or_default() += 1;
        }
        after = rows.next;
        if after.is_none() {
            break;
        }
    }
    let one = |(version, containers)| VersionView { newest: newest.as_ref() == Some(&version), version, containers };
    let mut items: Vec<VersionView> = counts.into_iter().map(one).collect();
    items.sort_by_key(|version| !version.newest);
    Ok(Json(List { items, next: None }))
}
