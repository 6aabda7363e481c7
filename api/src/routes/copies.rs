//! Containers that are made from others.

use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use domain::ContainerId;

use super::id::{Id, Name};
use crate::accept;
use crate::app::App;
use crate::asking::Asking;
use crate::body::Body;
use crate::copying::{self, CopyContainer, From};
use crate::prefer::Wait;
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
        ("Idempotency-Key" = Option<String>, Header, description = "The same key with the same body gets the same answer, for a day"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: answer after N seconds, or as soon as it has ended"),
    ),
    request_body = CopyContainer,
    responses(
        (status = 202, description = "Accepted", body = Created, headers(("Location" = String, description = "The operation"))),
        (status = 200, description = "It has ended while you waited", body = Created),
        (status = 404, description = "There is no such container", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The host name is in use, or there is nothing to clone", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Some fields are not allowed, or the key was used for something else", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/containers/{id}/clone")]
pub(super) async fn clone(
    app: Data<App>,
    asking: Asking,
    wait: Wait,
    id: Id<ContainerId>,
    body: Body<CopyContainer>,
) -> Result<HttpResponse, Problem> {
    let (taken, more) = copying::container(&app, &asking, id.0, From::Clone, body).await?;
    accept::answer(&app, taken, wait, more).await
}

/// Restore a backup to a new container
///
/// With its own id, VMID, name and address; the original stays as it is, or is gone for long.
#[utoipa::path(
    tag = "backups",
    params(
        ("id" = Uuid, Path, description = "The id of the container that was backed up"),
        ("name" = String, Path, description = "The backup's name", example = "vzdump-lxc-100-2026_01_31-02_30_00.tar.zst"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key with the same body gets the same answer, for a day"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: answer after N seconds, or as soon as it has ended"),
    ),
    request_body = CopyContainer,
    responses(
        (status = 202, description = "Accepted", body = Created, headers(("Location" = String, description = "The operation"))),
        (status = 200, description = "It has ended while you waited", body = Created),
        (status = 404, description = "There is no such container", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The host name is in use", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Some fields are not allowed, or the key was used for something else", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/containers/{id}/backups/{name}/containers")]
pub(super) async fn restore_to_new(
    app: Data<App>,
    asking: Asking,
    wait: Wait,
    id: Id<ContainerId>,
    name: Name,
    body: Body<CopyContainer>,
) -> Result<HttpResponse, Problem> {
    let (taken, more) = copying::container(&app, &asking, id.0, From::Backup(name.0), body).await?;
    accept::answer(&app, taken, wait, more).await
}
