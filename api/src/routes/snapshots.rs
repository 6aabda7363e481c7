//! A container's snapshots.

use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, delete, get, post};
use domain::ContainerId;
use domain::copy::{check_snapshot_name, check_text};
use domain::operation::Command;
use serde::Deserialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::id::{Id, Name};
use crate::accept;
use crate::act::{self, For};
use crate::app::App;
use crate::asking::Asking;
use crate::body::Body;
use crate::copies;
use crate::paging::{List, Search, wrong};
use crate::prefer::Wait;
use crate::problem::{FieldProblem, Kind, Problem};
use crate::shape::copy::SnapshotView;
use crate::shape::operation::OperationView;

/// A container's snapshots
///
/// As Proxmox has them right now, those made outside of Gantry too.
#[utoipa::path(
    tag = "snapshots",
    params(("id" = Uuid, Path, description = "The container's id")),
    responses(
        (status = 200, body = List<SnapshotView>),
        (status = 404, description = "There is no such container", body = Problem, content_type = "application/problem+json"),
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
    #[schema(example = "before-upgrade", min_length = 2, max_length = 40)]
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
#[utoipa::path(
    tag = "snapshots",
    params(
        ("id" = Uuid, Path, description = "The container's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key with the same body gets the same answer, for a day"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: answer after N seconds, or as soon as it has ended"),
    ),
    request_body = TakeSnapshot,
    responses(
        (status = 202, description = "Accepted", body = OperationView, headers(("Location" = String, description = "The operation"))),
        (status = 200, description = "It has ended while you waited", body = OperationView),
        (status = 404, description = "There is no such container", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "An operation is at work on it, or it has no guest", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Some fields are not allowed, or the key was used for something else", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/containers/{id}/snapshots")]
pub(super) async fn take(
    app: Data<App>,
    asking: Asking,
    wait: Wait,
    id: Id<ContainerId>,
    body: Body<TakeSnapshot>,
) -> Result<HttpResponse, Problem> {
    let faults = body.read().faults();
    let TakeSnapshot { name, description } = body.fit(faults)?;
    let command = Command::TakeSnapshot { container: id.0, name: name.unwrap_or_default(), description };
    let taken = act::on(&app, &asking, id.0, For::Ready, command).await?;
    accept::answer(&app, taken, wait, Value::Null).await
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RollingBack {
    /// Whether it runs afterwards; left out: as before.
    start: Option<bool>,
}

/// Go back to a snapshot
///
/// What the container held since then is lost. It is stopped for it, and started again if it ran.
#[utoipa::path(
    tag = "snapshots",
    params(
        ("id" = Uuid, Path, description = "The container's id"),
        ("name" = String, Path, description = "The snapshot's name", example = "before-upgrade"),
        RollingBack,
        ("Idempotency-Key" = Option<String>, Header, description = "The same key gets the same answer, for a day"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: answer after N seconds, or as soon as it has ended"),
    ),
    responses(
        (status = 202, description = "Accepted", body = OperationView, headers(("Location" = String, description = "The operation"))),
        (status = 200, description = "It has ended while you waited", body = OperationView),
        (status = 404, description = "There is no such container", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "An operation is at work on it, or it has no guest", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/containers/{id}/snapshots/{name}/rollback")]
pub(super) async fn roll_back(
    app: Data<App>,
    asking: Asking,
    wait: Wait,
    id: Id<ContainerId>,
    name: Name,
    query: Search<RollingBack>,
) -> Result<HttpResponse, Problem> {
    let name = known(name)?;
    let command = Command::RollBack { container: id.0, name, start: query.0.start };
    let taken = act::on(&app, &asking, id.0, For::Ready, command).await?;
    accept::answer(&app, taken, wait, Value::Null).await
}

/// Delete a snapshot
#[utoipa::path(
    tag = "snapshots",
    params(
        ("id" = Uuid, Path, description = "The container's id"),
        ("name" = String, Path, description = "The snapshot's name", example = "before-upgrade"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key gets the same answer, for a day"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: answer after N seconds, or as soon as it has ended"),
    ),
    responses(
        (status = 202, description = "Accepted", body = OperationView, headers(("Location" = String, description = "The operation"))),
        (status = 200, description = "It has ended while you waited", body = OperationView),
        (status = 404, description = "There is no such container", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "An operation is at work on it, or it has no guest", body = Problem, content_type = "application/problem+json"),
    )
)]
#[delete("/v1/containers/{id}/snapshots/{name}")]
pub(super) async fn delete(
    app: Data<App>,
    asking: Asking,
    wait: Wait,
    id: Id<ContainerId>,
    name: Name,
) -> Result<HttpResponse, Problem> {
    let command = Command::DeleteSnapshot { container: id.0, name: known(name)? };
    let taken = act::on(&app, &asking, id.0, For::Ready, command).await?;
    accept::answer(&app, taken, wait, Value::Null).await
}

/// A name that no snapshot can have names none.
fn known(Name(name): Name) -> Result<String, Problem> {
    match check_snapshot_name(&name) {
        None => Ok(name),
        Some(error) => Err(Problem::new(Kind::NotFound).detail(error.to_string())),
    }
}
