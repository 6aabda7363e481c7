//! A container's snapshots.

use actix_web::web::{Data, Json};
use actix_web::{delete, get, post};
use domain::ContainerId;
use domain::copy::{check_snapshot_name, check_text};
use domain::operation::Command;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::asked::{Accepted, Afterwards, Asked, Planning};
use super::id::{Id, Name};
use crate::act::For;
use crate::app::App;
use crate::body::Body;
use crate::copies;
use crate::paging::{List, Search, wrong};
use crate::problem::{FieldProblem, Kind, Problem};
use crate::shape::copy::SnapshotView;
use crate::shape::operation::OperationView;
use crate::shape::plan::Plan;

/// A container's snapshots
///
/// As Proxmox has them right now, those made outside of Gantry too.
#[utoipa::path(
    tag = "snapshots",
    params(Id<ContainerId>),
    responses(
        (status = 200, body = List<SnapshotView>),
        (status = 409, description = "It has no guest", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The host does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
#[get("/v1/containers/{id}/snapshots")]
pub(super) async fn list(app: Data<App>, id: Id<ContainerId>) -> Result<Json<List<SnapshotView>>, Problem> {
    let guest = copies::guest(&app, id.0).await?;
    let found = app.copies.snapshots(&guest).await.map_err(|error| copies::unseen(&error))?;
    Ok(Json(List { items: found.into_iter().map(SnapshotView::from).collect(), next: None }))
}

/// What is to be kept.
#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "before-upgrade", "description": "all is well" }))]
pub(super) struct TakeSnapshot {
    /// A letter, then letters, digits, `-` and `_`.
    #[schema(value_type = String, example = "before-upgrade", min_length = 2, max_length = 40)]
    name: Option<String>,
    /// One line.
    #[schema(max_length = 900)]
    description: Option<String>,
}

impl TakeSnapshot {
    fn faults(&self) -> Vec<FieldProblem> {
        let name = match &self.name {
            None => Some(wrong("name", "is missing", "choose one, like before-upgrade")),
            Some(name) => check_snapshot_name(name).map(FieldProblem::from),
        };
        let text = self.description.as_deref().and_then(|text| check_text("description", text));
        name.into_iter().chain(text.map(FieldProblem::from)).collect()
    }
}

/// Take a snapshot
///
/// Of the files and the settings, while it runs.
#[utoipa::path(tag = "snapshots", params(Id<ContainerId>, Planning, Asked), request_body = TakeSnapshot, responses(
        Accepted,
        (status = 200, description = "It has ended while you waited; with `dry_run` the plan", content((OperationView), (Plan))),
    ))]
#[post("/v1/containers/{id}/snapshots")]
pub(super) async fn take(
    asked: Asked,
    id: Id<ContainerId>,
    query: Search<Planning>,
    body: Body<TakeSnapshot>,
) -> Result<Accepted, Problem> {
    let faults = body.read().faults();
    let TakeSnapshot { name, description } = body.fit(faults)?;
    let command = Command::TakeSnapshot { container: id.0, name: name.unwrap_or_default(), description };
    asked.copy(id.0, command, query.0).await
}

/// Go back to a snapshot
///
/// What the container held since then is lost. It is stopped for it, and started again if it ran.
#[utoipa::path(tag = "snapshots", params(
        Id<ContainerId>,
        ("name" = String, Path, description = "The snapshot's name", example = "before-upgrade"),
        Afterwards,
        Asked,
    ), responses(Accepted))]
#[post("/v1/containers/{id}/snapshots/{name}/rollback")]
pub(super) async fn roll_back(
    asked: Asked,
    id: Id<ContainerId>,
    name: Name,
    query: Search<Afterwards>,
) -> Result<Accepted, Problem> {
    let name = known(name)?;
    let command = Command::RollBack { container: id.0, name, start: query.0.start };
    asked.of(id.0, For::Ready, command).await
}

/// Delete a snapshot
#[utoipa::path(tag = "snapshots", params(
        Id<ContainerId>,
        ("name" = String, Path, description = "The snapshot's name", example = "before-upgrade"),
        Asked,
    ), responses(Accepted))]
#[delete("/v1/containers/{id}/snapshots/{name}")]
pub(super) async fn delete(asked: Asked, id: Id<ContainerId>, name: Name) -> Result<Accepted, Problem> {
    let command = Command::DeleteSnapshot { container: id.0, name: known(name)? };
    asked.of(id.0, For::Ready, command).await
}

/// A name that no snapshot can have names none.
fn known(Name(name): Name) -> Result<String, Problem> {
    match check_snapshot_name(&name) {
        None => Ok(name),
        Some(error) => Err(Problem::new(Kind::NotFound).detail(error.to_string())),
    }
}
