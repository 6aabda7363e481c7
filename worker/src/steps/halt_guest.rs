//! Stopping a container for the time in which its files are replaced, and starting it again if it ran.

use domain::container::{ContainerCommand, Power, Stopping};
use domain::operation::{Command, FailureKind, StepState};
use domain::pipeline::StepName;
use futures_util::future::BoxFuture;
use proxmox::{State, Thing};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::context::Context;
use crate::failure::proxmox_failure;
use crate::step::{Done, Step, StepError};

pub(super) struct HaltGuest;
pub(super) struct StartAgain;

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Before {
    ran: bool,
}

impl Step for HaltGuest {
    /// Whether it ran, as it was before anything was done to it.
    fn intend<'a>(&'a self, context: &'a Context, before: Option<&'a Value>) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async move {
            let begun = context
                .operation
                .step(context.step)
                .is_some_and(|run| matches!(run.state, StepState::Started | StepState::Failed));
            if let Some(before) = before.filter(|_| begun) {
                return Done::with(before);
            }
            let (host, place) = (context.host().await?, context.place().await?);
            let command = context.operation.accepted().map(|accepted| &accepted.command);
            let ran = match host.client.lxc(&place.node, place.vmid.get()).status().await {
                Ok(status) => status.is_running(),
                // One that is gone comes back from its backup, and runs if it did when it was last heard of.
                Err(error)
                    if error.is_missing(Thing::Guest) && matches!(command, Some(Command::RestoreBackup { .. })) =>
                {
                    context.container().await?.state.power() == Power::Running
                }
                Err(error) => return Err(proxmox_failure(error)),
            };
            Done::with(&Before { ran })
        })
    }

    fn act<'a>(&'a self, context: &'a Context, intent: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let (host, place) = (context.host().await?, context.place().await?);
            match host.client.lxc(&place.node, place.vmid.get()).stop().await {
                Ok(upid) => context.task(&host, &upid).await?,
                Err(error) if error.is_already(State::Stopped) || error.is_missing(Thing::Guest) => {}
                Err(error) => return Err(proxmox_failure(error)),
            }
            let done = Done { fact: intent.clone(), ..Done::default() };
            context.and_container(done, ContainerCommand::RecordStopped(Stopping::Immediate)).await
        })
    }

    fn undo<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let intent = context.operation.intent(context.step).cloned();
            let before: Option<Before> = intent.and_then(|intent| serde_json::from_value(intent).ok());
            if !before.is_some_and(|before| before.ran) {
                return Ok(Done::nothing());
            }
            match start(context).await {
                Ok(true) => context.and_container(Done::nothing(), ContainerCommand::RecordStarted).await,
                Ok(false) => Ok(Done::nothing()),
                Err(StepError::Failed { kind: FailureKind::Final, failure }) => {
                    tracing::warn!(%failure, cause = failure.cause, "it ran before and could not be started again");
                    Ok(Done::nothing())
                }
                Err(error) => Err(error),
            }
        })
    }
}

impl Step for StartAgain {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let asked = match context.operation.accepted().map(|accepted| &accepted.command) {
                Some(Command::RollBack { start, .. } | Command::RestoreBackup { start, .. }) => *start,
                _ => None,
            };
            let ran = context.fact::<Before>(StepName::HaltGuest).is_some_and(|before| before.ran);
            let done = Done::with(&Before { ran })?;
            if asked.unwrap_or(ran) && start(context).await? {
                return context.and_container(done, ContainerCommand::RecordStarted).await;
            }
            Ok(done)
        })
    }
}

/// False when there is nothing to start.
async fn start(context: &Context) -> Result<bool, StepError> {
    let (host, place) = (context.host().await?, context.place().await?);
    context.await_tasks_of(&host, &place.node, place.vmid.get()).await?;
    match host.client.lxc(&place.node, place.vmid.get()).start().await {
        Ok(upid) => context.task(&host, &upid).await.map(|()| true),
        Err(error) if error.is_already(State::Running) => Ok(true),
        Err(error) if error.is_missing(Thing::Guest) => Ok(false),
        Err(error) => Err(proxmox_failure(error)),
    }
}
