//! Making a container different: its size, its name and what it is known by, root's password.

use actix_web::web::Data;
use actix_web::{HttpResponse, patch, post, put};
use domain::ContainerId;
use domain::operation::Command;
use serde_json::Value;

use super::id::Id;
use crate::app::App;
use crate::asking::Asking;
use crate::body::Body;
use crate::prefer::Wait;
use crate::problem::Problem;
use crate::shape::operation::{Created, OperationView};
use crate::wish::{ChangeContainer, Resize, RootPassword};
use crate::{accept, change as changing};

/// Resize a container
///
/// Cores, memory and swap at once, while it runs; disks only grow. When a part of it fails, the rest is put back.
#[utoipa::path(
    tag = "actions",
    params(
        ("id" = Uuid, Path, description = "The container's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key with the same body gets the same answer, for a day"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: answer after N seconds, or as soon as it has ended"),
    ),
    request_body = Resize,
    responses(
        (status = 202, description = "Accepted", body = OperationView, headers(("Location" = String, description = "The operation"))),
        (status = 200, description = "It has ended while you waited", body = OperationView),
        (status = 404, description = "There is no such container", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Another operation is at work on it, it is not in a state for this, or the account may not have more", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Some fields are not allowed, or the key was used for something else", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/containers/{id}/actions/resize")]
pub(super) async fn resize(
    app: Data<App>,
    asking: Asking,
    wait: Wait,
    id: Id<ContainerId>,
    body: Body<Resize>,
) -> Result<HttpResponse, Problem> {
    let container = id.0;
    let command = |wanted| Command::ResizeContainer { container, change: wanted };
    let taken = changing::of(&app, &asking, container, body, command).await?;
    accept::answer(&app, taken, wait, Value::Null).await
}

/// Change a container
///
/// Its name, tags, description, and whether it starts with its node: all in one, or nothing.
#[utoipa::path(
    tag = "actions",
    params(
        ("id" = Uuid, Path, description = "The container's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key with the same body gets the same answer, for a day"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: answer after N seconds, or as soon as it has ended"),
    ),
    request_body = ChangeContainer,
    responses(
        (status = 202, description = "Accepted", body = OperationView, headers(("Location" = String, description = "The operation"))),
        (status = 200, description = "It has ended while you waited", body = OperationView),
        (status = 404, description = "There is no such container", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The name is in use, another operation is at work on it, or it is not in a state for this", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Some fields are not allowed, or the key was used for something else", body = Problem, content_type = "application/problem+json"),
    )
)]
#[patch("/v1/containers/{id}")]
pub(super) async fn change(
    app: Data<App>,
    asking: Asking,
    wait: Wait,
    id: Id<ContainerId>,
    body: Body<ChangeContainer>,
) -> Result<HttpResponse, Problem> {
    let container = id.0;
    let command = |wanted| Command::ChangeContainer { container, change: wanted };
    let taken = changing::of(&app, &asking, container, body, command).await?;
    accept::answer(&app, taken, wait, Value::Null).await
}

/// Set root's password
///
/// In a container that runs. It is sealed at once, and stands in no log, event, job or process list.
#[utoipa::path(
    tag = "actions",
    params(
        ("id" = Uuid, Path, description = "The container's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key with the same body gets the same answer, for a day"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: answer after N seconds, or as soon as it has ended"),
    ),
    request_body = RootPassword,
    responses(
        (status = 202, description = "Accepted", body = Created, headers(("Location" = String, description = "The operation"))),
        (status = 200, description = "It has ended while you waited", body = Created),
        (status = 404, description = "There is no such container", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Another operation is at work on it, or it is not in a state for this", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Some fields are not allowed, or the key was used for something else", body = Problem, content_type = "application/problem+json"),
    )
)]
#[put("/v1/containers/{id}/root-password")]
pub(super) async fn root_password(
    app: Data<App>,
    asking: Asking,
    wait: Wait,
    id: Id<ContainerId>,
    body: Body<RootPassword>,
) -> Result<HttpResponse, Problem> {
    let container = id.0;
    let (taken, password) = changing::root_password(&app, &asking, container, body).await?;
    accept::answer(&app, taken, wait, password).await
}
