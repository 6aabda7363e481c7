//! What can be done with a container that is there. Each answers with the operation that does it.

use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use domain::ContainerId;
use domain::operation::Command;
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use super::id::Id;
use crate::accept;
use crate::act::{self, For};
use crate::app::App;
use crate::asking::Asking;
use crate::paging::{Search, wrong};
use crate::prefer::Wait;
use crate::problem::{Kind, Problem};
use crate::shape::operation::OperationView;

/// How long a guest may take to shut itself down, when it is not said.
const PATIENCE_SECONDS: u32 = 60;
const LONGEST_SECONDS: u32 = 3600;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Patience {
    /// How long the guest may take to shut itself down, in seconds.
    #[param(minimum = 1, maximum = 3600, default = 60)]
    timeout_seconds: Option<u32>,
}

impl Patience {
    fn seconds(&self) -> Result<u32, Problem> {
        let seconds = self.timeout_seconds.unwrap_or(PATIENCE_SECONDS);
        if (1..=LONGEST_SECONDS).contains(&seconds) {
            return Ok(seconds);
        }
        let field = wrong("timeout_seconds", &format!("{seconds} is out of range"), "choose 1 to 3600");
        Err(Problem::new(Kind::Invalid).fields(vec![field]))
    }
}

async fn ready(
    app: &App,
    asking: &Asking,
    wait: Wait,
    container: ContainerId,
    command: Command,
) -> Result<HttpResponse, Problem> {
    let taken = act::on(app, asking, container, For::Ready, command).await?;
    accept::answer(app, taken, wait, Value::Null).await
}

/// Start a container
///
/// One that runs already counts as started.
#[utoipa::path(
    tag = "actions",
    params(
        ("id" = Uuid, Path, description = "The container's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key gets the same answer, for a day"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: answer after N seconds, or as soon as it has ended"),
    ),
    responses(
        (status = 202, description = "Accepted", body = OperationView, headers(("Location" = String, description = "The operation"))),
        (status = 200, description = "It has ended while you waited", body = OperationView),
        (status = 404, description = "There is no such container", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Another operation is at work on it, or it is not in a state for this", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/containers/{id}/actions/start")]
pub(super) async fn start(
    app: Data<App>,
    asking: Asking,
    wait: Wait,
    id: Id<ContainerId>,
) -> Result<HttpResponse, Problem> {
    ready(&app, &asking, wait, id.0, Command::StartContainer { container: id.0 }).await
}

/// Stop a container at once
///
/// As if its power were cut; `shutdown` lets it end by itself. One that does not run counts as stopped.
#[utoipa::path(
    tag = "actions",
    params(
        ("id" = Uuid, Path, description = "The container's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key gets the same answer, for a day"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: answer after N seconds, or as soon as it has ended"),
    ),
    responses(
        (status = 202, description = "Accepted", body = OperationView, headers(("Location" = String, description = "The operation"))),
        (status = 200, description = "It has ended while you waited", body = OperationView),
        (status = 404, description = "There is no such container", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Another operation is at work on it, or it is not in a state for this", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/containers/{id}/actions/stop")]
pub(super) async fn stop(
    app: Data<App>,
    asking: Asking,
    wait: Wait,
    id: Id<ContainerId>,
) -> Result<HttpResponse, Problem> {
    ready(&app, &asking, wait, id.0, Command::StopContainer { container: id.0 }).await
}

/// Shut a container down
///
/// It ends by itself, or is stopped when it takes longer than it may; the operation's summary tells which.
#[utoipa::path(
    tag = "actions",
    params(
        ("id" = Uuid, Path, description = "The container's id"),
        Patience,
        ("Idempotency-Key" = Option<String>, Header, description = "The same key gets the same answer, for a day"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: answer after N seconds, or as soon as it has ended"),
    ),
    responses(
        (status = 202, description = "Accepted", body = OperationView, headers(("Location" = String, description = "The operation"))),
        (status = 200, description = "It has ended while you waited", body = OperationView),
        (status = 404, description = "There is no such container", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Another operation is at work on it, or it is not in a state for this", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The time is out of range", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/containers/{id}/actions/shutdown")]
pub(super) async fn shutdown(
    app: Data<App>,
    asking: Asking,
    wait: Wait,
    id: Id<ContainerId>,
    query: Search<Patience>,
) -> Result<HttpResponse, Problem> {
    let timeout_seconds = query.0.seconds()?;
    ready(&app, &asking, wait, id.0, Command::ShutdownContainer { container: id.0, timeout_seconds }).await
}

/// Reboot a container
///
/// It shuts itself down, or is stopped when it takes longer than it may, and is started again.
#[utoipa::path(
    tag = "actions",
    params(
        ("id" = Uuid, Path, description = "The container's id"),
        Patience,
        ("Idempotency-Key" = Option<String>, Header, description = "The same key gets the same answer, for a day"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: answer after N seconds, or as soon as it has ended"),
    ),
    responses(
        (status = 202, description = "Accepted", body = OperationView, headers(("Location" = String, description = "The operation"))),
        (status = 200, description = "It has ended while you waited", body = OperationView),
        (status = 404, description = "There is no such container", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Another operation is at work on it, or it is not in a state for this", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The time is out of range", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/containers/{id}/actions/reboot")]
pub(super) async fn reboot(
    app: Data<App>,
    asking: Asking,
    wait: Wait,
    id: Id<ContainerId>,
    query: Search<Patience>,
) -> Result<HttpResponse, Problem> {
    let timeout_seconds = query.0.seconds()?;
    ready(&app, &asking, wait, id.0, Command::RebootContainer { container: id.0, timeout_seconds }).await
}

/// Suspend a container
///
/// Its state is kept on its node's disk until it is resumed. Few nodes can: Proxmox needs CRIU for it.
#[utoipa::path(
    tag = "actions",
    params(
        ("id" = Uuid, Path, description = "The container's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key gets the same answer, for a day"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: answer after N seconds, or as soon as it has ended"),
    ),
    responses(
        (status = 202, description = "Accepted", body = OperationView, headers(("Location" = String, description = "The operation"))),
        (status = 200, description = "It has ended while you waited", body = OperationView),
        (status = 404, description = "There is no such container", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Another operation is at work on it, or it is not in a state for this", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/containers/{id}/actions/suspend")]
pub(super) async fn suspend(
    app: Data<App>,
    asking: Asking,
    wait: Wait,
    id: Id<ContainerId>,
) -> Result<HttpResponse, Problem> {
    ready(&app, &asking, wait, id.0, Command::SuspendContainer { container: id.0 }).await
}

/// Resume a suspended container
///
/// One that runs counts as resumed.
#[utoipa::path(
    tag = "actions",
    params(
        ("id" = Uuid, Path, description = "The container's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key gets the same answer, for a day"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: answer after N seconds, or as soon as it has ended"),
    ),
    responses(
        (status = 202, description = "Accepted", body = OperationView, headers(("Location" = String, description = "The operation"))),
        (status = 200, description = "It has ended while you waited", body = OperationView),
        (status = 404, description = "There is no such container", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Another operation is at work on it, or it is not in a state for this", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/containers/{id}/actions/resume")]
pub(super) async fn resume(
    app: Data<App>,
    asking: Asking,
    wait: Wait,
    id: Id<ContainerId>,
) -> Result<HttpResponse, Problem> {
    ready(&app, &asking, wait, id.0, Command::ResumeContainer { container: id.0 }).await
}
