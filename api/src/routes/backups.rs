//! A container's backups.

use actix_web::web::{Data, Json};
use actix_web::{delete, get, post};
use domain::ContainerId;
use domain::copy::{BackupMode, check_text};
use domain::operation::Command;
use platform::views::{self, ContainerRow};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::asked::{Accepted, Afterwards, Asked, Planning};
use super::id::{Id, Name};
use crate::act::For;
use crate::app::App;
use crate::body::Body;
use crate::copies;
use crate::paging::{List, Search};
use crate::problem::{FieldProblem, Kind, Problem};
use crate::shape::copy::BackupView;
use crate::shape::operation::OperationView;
use crate::shape::plan::Plan;
use crate::unread::unread;

/// A container's backups
///
/// As the storages have them right now, those made outside of Gantry too. They outlive the container.
#[utoipa::path(
    tag = "backups",
    params(Id<ContainerId>),
    responses(
        (status = 200, body = List<BackupView>),
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
#[utoipa::path(tag = "backups", params(Id<ContainerId>, Planning, Asked), request_body = BackUp, responses(
        Accepted,
        (status = 200, description = "It has ended while you waited; with `dry_run` the plan", content((OperationView), (Plan))),
    ))]
#[post("/v1/containers/{id}/backups")]
pub(super) async fn create(
    asked: Asked,
    id: Id<ContainerId>,
    query: Search<Planning>,
    body: Body<BackUp>,
) -> Result<Accepted, Problem> {
    let faults = body.read().faults();
    let BackUp { storage, mode, notes, protected } = body.fit(faults)?;
    let mode = mode.unwrap_or_default();
    let command = Command::BackUp { container: id.0, storage, mode, notes, protected, schedule: None };
    asked.copy(id.0, command, query.0).await
}

/// Restore a container from a backup
///
/// Over the container as it is: what it held since the backup is lost, and so are its snapshots. It is stopped for it, and
/// started again if it ran.
#[utoipa::path(tag = "backups", params(
        Id<ContainerId>,
        ("name" = String, Path, description = "The backup's name", example = "vzdump-lxc-100-2026_01_31-02_30_00.tar.zst"),
        Afterwards,
        Asked,
    ), responses(Accepted))]
#[post("/v1/containers/{id}/backups/{name}/restore")]
pub(super) async fn restore(
    asked: Asked,
    id: Id<ContainerId>,
    name: Name,
    query: Search<Afterwards>,
) -> Result<Accepted, Problem> {
    let command = Command::RestoreBackup { container: id.0, backup: name.0, start: query.0.start };
    asked.of(id.0, For::Ready, command).await
}

/// Delete a backup
#[utoipa::path(tag = "backups", params(
        Id<ContainerId>,
        ("name" = String, Path, description = "The backup's name", example = "vzdump-lxc-100-2026_01_31-02_30_00.tar.zst"),
        Asked,
    ), responses(Accepted))]
#[delete("/v1/containers/{id}/backups/{name}")]
pub(super) async fn delete(asked: Asked, id: Id<ContainerId>, name: Name) -> Result<Accepted, Problem> {
    let command = Command::DeleteBackup { container: id.0, backup: name.0 };
    asked.of(id.0, For::Known, command).await
}
