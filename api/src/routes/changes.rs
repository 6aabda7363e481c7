//! Making a container different: its size, its name and what it is known by, root's password.

use actix_web::{patch, post, put};
use domain::ContainerId;
use domain::operation::Command;
use serde_json::Value;

use super::asked::{Accepted, Asked};
use super::containers::Creating;
use super::id::Id;
use crate::body::Body;
use crate::change as changing;
use crate::paging::Search;
use crate::preview;
use crate::problem::Problem;
use crate::shape::operation::{Created, OperationView};
use crate::shape::plan::Plan;
use crate::wish::{ChangeContainer, Resize, RootPassword};

/// Resize a container
///
/// Cores, memory and swap at once, while it runs; disks only grow. When a part of it fails, the rest is put back.
#[utoipa::path(
    tag = "actions",
    params(Id<ContainerId>, Creating, Asked),
    request_body = Resize,
    responses(
        Accepted,
        (status = 200, description = "It has ended while you waited; with `dry_run` the plan", content((OperationView), (Plan))),
        (status = 409, description = "Another operation is at work on it, it is not in a state for this, or the account may not have more", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/containers/{id}/actions/resize")]
pub(super) async fn resize(
    asked: Asked,
    id: Id<ContainerId>,
    query: Search<Creating>,
    body: Body<Resize>,
) -> Result<Accepted, Problem> {
    let container = id.0;
    if query.0.dry_run {
        return Ok(Accepted::shown(&preview::of_resize(&asked.app, container, body).await?));
    }
    let command = |wanted| Command::ResizeContainer { container, change: wanted };
    let taken = changing::of(&asked.app, &asked.asking, container, body, command).await?;
    asked.answer(taken, Value::Null).await
}

/// Change a container
///
/// Its name, tags, description, and whether it starts with its node: all in one, or nothing.
#[utoipa::path(
    tag = "actions",
    params(Id<ContainerId>, Asked),
    request_body = ChangeContainer,
    responses(
        Accepted,
        (status = 409, description = "The name is in use, another operation is at work on it, or it is not in a state for this", body = Problem, content_type = "application/problem+json"),
    )
)]
#[patch("/v1/containers/{id}")]
pub(super) async fn change(
    asked: Asked,
    id: Id<ContainerId>,
    body: Body<ChangeContainer>,
) -> Result<Accepted, Problem> {
    let container = id.0;
    let command = |wanted| Command::ChangeContainer { container, change: wanted };
    let taken = changing::of(&asked.app, &asked.asking, container, body, command).await?;
    asked.answer(taken, Value::Null).await
}

/// Set root's password
///
/// In a container that runs. It is sealed at once, and stands in no log, event, job or process list.
#[utoipa::path(tag = "actions", params(Id<ContainerId>, Asked), request_body = RootPassword, responses(Accepted<Created>))]
#[put("/v1/containers/{id}/root-password")]
pub(super) async fn root_password(
    asked: Asked,
    id: Id<ContainerId>,
    body: Body<RootPassword>,
) -> Result<Accepted<Created>, Problem> {
    let container = id.0;
    let (taken, password) = changing::root_password(&asked.app, &asked.asking, container, body).await?;
    asked.answer(taken, password).await
}
