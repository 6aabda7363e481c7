//! Snapshots: taking one, going back to one, deleting one.

use domain::container::{ContainerCommand, Guest};
use domain::copy::{self, Snapshot};
use domain::operation::{Command, Failure};
use futures_util::future::BoxFuture;
use proxmox::Thing;
use serde_json::{Value, json};

use crate::context::Context;
use crate::copies::snapshots;
use crate::failure::proxmox_failure;
use crate::hosts::Host;
use crate::step::{Done, Step, StepError};

pub(super) struct TakeSnapshot;
pub(super) struct RollBack;
pub(super) struct DeleteSnapshot;

const ROLLBACK: &str = "vzrollback";

impl Step for TakeSnapshot {
    fn look<'a>(
        &'a self,
        context: &'a Context,
        _: Option<&'a Value>,
    ) -> BoxFuture<'a, Result<Option<Done>, StepError>> {
        Box::pin(async {
            let (host, place) = (context.host().await?, context.place().await?);
            context.tasks_of_through(&host, &place.node, place.vmid.get()).await?;
            match found(context).await? {
                Some(found) if found.operation == Some(context.id) => taken(context, &found.name).await.map(Some),
                _ => Ok(None),
            }
        })
    }

    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let name = name(context)?;
            if found(context).await?.is_some() {
                let detail = format!("there is a snapshot {name} already; choose another name, or delete it first");
                return Err(StepError::last(Failure::new("snapshot-exists", "The snapshot exists already", detail)));
            }
            let (host, place) = (context.host().await?, context.place().await?);
            let text = match context.operation.accepted().map(|accepted| &accepted.command) {
                Some(Command::TakeSnapshot { description, .. }) => description.as_deref(),
                _ => None,
            };
            let guest = host.client.lxc(&place.node, place.vmid.get());
            let begun = guest.snapshot(name, Some(&copy::marked(text, context.id))).await;
            context.task_through(&host, &begun.map_err(proxmox_failure)?).await.map_err(explained)?;
            taken(context, name).await
        })
    }

    fn undo<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let (host, place) = (context.host().await?, context.place().await?);
            context.tasks_of_through(&host, &place.node, place.vmid.get()).await?;
            let found = match found(context).await {
                // Its snapshots went with it.
                Err(StepError::Failed { failure, .. }) if failure.slug == "guest-missing" => None,
                found => found?,
            };
            if let Some(found) = found.filter(|found| found.operation == Some(context.id)) {
                delete(context, &host, place, &found.name).await?;
            }
            // Only what was said to be there is said to be gone, also when a try before this one has deleted it.
            if context.operation.fact(context.step).is_none() {
                return Ok(Done::nothing());
            }
            let gone = ContainerCommand::RecordSnapshotDeleted(name(context)?.to_owned());
            context.and_container(Done::nothing(), gone).await
        })
    }
}

impl Step for RollBack {
    fn intend<'a>(&'a self, context: &'a Context, before: Option<&'a Value>) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(context.before_task(ROLLBACK, before))
    }

    fn look<'a>(
        &'a self,
        context: &'a Context,
        intent: Option<&'a Value>,
    ) -> BoxFuture<'a, Result<Option<Done>, StepError>> {
        Box::pin(async move {
            if context.task_was_done(ROLLBACK, intent).await? { rolled_back(context).await.map(Some) } else { Ok(None) }
        })
    }

    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            present(context).await?;
            let (host, place) = (context.host().await?, context.place().await?);
            let upid = host.client.lxc(&place.node, place.vmid.get()).rollback(name(context)?, false).await;
            context.task_through(&host, &upid.map_err(proxmox_failure)?).await.map_err(explained)?;
            rolled_back(context).await
        })
    }
}

impl Step for DeleteSnapshot {
    /// Gone is gone, whoever did it.
    fn look<'a>(
        &'a self,
        context: &'a Context,
        _: Option<&'a Value>,
    ) -> BoxFuture<'a, Result<Option<Done>, StepError>> {
        Box::pin(async {
            let (host, place) = (context.host().await?, context.place().await?);
            context.tasks_of_through(&host, &place.node, place.vmid.get()).await?;
            if found(context).await?.is_some() { Ok(None) } else { deleted(context).await.map(Some) }
        })
    }

    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            present(context).await?;
            let (host, place) = (context.host().await?, context.place().await?);
            delete(context, &host, place, name(context)?).await?;
            deleted(context).await
        })
    }
}

fn name(context: &Context) -> Result<&str, StepError> {
    match context.operation.accepted().map(|accepted| &accepted.command) {
        Some(
            Command::TakeSnapshot { name, .. } | Command::RollBack { name, .. } | Command::DeleteSnapshot { name, .. },
        ) => Ok(name),
        _ => Err(StepError::internal("the command names no snapshot")),
    }
}

pub(super) async fn named(host: &Host, of: &Guest, name: &str) -> Result<Option<Snapshot>, StepError> {
    let all = snapshots(host, &of.node, of.vmid.get()).await.map_err(proxmox_failure)?;
    Ok(all.into_iter().find(|snapshot| snapshot.name == name))
}

/// The one that the command names.
async fn found(context: &Context) -> Result<Option<Snapshot>, StepError> {
    let (host, place) = (context.host().await?, context.place().await?);
    named(&host, place, name(context)?).await
}

pub(super) async fn present(context: &Context) -> Result<Snapshot, StepError> {
    let name = name(context)?;
    found(context).await?.ok_or_else(|| {
        let detail = format!("there is no snapshot {name}; the list of snapshots shows those there are");
        StepError::last(Failure::new("snapshot-missing", "There is no such snapshot", detail))
    })
}

pub(super) async fn delete(context: &Context, host: &Host, of: &Guest, name: &str) -> Result<(), StepError> {
    match host.client.lxc(&of.node, of.vmid.get()).delete_snapshot(name, false).await {
        Ok(upid) => match context.task_through(host, &upid).await {
            Err(error) if named(host, of, name).await?.is_some() => Err(error),
            _ => Ok(()),
        },
        Err(error) if error.is_missing(Thing::Snapshot) => Ok(()),
        Err(error) => Err(proxmox_failure(error)),
    }
}

/// Proxmox says only that it is not available.
pub(super) fn explained(error: StepError) -> StepError {
    match error {
        StepError::Failed { kind, failure } if failure.detail.contains("snapshot feature is not available") => {
            let detail = "the storage of its disks keeps no snapshots; make a backup instead";
            let better = Failure { detail: detail.to_owned(), slug: "no-snapshots".to_owned(), ..failure };
            StepError::new(kind, better)
        }
        other => other,
    }
}

async fn taken(context: &Context, name: &str) -> Result<Done, StepError> {
    let done = Done::with(&json!({ "snapshot": name }))?;
    context.and_container(done, ContainerCommand::RecordSnapshot(name.to_owned())).await
}

async fn deleted(context: &Context) -> Result<Done, StepError> {
    let name = name(context)?;
    let done = Done::with(&json!({ "snapshot": name }))?;
    context.and_container(done, ContainerCommand::RecordSnapshotDeleted(name.to_owned())).await
}

async fn rolled_back(context: &Context) -> Result<Done, StepError> {
    let name = name(context)?;
    let done = Done::with(&json!({ "snapshot": name }))?;
    context.and_container(done, ContainerCommand::RecordRolledBack(name.to_owned())).await
}
