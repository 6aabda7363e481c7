//! Brings a container back from one of its backups, under its own number.

use domain::container::ContainerCommand;
use domain::operation::{Command, StepState};
use futures_util::future::BoxFuture;
use proxmox::Restore;
use serde_json::{Value, json};

use super::backup::present;
use super::destroy_guest::remove_half_made;
use super::half_made::{Whose, whose};
use super::snapshot;
use crate::context::Context;
use crate::copies::storage_of;
use crate::failure::proxmox_failure;
use crate::found;
use crate::step::{Done, Step, StepError};

pub(super) struct FindCopy;
pub(super) struct RestoreGuest;

const RESTORE: &str = "vzrestore";

impl Step for FindCopy {
    /// Before anything is stopped for it.
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            match context.operation.accepted().map(|accepted| &accepted.command) {
                Some(Command::RestoreBackup { .. } | Command::RestoreNew { .. }) => present(context).await.map(drop)?,
                _ => snapshot::present(context).await.map(drop)?,
            }
            Ok(Done::nothing())
        })
    }
}

impl Step for RestoreGuest {
    /// The storage of its root disk, as long as there is one to ask: it stays there.
    fn intend<'a>(&'a self, context: &'a Context, before: Option<&'a Value>) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async move {
            let interrupted = context.operation.step(context.step).is_some_and(|run| run.state == StepState::Started);
            if let Some(before) = before.filter(|_| interrupted) {
                return Done::with(before);
            }
            let (host, place) = (context.host().await?, context.place().await?);
            let config = found::config(&host, &place.node, place.vmid.get()).await?;
            let storage = config.and_then(|config| Some(storage_of(config.get("rootfs")?).to_owned()));
            let storage = storage.or_else(|| Some(before?.get("storage")?.as_str()?.to_owned()));
            let last = context.last_task(RESTORE).await?.map(|task| task.upid.to_string());
            Done::with(&json!({ "last": last, "storage": storage }))
        })
    }

    fn look<'a>(
        &'a self,
        context: &'a Context,
        intent: Option<&'a Value>,
    ) -> BoxFuture<'a, Result<Option<Done>, StepError>> {
        Box::pin(async move {
            if context.task_was_done(RESTORE, intent).await? { restored(context).await.map(Some) } else { Ok(None) }
        })
    }

    fn act<'a>(&'a self, context: &'a Context, intent: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let (found, _) = present(context).await?;
            let (host, place) = (context.host().await?, context.place().await?);
            // A restore of ours that died in the middle left the number with nothing but its lock.
            if let Whose::HalfMade = whose(context, &host, &place.node, place.vmid.get()).await? {
                remove_half_made(context, &host, &place.node, place.vmid.get()).await?;
            }
            let restore = Restore {
                vmid: place.vmid.get(),
                archive: found.volume,
                storage: intent.get("storage").and_then(Value::as_str).map(str::to_owned),
                force: true,
                ..Restore::default()
            };
            let upid = host.client.restore_lxc(&place.node, &restore).await.map_err(proxmox_failure)?;
            context.task_through(&host, &upid).await?;
            restored(context).await
        })
    }
}

async fn restored(context: &Context) -> Result<Done, StepError> {
    let Some(Command::RestoreBackup { backup, .. }) = context.operation.accepted().map(|accepted| &accepted.command)
    else {
        return Err(StepError::internal("the command names no backup"));
    };
    let done = Done::with(&json!({ "backup": backup }))?;
    context.and_container(done, ContainerCommand::RecordRestored { backup: backup.clone() }).await
}
