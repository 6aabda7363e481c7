//! Backups: making one, and deleting one.

use chrono::{DateTime, Utc};
use domain::container::{BackupMade, ContainerCommand};
use domain::copy::{self, Backup, BackupMode};
use domain::operation::{Command, Failure, FailureKind};
use futures_util::future::BoxFuture;
use proxmox::{Compress, Mode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::context::Context;
use crate::copies::{backup_named, backups, storage_of};
use crate::failure::{guest_locked, proxmox_failure};
use crate::hosts::Host;
use crate::step::{Done, Step, StepError};

pub(super) struct BackUp;
pub(super) struct DeleteBackup;

#[derive(Serialize, Deserialize)]
struct Chosen {
    storage: String,
}

impl Step for BackUp {
    fn intend<'a>(&'a self, context: &'a Context, before: Option<&'a Value>) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async move {
            match before {
                Some(before) => Done::with(before),
                None => Done::with(&Chosen { storage: choose(context).await? }),
            }
        })
    }

    fn look<'a>(
        &'a self,
        context: &'a Context,
        _: Option<&'a Value>,
    ) -> BoxFuture<'a, Result<Option<Done>, StepError>> {
        Box::pin(async {
            let (host, place) = (context.host().await?, context.place().await?);
            context.await_tasks_of(&host, &place.node, place.vmid.get()).await?;
            match ours(context).await? {
                Some(found) => made(context, found).await.map(Some),
                None => Ok(None),
            }
        })
    }

    fn act<'a>(&'a self, context: &'a Context, intent: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let Chosen { storage } = serde_json::from_value(intent.clone()).map_err(StepError::internal)?;
            let (host, place) = (context.host().await?, context.place().await?);
            // A backup that fails says only that it did.
            let config = host.client.lxc(&place.node, place.vmid.get()).config().await.map_err(proxmox_failure)?;
            if let Some(lock) = config.lock() {
                return Err(guest_locked(lock));
            }
            let wanted = wanted(context, storage, place.vmid.get())?;
            let upid = host.client.backup(&place.node, &wanted).await.map_err(proxmox_failure)?;
            context.task(&host, &upid).await?;
            let found = ours(context).await?.ok_or_else(|| {
                let detail = "Proxmox ended the backup well, and it is not on the storage";
                let failure = Failure::new("backup-not-found", "The backup is not there", detail);
                StepError::new(FailureKind::Temporary, failure)
            })?;
            made(context, found).await
        })
    }

    fn undo<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let (host, place) = (context.host().await?, context.place().await?);
            context.stop_tasks_of(&host, &place.node, place.vmid.get()).await?;
            context.await_tasks_of(&host, &place.node, place.vmid.get()).await?;
            if let Some(found) = ours(context).await? {
                if found.protected {
                    let storage = storage_of(&found.volume);
                    let freed =
                        host.client.describe_volume(&place.node, storage, &found.volume, None, Some(false)).await;
                    freed.map_err(proxmox_failure)?;
                }
                remove(context, &host, &place.node, &found.volume).await?;
            }
            // On record it is also when a try before this one has removed it.
            let volume = context.operation.fact(context.step).and_then(|fact| fact.get("volume")?.as_str());
            let Some(volume) = volume.map(str::to_owned) else { return Ok(Done::nothing()) };
            context.and_container(Done::nothing(), ContainerCommand::RecordBackupDeleted { volume }).await
        })
    }
}

impl Step for DeleteBackup {
    /// Gone is gone, whoever did it.
    fn look<'a>(
        &'a self,
        context: &'a Context,
        _: Option<&'a Value>,
    ) -> BoxFuture<'a, Result<Option<Done>, StepError>> {
        Box::pin(async {
            let name = name(context)?;
            let known =
                context.container().await?.state.backups().find(|made| copy::file(&made.volume) == name).cloned();
            match backup_named(&context.tools, context.container_id, name).await?.map(|(found, _)| found.volume) {
                Some(_) => Ok(None),
                None => deleted(context, known.map(|made| made.volume).unwrap_or_default()).await.map(Some),
            }
        })
    }

    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let known = known(context).await?;
            let found = backup_named(&context.tools, context.container_id, name(context)?).await?;
            if let (None, Some(volume)) = (&found, known) {
                // Ours, and somebody else deleted it.
                return deleted(context, volume).await;
            }
            let (found, at) = found.ok_or_else(|| missing(name(context).unwrap_or_default()))?;
            if found.protected {
                let detail = "it is protected; take the protection away on Proxmox first, then retry";
                return Err(StepError::last(Failure::new("backup-protected", "The backup is protected", detail)));
            }
            let host = context.tools.hosts.get(at.host).await?;
            remove(context, &host, &at.node, &found.volume).await?;
            deleted(context, found.volume).await
        })
    }
}

fn name(context: &Context) -> Result<&str, StepError> {
    match context.operation.accepted().map(|accepted| &accepted.command) {
        Some(
            Command::DeleteBackup { backup, .. }
            | Command::RestoreBackup { backup, .. }
            | Command::RestoreNew { backup, .. },
        ) => Ok(backup),
        _ => Err(StepError::internal("the command names no backup")),
    }
}

