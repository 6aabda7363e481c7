//! The way back from an update: a snapshot taken before it, gone back to when the update fails, deleted when it is done.

use domain::container::ContainerCommand;
use domain::copy::{self, Snapshot};
use domain::operation::{AfterFailure, Command, FailureKind};
use domain::pipeline::StepName;
use domain::progress::LogStream;
use futures_util::future::BoxFuture;
use proxmox::State;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::snapshot::{delete, explained, named};
use crate::context::Context;
use crate::failure::proxmox_failure;
use crate::step::{Done, Step, StepError};

pub(super) struct GuardUpdate;
pub(super) struct DropGuard;

/// What it left, unless nobody wanted one.
#[derive(Serialize, Deserialize)]
struct Guard {
    snapshot: String,
}

impl Step for GuardUpdate {
    fn look<'a>(
        &'a self,
        context: &'a Context,
        _: Option<&'a Value>,
    ) -> BoxFuture<'a, Result<Option<Done>, StepError>> {
        Box::pin(async {
            let (host, place) = (context.host().await?, context.place().await?);
            context.tasks_of_through(&host, &place.node, place.vmid.get()).await?;
            ours(context).await?.map(|found| Done::with(&Guard { snapshot: found.name })).transpose()
        })
    }

    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            if !is_wanted(context) {
                return Ok(Done::nothing());
            }
            let (host, place, name) = (context.host().await?, context.place().await?, name(context));
            let words = copy::marked(Some("before an update of the template"), context.id);
            let begun = host.client.lxc(&place.node, place.vmid.get()).snapshot(&name, Some(&words)).await;
            context.task_through(&host, &begun.map_err(proxmox_failure)?).await.map_err(explained)?;
            Done::with(&Guard { snapshot: name })
        })
    }

    fn undo<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let (host, place) = (context.host().await?, context.place().await?);
            context.tasks_of_through(&host, &place.node, place.vmid.get()).await?;
            let Some(found) = ours(context).await? else { return Ok(Done::nothing()) };
            let begun = context.operation.step(StepName::InstallHelpers).is_some_and(|run| run.attempts > 0);
            let mut done = Done::nothing();
            if begun {
                let guest = host.client.lxc(&place.node, place.vmid.get());
                match guest.stop().await {
                    Ok(upid) => context.task_through(&host, &upid).await?,
                    Err(error) if error.is_already(State::Stopped) => {}
                    Err(error) => return Err(proxmox_failure(error)),
                }
                let upid = guest.rollback(&found.name, false).await.map_err(proxmox_failure)?;
                context.task_through(&host, &upid).await.map_err(explained)?;
                match guest.start().await {
                    Ok(upid) => context.task_through(&host, &upid).await?,
                    Err(error) if error.is_already(State::Running) => {}
                    Err(error) => return Err(proxmox_failure(error)),
                }
                done = context.and_container(done, ContainerCommand::RecordRolledBack(found.name.clone())).await?;
            }
            delete(context, &host, place, &found.name).await?;
            Ok(done)
        })
    }
}

impl Step for DropGuard {
    /// A snapshot that stays costs space; going back to it because of that would cost the update.
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let guard: Option<Guard> = context.fact(StepName::GuardUpdate);
            let Some(Guard { snapshot }) = guard else { return Ok(Done::nothing()) };
            match drop_it(context).await {
                Err(StepError::Failed { kind, failure }) if is_last_try(context, kind) => {
                    tracing::warn!(%failure, cause = failure.cause, "the snapshot before an update was not deleted");
                    let words = format!("the snapshot {snapshot} stays; delete it when Proxmox lets you: {failure}");
                    context.line("snapshot", LogStream::Stderr, words, None).await;
                    let done = Done::with(&json!({ "left": snapshot }))?;
                    context.and_container(done, ContainerCommand::RecordSnapshot(snapshot)).await
                }
                other => other.map(|()| Done::nothing()),
            }
        })
    }
}

async fn drop_it(context: &Context) -> Result<(), StepError> {
    let (host, place) = (context.host().await?, context.place().await?);
    context.tasks_of_through(&host, &place.node, place.vmid.get()).await?;
    match ours(context).await? {
        Some(found) => delete(context, &host, place, &found.name).await,
        None => Ok(()),
    }
}

fn is_last_try(context: &Context, kind: FailureKind) -> bool {
    let failures = context.operation.step(context.step).map_or(0, |run| run.failures);
    kind.after_step(failures + 1, context.tools.log.clock().now()) == AfterFailure::GiveUp
}

fn is_wanted(context: &Context) -> bool {
    let command = context.operation.accepted().map(|accepted| &accepted.command);
    matches!(command, Some(Command::UpdateContainer { without_snapshot: false, .. }))
}

/// One of its own for each operation: a letter first, at most 40 in all.
fn name(context: &Context) -> String {
    format!("gantry-{}", context.id.uuid().simple())
}

async fn ours(context: &Context) -> Result<Option<Snapshot>, StepError> {
    let (host, place) = (context.host().await?, context.place().await?);
    let found = match named(&host, place, &name(context)).await {
        // Its snapshots went with it.
        Err(StepError::Failed { failure, .. }) if failure.slug == "guest-missing" => None,
        found => found?,
    };
    Ok(found.filter(|found| found.operation == Some(context.id)))
}
