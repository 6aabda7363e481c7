//! A container that runs is cloned from a snapshot, which is there for the clone alone.

use domain::copy;
use domain::operation::Command;
use domain::pipeline::StepName;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cloning;
use super::making::source;
use super::snapshot::{delete, explained, named};
use crate::context::Context;
use crate::failure::proxmox_failure;
use crate::found;
use crate::step::{Done, Step, StepError};

pub(super) struct SnapshotSource;
pub(super) struct DropSourceSnapshot;

/// None when the source does not run, or somebody named a snapshot.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) snapshot: Option<String>,
    /// The clone that was made of the source last before this one.
    #[serde(default)]
    pub(super) last: Option<String>,
}

impl Step for SnapshotSource {
    fn intend<'a>(&'a self, context: &'a Context, before: Option<&'a Value>) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async move {
            // One that may have been begun is gone on with.
            if let Some(before) = before.and_then(|before| serde_json::from_value::<Kept>(before.clone()).ok())
                && before.snapshot.is_some()
            {
                return Done::with(&before);
            }
            let named = matches!(
                context.operation.accepted().map(|accepted| &accepted.command),
                Some(Command::CloneContainer { snapshot: Some(_), .. })
            );
            let from = source(context).await?;
            let host = context.tools.hosts.get(from.host).await?;
            let status = host.client.lxc(&from.node, from.vmid.get()).status().await.map_err(proxmox_failure)?;
            let id = context.id.uuid().simple().to_string();
            let snapshot = (!named && status.is_running()).then(|| format!("clone-{}", &id[20..]));
            let last = cloning::last(&host, &from).await?.map(|task| task.upid.to_string());
            Done::with(&Kept { snapshot, last })
        })
    }

    fn act<'a>(&'a self, context: &'a Context, intent: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let kept: Kept = serde_json::from_value(intent.clone()).map_err(StepError::internal)?;
            if let Some(name) = &kept.snapshot {
                let from = source(context).await?;
                let host = context.tools.hosts.get(from.host).await?;
                context.tasks_of_through(&host, &from.node, from.vmid.get()).await?;
                if named(&host, &from, name).await?.is_none() {
                    let guest = host.client.lxc(&from.node, from.vmid.get());
                    let upid = guest.snapshot(name, Some(&copy::marked(Some("for a clone"), context.id))).await;
                    context.task_through(&host, &upid.map_err(proxmox_failure)?).await.map_err(explained)?;
                }
            }
            Done::with(&kept)
        })
    }

    fn undo<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async { drop_it(context).await.map(|()| Done::nothing()) })
    }
}

impl Step for DropSourceSnapshot {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async { drop_it(context).await.map(|()| Done::nothing()) })
    }
}

/// Only ours; and a source that is gone has taken it along.
async fn drop_it(context: &Context) -> Result<(), StepError> {
    let intent = context.operation.intent(StepName::SnapshotSource).cloned();
    let kept = intent.and_then(|intent| serde_json::from_value::<Kept>(intent).ok());
    let Some(name) = kept.and_then(|kept| kept.snapshot) else { return Ok(()) };
    let Ok(from) = source(context).await else { return Ok(()) };
    let host = context.tools.hosts.get(from.host).await?;
    context.tasks_of_through(&host, &from.node, from.vmid.get()).await?;
    if found::config(&host, &from.node, from.vmid.get()).await?.is_none() {
        return Ok(());
    }
    match named(&host, &from, &name).await? {
        Some(found) if found.operation == Some(context.id) => delete(context, &host, &from, &name).await,
        _ => Ok(()),
    }
}
