//! Stopping, shutting down, rebooting, and saying so in the container's stream.

use std::time::Duration;

use domain::container::{Container, ContainerCommand, Guest, Power, Stopping};
use domain::operation::{Command, Failure, FailureKind};
use domain::pipeline::{PipelineName, StepName};
use futures_util::future::BoxFuture;
use proxmox::{State, Thing};
use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::proxmox_failure;
use crate::hosts::Host;
use crate::step::{Done, Step, StepError};
use crate::steps::suspend::runs;

pub(super) struct StopGuest;
pub(super) struct ShutdownGuest;
pub(super) struct RebootGuest;
pub(super) struct RecordPower;

const REBOOT: &str = "vzreboot";
/// What Proxmox takes for itself on top of the time that the guest is given.
const MARGIN: Duration = Duration::from_secs(60);
/// Times that a node is asked for what an action that was called off had come to; they take two minutes, and a node that
/// only starts anew is back by then.
const IN_VAIN: u32 = 7;

impl Step for StopGuest {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let Some(place) = context.container().await?.state.guest() else { return Done::with(&Stopping::Immediate) };
            let host = context.host().await?;
            let guest = host.client.lxc(&place.node, place.vmid.get());
            match guest.stop().await {
                Ok(upid) => context.task(&host, &upid).await?,
                Err(error) if error.is_already(State::Stopped) || error.is_missing(Thing::Guest) => {
                    // Proxmox says of one that it does not know that it does not run. Who deletes it is content.
                    if context.operation.pipeline().is_some_and(|pipeline| pipeline.name != PipelineName::Delete) {
                        guest.status().await.map_err(proxmox_failure)?;
                    }
                }
                Err(error) => return Err(proxmox_failure(error)),
            }
            Done::with(&Stopping::Immediate)
        })
    }

    fn undo<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(power_as_it_is(context))
    }
}

impl Step for ShutdownGuest {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let limit = timeout(context);
            let (host, place) = (context.host().await?, context.place().await?);
            let guest = host.client.lxc(&place.node, place.vmid.get());
            let graceful = match guest.shutdown(limit, false).await {
                Ok(upid) => context.task_within(&host, &upid, Duration::from_secs(limit.into()) + MARGIN).await,
                Err(error) if error.is_already(State::Stopped) => {
                    guest.status().await.map_err(proxmox_failure)?;
                    return Done::with(&Stopping::Graceful);
                }
                Err(error) => Err(proxmox_failure(error)),
            };
            match graceful {
                Ok(()) => return Done::with(&Stopping::Graceful),
                Err(StepError::Cancelled) => return Err(StepError::Cancelled),
                Err(error) if guest.status().await.is_ok_and(|status| status.is_running()) => {
                    tracing::info!(%error, vmid = place.vmid.get(), "it did not shut itself down and is stopped");
                }
                Err(error) => return Err(error),
            }
            match guest.stop().await {
                Ok(upid) => context.task(&host, &upid).await?,
                Err(error) if error.is_already(State::Stopped) => {}
                Err(error) => return Err(proxmox_failure(error)),
            }
            Done::with(&Stopping::Forced)
        })
    }

    fn undo<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(power_as_it_is(context))
    }
}

impl Step for RebootGuest {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let limit = timeout(context);
            let (host, place) = (context.host().await?, context.place().await?);
            running(&host, place, "only a container that runs can be rebooted; start it instead").await?;
            let guest = host.client.lxc(&place.node, place.vmid.get());
            let upid = guest.reboot(limit).await.map_err(proxmox_failure)?;
            context.task_within(&host, &upid, Duration::from_secs(limit.into()) + MARGIN).await?;
            Ok(Done::nothing())
        })
    }

    fn intend<'a>(&'a self, context: &'a Context, before: Option<&'a Value>) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(context.before_task(REBOOT, before))
    }

    /// A reboot that was asked for is not asked for again.
    fn look<'a>(
        &'a self,
        context: &'a Context,
        intent: Option<&'a Value>,
    ) -> BoxFuture<'a, Result<Option<Done>, StepError>> {
        Box::pin(async move { Ok(context.task_was_done(REBOOT, intent).await?.then(Done::nothing)) })
    }

    fn undo<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(power_as_it_is(context))
    }
}

impl Step for RecordPower {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let command = match context.operation.accepted().map(|accepted| accepted.pipeline) {
                Some(PipelineName::Suspend) => ContainerCommand::RecordSuspended,
                Some(PipelineName::Resume) => ContainerCommand::RecordResumed,
                Some(PipelineName::Start) => ContainerCommand::RecordStarted,
                Some(PipelineName::Reboot) => ContainerCommand::RecordRebooted,
                _ => {
                    let how = context.fact(StepName::StopGuest).or_else(|| context.fact(StepName::ShutdownGuest));
                    ContainerCommand::RecordStopped(how.unwrap_or(Stopping::Immediate))
                }
            };
            let fact = match &command {
                ContainerCommand::RecordStopped(how) => json!({ "power": "stopped", "stopping": how }),
                ContainerCommand::RecordSuspended => json!({ "power": "suspended" }),
                _ => json!({ "power": "running" }),
            };
            let said = context.say::<Container>(context.container_id, context.container().await?, command, &())?;
            Ok(Done { fact, streams: said.into_iter().collect(), ..Done::default() })
        })
    }
}

/// What was called off may have been through, here or with a worker that was lost: the record says how the guest is.
pub(super) async fn power_as_it_is(context: &Context) -> Result<Done, StepError> {
    let container = context.container().await?;
    if container.state.guest().is_none() {
        return Ok(Done::nothing());
    }
    let command = match runs(context).await {
        Ok(true) => ContainerCommand::RecordStarted,
        // One that is frozen looks like one that is stopped.
        Ok(false) if container.state.power() == Power::Suspended => return Ok(Done::nothing()),
        Ok(false) => ContainerCommand::RecordStopped(Stopping::Immediate),
        // What it is once the node is back is shown as drift; nothing is left there that anybody has to take away.
        Err(StepError::Failed { kind: FailureKind::Unreachable, failure }) if was_asked_in_vain(context) => {
            tracing::info!(%failure, "how the guest is now is not known");
            return Ok(Done::nothing());
        }
        Err(StepError::Failed { failure, .. }) if failure.slug == "guest-missing" => return Ok(Done::nothing()),
        Err(error) => return Err(error),
    };
    let said = context.say::<Container>(context.container_id, container, command, &())?;
    Ok(Done { streams: said.into_iter().collect(), ..Done::default() })
}

fn was_asked_in_vain(context: &Context) -> bool {
    context.operation.step(context.step).is_some_and(|run| run.undo_failures >= IN_VAIN)
}

/// # Errors
/// When it does not run, with what to do about it.
pub(crate) async fn running(host: &Host, place: &Guest, otherwise: &str) -> Result<(), StepError> {
    let status = host.client.lxc(&place.node, place.vmid.get()).status().await.map_err(proxmox_failure)?;
    if status.is_running() { Ok(()) } else { Err(stopped(otherwise)) }
}

pub(super) fn stopped(otherwise: &str) -> StepError {
    StepError::last(Failure::new("guest-stopped", "The container does not run", otherwise))
}

fn timeout(context: &Context) -> u32 {
    match context.operation.accepted().map(|accepted| &accepted.command) {
        Some(Command::ShutdownContainer { timeout_seconds, .. } | Command::RebootContainer { timeout_seconds, .. }) => {
            *timeout_seconds
        }
        _ => 60,
    }
}
