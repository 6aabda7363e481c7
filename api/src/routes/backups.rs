//! A container's backups.

use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, delete, get, post};
use domain::ContainerId;
use domain::copy::{BackupMode, check_text};
use domain::operation::Command;
use platform::views::{self, ContainerRow};
use serde::Deserialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::id::{Id, Name};
use crate::accept::{self, unread};
use crate::act::{self, For};
use crate::app::App;
use crate::asking::Asking;
use crate::body::Body;
use crate::copies;
use crate::paging::{List, Search};
use crate::prefer::Wait;
use crate::problem::{FieldProblem, Kind, Problem};
use crate::shape::copy::BackupView;
use crate::shape::operation::OperationView;

/// A container's backups
///
/// As the storages have them right now, those made outside of Gantry too. They outlive the container.
#[utoipa::path(
    tag = "backups",
    params(("id" = Uuid, Path, description = "The container's id")),
    responses(
        (status = 200, body = List<BackupView>),
        (status = 404, description = "There is no such container", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The host does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
#[get("/v1/containers/{id}/backups")]
pub(super) async fn list(app: Data<App>, id: Id<ContainerId>) -> Result<Json<List<BackupView>>, Problem> {
    let row: Option<ContainerRow> = views::get(app.log.db(), id.0).await.map_err(unread)?;
    row.ok_or_else(|| Problem::new(Kind::NotFound))?;
    let found = app.copies.backups(id.0).await.map_err(|error| copies::unseen(&error))?;
    Ok(Json(List { items: found.into_iter().map(BackupView::from).collect(), next: None }))
}

/// How it is to be backed up.
#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "notes": "before the upgrade" }))]
pub(super) struct BackUp {
    /// Left out: the node's one with the most room.
    #[schema(example = "local")]
    storage: Option<String>,
    /// `snapshot` (it runs on), `suspend` (it is held for a short while) or `stop`; `snapshot` when left out.
    #[schema(value_type = Option<String>, example = "snapshot")]
    mode: Option<BackupMode>,
    /// One line.
    #[schema(max_length = 900)]
    notes: Option<String>,
    /// Nobody, and no retention, deletes it before the protection is taken away on Proxmox.
    #[serde(default)]
    protected: bool,
}

impl BackUp {
    fn faults(&self) -> Vec<FieldProblem> {
        let storage = self.storage.as_deref().and_then(domain::copy::check_storage);
        let notes = self.notes.as_deref().and_then(|text| check_text("notes", text));
        storage.into_iter().chain(notes).map(FieldProblem::from).collect()
    }
}

/// Back a container up now
#[utoipa::path(
    tag = "backups",
    params(
        ("id" = Uuid, Path, description = "The container's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key with the same body gets the same answer, for a day"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: answer after N seconds, or as soon as it has ended"),
    ),
    request_body = BackUp,
    responses(
        (status = 202, description = "Accepted", body = OperationView, headers(("Location" = String, description = "The operation"))),
        (status = 200, description = "It has ended while you waited", body = OperationView),
        (status = 404, description = "There is no such container", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "An operation is at work on it, or it is not in a state for this", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Some fields are not allowed, or the key was used for something else", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/containers/{id}/backups")]
pub(super) async fn create(
    app: Data<App>,
    asking: Asking,
    wait: Wait,
    id: Id<ContainerId>,
    body: Body<BackUp>,
) -> Result<HttpResponse, Problem> {
    let faults = body.read().faults();
    let BackUp { storage, mode, notes, protected } = body.fit(faults)?;
    let mode = mode.unwrap_or_default();
    let command = Command::BackUp { container: id.0, storage, mode, notes, protected, schedule: None };
    let taken = act::on(&app, &asking, id.0, For::Ready, command).await?;
    accept::answer(&app, taken, wait, Value::Null).await
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Restoring {
    /// Whether it runs afterwards; left out: as before.
    start: Option<bool>,
}

/// Restore a container from a backup
///
/// Over the container as it is: what it held since the backup is lost, and so are its snapshots. It is stopped for it, and
/// started again if it ran.
#[utoipa::path(
    tag = "backups",
    params(
        ("id" = Uuid, Path, description = "The container's id"),
        ("name" = String, Path, description = "The backup's name", example = "vzdump-lxc-100-2026_01_31-02_30_00.tar.zst"),
        Restoring,
        ("Idempotency-Key" = Option<String>, Header, description = "The same key gets the same answer, for a day"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: answer after N seconds, or as soon as it has ended"),
    ),
    responses(
        (status = 202, description = "Accepted", body = OperationView, headers(("Location" = String, description = "The operation"))),
        (status = 200, description = "It has ended while you waited", body = OperationView),
        (status = 404, description = "There is no such container", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "An operation is at work on it, or it is not in a state for this", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/containers/{id}/backups/{name}/restore")]
pub(super) async fn restore(
    app: Data<App>,
    asking: Asking,
    wait: Wait,
    id: Id<ContainerId>,
    name: Name,
    query: Search<Restoring>,
) -> Result<HttpResponse, Problem> {
    let command = Command::RestoreBackup { container: id.0, backup: name.0, start: query.0.start };
    let taken = act::on(&app, &asking, id.0, For::Ready, command).await?;
    accept::answer(&app, taken, wait, Value::Null).await
}

/// Delete a backup
#[utoipa::path(
    tag = "backups",
    params(
        ("id" = Uuid, Path, description = "The container's id"),
        ("name" = String, Path, description = "The backup's name", example = "vzdump-lxc-100-2026_01_31-02_30_00.tar.zst"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key gets the same answer, for a day"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: answer after N seconds, or as soon as it has ended"),
    ),
    responses(
        (status = 202, description = "Accepted", body = OperationView, headers(("Location" = String, description = "The operation"))),
        (status = 200, description = "It has ended while you waited", body = OperationView),
        (status = 404, description = "There is no such container", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "An operation is at work on it", body = Problem, content_type = "application/problem+json"),
    )
)]
#[delete("/v1/containers/{id}/backups/{name}")]
pub(super) async fn delete(
    app: Data<App>,
    asking: Asking,
    wait: Wait,
    id: Id<ContainerId>,
    name: Name,
) -> Result<HttpResponse, Problem> {
    let command = Command::DeleteBackup { container: id.0, backup: name.0 };
    let taken = act::on(&app, &asking, id.0, For::Known, command).await?;
    accept::answer(&app, taken, wait, Value::Null).await
}
