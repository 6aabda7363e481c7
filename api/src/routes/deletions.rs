//! Taking a container down, now or later.

use actix_web::web::{Data, Json};
use actix_web::{delete, post};
use domain::ContainerId;
use domain::container::deletion;
use domain::operation::Command;
use serde::Deserialize;
use utoipa::IntoParams;

use super::asked::{Accepted, Asked};
use super::id::Id;
use crate::act::For;
use crate::act::invalid;
use crate::app::App;
use crate::asking::Asking;
use crate::deleting;
use crate::paging::Search;
use crate::preview;
use crate::problem::Problem;
use crate::shape::container::ContainerView;
use crate::shape::operation::OperationView;
use crate::shape::plan::Plan;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Deleting {
    /// Take it out of Proxmox's backup and replication jobs too.
    #[serde(default)]
    purge: bool,
    /// Also the disks with its number that its settings do not name; yes when left out.
    #[param(default = true)]
    destroy_unreferenced_disks: Option<bool>,
    /// Not now, but after that time: a number and one of `s`, `m`, `h`, `d`; at most 366 days. Until then it works as
    /// before, and `undelete` takes it back.
    #[param(example = "24h")]
    delay: Option<String>,
    /// Only say what would happen: nothing is written.
    #[serde(default)]
    dry_run: bool,
}

/// Delete a container
///
/// It is stopped first. One that is gone from Proxmox already counts as deleted. With `delay` the answer is the container
/// with the time at which it will be deleted; asking again puts another in its place.
#[utoipa::path(
    tag = "containers",
    params(Id<ContainerId>, Deleting, Asked),
    responses(
        Accepted,
        (status = 200, description = "It has ended while you waited; with `delay` the container, with `dry_run` the plan", content((OperationView), (ContainerView), (Plan))),
    )
)]
#[delete("/v1/containers/{id}")]
pub(super) async fn delete(asked: Asked, id: Id<ContainerId>, query: Search<Deleting>) -> Result<Accepted, Problem> {
    let Deleting { purge, destroy_unreferenced_disks, delay, dry_run } = query.0;
    let keep_unreferenced = destroy_unreferenced_disks == Some(false);
    let delay = delay.as_deref().map(deletion::delay).transpose().map_err(|error| invalid(vec![error]))?;
    if dry_run {
        let plan = preview::of_delete(&asked.app, id.0, (purge, keep_unreferenced), delay).await?;
        return Ok(Accepted::shown(&plan));
    }
    if let Some(delay) = delay {
        let how = (purge, keep_unreferenced);
        return Ok(Accepted::shown(&deleting::later(&asked.app, &asked.asking, id.0, delay, how).await?));
    }
    let command = Command::DeleteContainer { container: id.0, purge, keep_unreferenced };
    asked.of(id.0, For::Present, command).await
}

/// Take back that a container is to be deleted
///
/// As long as its delete has not begun; from then on it is an operation, which may be cancelled.
#[utoipa::path(
    tag = "containers",
    params(Id<ContainerId>),
    responses(
        (status = 200, description = "It stays", body = ContainerView),
        (status = 409, description = "It is not to be deleted later", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/containers/{id}/undelete")]
pub(super) async fn undelete(
    app: Data<App>,
    asking: Asking,
    id: Id<ContainerId>,
) -> Result<Json<ContainerView>, Problem> {
    deleting::not_at_all(&app, &asking, id.0).await.map(Json)
}
