//! Containers that are made from others.

use actix_web::post;
use domain::ContainerId;

use super::asked::{Accepted, Asked};
use super::id::{Id, Name};
use crate::body::Body;
use crate::copying::{self, CopyContainer, From};
use crate::problem::Problem;
use crate::shape::operation::Created;

/// Clone a container
///
/// A new container with its own id, VMID, name and address, and all that is in the original. One that runs is cloned from
/// a snapshot, which is deleted again.
#[utoipa::path(
    tag = "containers",
    params(
        ("id" = Uuid, Path, description = "The id of the original"),
        Asked,
    ),
    request_body = CopyContainer,
    responses(
        Accepted<Created>,
        (status = 409, description = "The host name is in use, or there is nothing to clone", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/containers/{id}/clone")]
pub(super) async fn clone(
    asked: Asked,
    id: Id<ContainerId>,
    body: Body<CopyContainer>,
) -> Result<Accepted<Created>, Problem> {
    let (taken, more) = copying::container(&asked.app, &asked.asking, id.0, From::Clone, body).await?;
    asked.answer(taken, more).await
}

/// Restore a backup to a new container
///
/// With its own id, VMID, name and address; the original stays as it is, or is gone for long.
#[utoipa::path(
    tag = "backups",
    params(
        ("id" = Uuid, Path, description = "The id of the container that was backed up"),
        ("name" = String, Path, description = "The backup's name", example = "vzdump-lxc-100-2026_01_31-02_30_00.tar.zst"),
        Asked,
    ),
    request_body = CopyContainer,
    responses(
        Accepted<Created>,
        (status = 409, description = "The host name is in use", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/containers/{id}/backups/{name}/containers")]
pub(super) async fn restore_to_new(
    asked: Asked,
    id: Id<ContainerId>,
    name: Name,
    body: Body<CopyContainer>,
) -> Result<Accepted<Created>, Problem> {
    let (taken, more) = copying::container(&asked.app, &asked.asking, id.0, From::Backup(name.0), body).await?;
    asked.answer(taken, more).await
}
