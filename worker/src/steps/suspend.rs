//! Suspending a container to its node's disk, and resuming it. Proxmox does it with CRIU, which few nodes have.

use domain::container::Power;
use domain::operation::{Failure, FailureKind};
use futures_util::future::BoxFuture;
use proxmox::State;
use serde_json::Value;

use super::power::stopped;
use crate::context::Context;
use crate::failure::proxmox_failure;
use crate::step::{Done, Step, StepError};
use crate::steps::power::power_as_it_is;

pub(super) struct SuspendGuest;
pub(super) struct ResumeGuest;

const SUSPEND: &str = "vzsuspend";

impl Step for SuspendGuest {
    /// Ours is told apart from one before it until the operation ends: also when our way to it broke.
    fn intend<'a>(&'a self, context: &'a Context, before: Option<&'a Value>) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async move {
            match before {
                Some(before) => Done::with(before),
                None => context.before_task(SUSPEND, None).await,
            }
        })
    }

    fn look<'a>(
        &'a self,
        context: &'a Context,
        intent: Option<&'a Value>,
    ) -> BoxFuture<'a, Result<Option<Done>, StepError>> {
        Box::pin(async move { Ok(frozen_by_us(context, intent).await?.then(Done::nothing)) })
    }

    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            if !runs(context).await? {
                return match context.container().await?.state.power() {
                    // Asked for once more.
                    Power::Suspended => Ok(Done::nothing()),
                    _ => Err(stopped("only a container that runs can be suspended: start it first")),
                };
            }
            let (host, place) = (context.host().await?, context.place().await?);
            match host.client.lxc(&place.node, place.vmid.get()).suspend().await {
                Ok(upid) => context.task(&host, &upid).await.map_err(explained)?,
                Err(error) if error.is_already(State::Stopped) => {}
                Err(error) => return Err(proxmox_failure(error)),
            }
            Ok(Done::nothing())
        })
    }

    /// To the API one that is frozen looks like one that is stopped: nobody would find it later, and its state were lost.
    fn undo<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            if frozen_by_us(context, context.operation.intent(context.step)).await? {
                resume(context).await?;
            }
            Ok(Done::nothing())
        })
    }
}

impl Step for ResumeGuest {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            // One that runs is what is wanted, however it came to run.
            if !runs(context).await? {
                resume(context).await?;
            }
            Ok(Done::nothing())
        })
    }

    fn undo<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(power_as_it_is(context))
    }
}

async fn resume(context: &Context) -> Result<(), StepError> {
    let (host, place) = (context.host().await?, context.place().await?);
    match host.client.lxc(&place.node, place.vmid.get()).resume().await {
        Ok(upid) => context.task(&host, &upid).await.map_err(explained),
        Err(error) if error.is_already(State::Running) => Ok(()),
        Err(error) => Err(proxmox_failure(error)),
    }
}

async fn frozen_by_us(context: &Context, intent: Option<&Value>) -> Result<bool, StepError> {
    Ok(context.task_was_done(SUSPEND, intent).await? && !runs(context).await?)
}

/// Once nothing is at work on it any more.
pub(super) async fn runs(context: &Context) -> Result<bool, StepError> {
    let (host, place) = (context.host().await?, context.place().await?);
    context.await_tasks_of(&host, &place.node, place.vmid.get()).await?;
    let status = host.client.lxc(&place.node, place.vmid.get()).status().await;
    Ok(status.map_err(proxmox_failure)?.is_running())
}

/// Proxmox says only that its tool ended with a number.
fn explained(error: StepError) -> StepError {
    match error {
        StepError::Failed { failure, .. } if failure.detail.contains("lxc-checkpoint") => {
            let detail = if failure.detail.contains(" -r ") {
                "there is no suspended state of it on its node, or CRIU can't restore it: start it instead"
            } else {
                "its node can't freeze it: CRIU is missing there or does not know something that the container uses; \
                 shut it down instead"
            };
            let failure = Failure { slug: "checkpoint-failed".to_owned(), detail: detail.to_owned(), ..failure };
            StepError::new(FailureKind::Final, failure)
        }
        other => other,
    }
}
