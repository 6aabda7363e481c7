//! What can be done with a container that is there. Each answers with the operation that does it.

use actix_web::post;
use domain::ContainerId;
use domain::operation::Command;
use serde::Deserialize;
use utoipa::IntoParams;

use super::asked::{Accepted, Asked};
use super::id::Id;
use crate::act::For;
use crate::paging::{Search, wrong};
use crate::problem::{Kind, Problem};

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

/// Start a container
///
/// One that runs already counts as started.
#[utoipa::path(tag = "actions", params(Id<ContainerId>, Asked), responses(Accepted))]
#[post("/v1/containers/{id}/actions/start")]
pub(super) async fn start(asked: Asked, id: Id<ContainerId>) -> Result<Accepted, Problem> {
    asked.of(id.0, For::Ready, Command::StartContainer { container: id.0 }).await
}

/// Stop a container at once
///
/// As if its power were cut; `shutdown` lets it end by itself. One that does not run counts as stopped.
#[utoipa::path(tag = "actions", params(Id<ContainerId>, Asked), responses(Accepted))]
#[post("/v1/containers/{id}/actions/stop")]
pub(super) async fn stop(asked: Asked, id: Id<ContainerId>) -> Result<Accepted, Problem> {
    asked.of(id.0, For::Ready, Command::StopContainer { container: id.0 }).await
}

/// Shut a container down
///
/// It ends by itself, or is stopped when it takes longer than it may; the operation's summary tells which.
#[utoipa::path(tag = "actions", params(Id<ContainerId>, Patience, Asked), responses(Accepted))]
#[post("/v1/containers/{id}/actions/shutdown")]
pub(super) async fn shutdown(asked: Asked, id: Id<ContainerId>, query: Search<Patience>) -> Result<Accepted, Problem> {
    let timeout_seconds = query.0.seconds()?;
    asked.of(id.0, For::Ready, Command::ShutdownContainer { container: id.0, timeout_seconds }).await
}

/// Reboot a container
///
/// It shuts itself down, or is stopped when it takes longer than it may, and is started again.
#[utoipa::path(tag = "actions", params(Id<ContainerId>, Patience, Asked), responses(Accepted))]
#[post("/v1/containers/{id}/actions/reboot")]
pub(super) async fn reboot(asked: Asked, id: Id<ContainerId>, query: Search<Patience>) -> Result<Accepted, Problem> {
    let timeout_seconds = query.0.seconds()?;
    asked.of(id.0, For::Ready, Command::RebootContainer { container: id.0, timeout_seconds }).await
}

/// Suspend a container
///
/// Its state is kept on its node's disk until it is resumed. Few nodes can: Proxmox needs CRIU for it.
#[utoipa::path(tag = "actions", params(Id<ContainerId>, Asked), responses(Accepted))]
#[post("/v1/containers/{id}/actions/suspend")]
pub(super) async fn suspend(asked: Asked, id: Id<ContainerId>) -> Result<Accepted, Problem> {
    asked.of(id.0, For::Ready, Command::SuspendContainer { container: id.0 }).await
}

/// Resume a suspended container
///
/// One that runs counts as resumed.
#[utoipa::path(tag = "actions", params(Id<ContainerId>, Asked), responses(Accepted))]
#[post("/v1/containers/{id}/actions/resume")]
pub(super) async fn resume(asked: Asked, id: Id<ContainerId>) -> Result<Accepted, Problem> {
    asked.of(id.0, For::Ready, Command::ResumeContainer { container: id.0 }).await
}