/// The backup that the command names, if it is one of its container.
pub(super) async fn present(context: &Context) -> Result<(Backup, crate::copies::Shelf), StepError> {
    let (name, command) = (name(context)?, context.operation.accepted().map(|accepted| &accepted.command));
    let of = command.and_then(Command::source).unwrap_or(context.container_id);
    backup_named(&context.tools, of, name).await?.ok_or_else(|| missing(name))
}

fn missing(name: &str) -> StepError {
    let detail = format!("there is no backup {name} of the container; the list of backups shows those there are");
    StepError::last(Failure::new("backup-missing", "There is no such backup", detail))
}

/// The volume, when our own log says that we made it.
async fn known(context: &Context) -> Result<Option<String>, StepError> {
    let name = name(context)?;
    let mut made = context.container().await?.state.backups();
    Ok(made.find(|made| copy::file(&made.volume) == name).map(|made| made.volume.clone()))
}

/// The storage that was asked for, or the node's one with the most room.
async fn choose(context: &Context) -> Result<String, StepError> {
    let asked = match context.operation.accepted().map(|accepted| &accepted.command) {
        Some(Command::BackUp { storage, .. }) => storage.as_deref(),
        _ => None,
    };
    let (host, place) = (context.host().await?, context.place().await?);
    let mut fit = host.client.storages(&place.node, Some("backup")).await.map_err(proxmox_failure)?;
    fit.retain(|storage| storage.active && asked.is_none_or(|asked| asked == storage.storage));
    fit.sort_by_key(|storage| std::cmp::Reverse(storage.avail));
    fit.into_iter().next().map(|storage| storage.storage).ok_or_else(|| {
        let which = asked.map_or_else(|| "no storage".to_owned(), |asked| format!("no storage {asked}"));
        let detail = format!("{} has {which} that is active and may hold backups (content type backup)", place.node);
        StepError::last(Failure::new("storage-missing", "There is no place for the backup", detail))
    })
}

fn wanted(context: &Context, storage: String, vmid: u32) -> Result<proxmox::Backup, StepError> {
    let (mode, notes, protected) = match context.operation.accepted().map(|accepted| &accepted.command) {
        Some(Command::BackUp { mode, notes, protected, .. }) => (*mode, notes.as_deref(), *protected),
        Some(Command::RebuildContainer { .. }) => (BackupMode::default(), Some("before its rebuild"), false),
        _ => return Err(StepError::internal("the command asks for no backup")),
    };
    Ok(proxmox::Backup {
        vmid,
        storage,
        mode: match mode {
            BackupMode::Snapshot => Mode::Snapshot,
            BackupMode::Suspend => Mode::Suspend,
            BackupMode::Stop => Mode::Stop,
        },
        compress: Compress::Zstd,
        notes: Some(copy::marked(notes, context.id)),
        protected,
        bandwidth_kib: None,
    })
}

async fn ours(context: &Context) -> Result<Option<Backup>, StepError> {
    let chosen = context.operation.intent(context.step).cloned();
    let Some(Chosen { storage }) = chosen.and_then(|chosen| serde_json::from_value(chosen).ok()) else {
        return Ok(None);
    };
    let (host, place) = (context.host().await?, context.place().await?);
    let all = backups(&host, &place.node, &storage, Some(place.vmid.get())).await.map_err(proxmox_failure)?;
    Ok(all.into_iter().map(|(backup, _)| backup).find(|backup| backup.operation == Some(context.id)))
}

async fn made(context: &Context, found: Backup) -> Result<Done, StepError> {
    let place = context.place().await?;
    let schedule = match context.operation.accepted().map(|accepted| &accepted.command) {
        Some(Command::BackUp { schedule, .. }) => schedule.clone(),
        _ => None,
    };
    let now: DateTime<Utc> = context.tools.log.clock().now();
    let made = BackupMade {
        host: place.host,
        node: place.node.clone(),
        vmid: place.vmid,
        size_bytes: found.size_bytes,
        made_at: found.made_at.unwrap_or(now),
        protected: found.protected,
        operation: context.id,
        schedule,
        volume: found.volume,
    };
    let fact = serde_json::json!({
        "backup": copy::file(&made.volume), "volume": made.volume, "size_bytes": made.size_bytes, "made_at": made.made_at,
    });
    context.and_container(Done::with(&fact)?, ContainerCommand::RecordBackup(Box::new(made))).await
}

async fn deleted(context: &Context, volume: String) -> Result<Done, StepError> {
    let done = Done::with(&serde_json::json!({ "backup": name(context)? }))?;
    context.and_container(done, ContainerCommand::RecordBackupDeleted { volume }).await
}

async fn remove(context: &Context, host: &Host, node: &str, volume: &str) -> Result<(), StepError> {
    match host.client.delete_volume(node, storage_of(volume), volume).await {
        Ok(Some(upid)) => context.task_through(host, &upid).await,
        Ok(None) => Ok(()),
        Err(error) if error.is_missing(proxmox::Thing::Volume) => Ok(()),
        Err(error) => Err(proxmox_failure(error)),
    }
}
