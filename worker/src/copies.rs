//! Which snapshots and backups a container has, as Proxmox says: for steps, and for those who ask the API.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::container::{Container, ContainerEvent, Guest};
use domain::copy::{self, Backup, NotSeen, Snapshot};
use domain::operation::{FailureKind, Operation};
use domain::{Aggregate as _, ContainerId, HostId, Version};
use proxmox::{Error, Thing};

use crate::failure::proxmox_failure;
use crate::hosts::Host;
use crate::step::StepError;
use crate::tools::Tools;

/// For those who ask from outside of an operation.
#[derive(Clone)]
pub struct Copies {
    tools: Arc<Tools>,
}

impl Copies {
    #[must_use]
    pub fn new(tools: Arc<Tools>) -> Self {
        Self { tools }
    }

    /// # Errors
    /// When the host is away or refuses, or the guest is gone.
    pub async fn snapshots(&self, guest: &Guest) -> Result<Vec<Snapshot>, NotSeen> {
        let host = self.tools.hosts.get(guest.host).await.map_err(unseen)?;
        snapshots(&host, &guest.node, guest.vmid.get()).await.map_err(not_seen)
    }

    /// # Errors
    /// When a host is away or refuses.
    pub async fn backups(&self, container: ContainerId) -> Result<Vec<Backup>, NotSeen> {
        let found = backups_of(&self.tools, container).await.map_err(unseen)?;
        Ok(found.into_iter().map(|(backup, _)| backup).collect())
    }
}

/// Where the backups of a container are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shelf {
    pub host: HostId,
    pub node: String,
}

/// The backup of that name, if it is one of the container's.
pub(crate) async fn backup_named(
    tools: &Tools,
    container: ContainerId,
    name: &str,
) -> Result<Option<(Backup, Shelf)>, StepError> {
    let found = backups_of(tools, container).await?;
    Ok(found.into_iter().find(|(backup, _)| copy::file(&backup.volume) == name))
}

/// Every backup on the storages that the container's node reaches and that is the container's: one that our own log
/// knows, or one that others made since it has its number. Numbers are used again, and what was backed up under the same
/// one before is somebody else's.
pub(crate) async fn backups_of(tools: &Tools, container: ContainerId) -> Result<Vec<(Backup, Shelf)>, StepError> {
    let history = tools.log.stream(&Container::stream(container), Version(0)).await.map_err(StepError::internal)?;
    let mut state = Container::default();
    let mut since = None;
    for recorded in &history {
        let event: ContainerEvent = recorded.event().map_err(StepError::internal)?;
        if matches!(event, ContainerEvent::GuestCreated { .. }) {
            since = since.or(Some(recorded.recorded_at));
        }
        state = state.evolve(&event);
    }
    let mut shelves: Vec<Shelf> = Vec::new();
    let known = state.backups().map(|made| Shelf { host: made.host, node: made.node.clone() });
    for shelf in
        state.guest().map(|guest| Shelf { host: guest.host, node: guest.node.clone() }).into_iter().chain(known)
    {
        if !shelves.contains(&shelf) {
            shelves.push(shelf);
        }
    }
    let mut found: Vec<(Backup, Shelf)> = Vec::new();
    for shelf in shelves {
        let host = tools.hosts.get(shelf.host).await?;
        let vmid = state.guest().filter(|guest| guest.host == shelf.host && guest.node == shelf.node);
        let vmid = vmid.map(|guest| guest.vmid.get());
        for storage in host.client.storages(&shelf.node, Some("backup")).await.map_err(proxmox_failure)? {
            if !storage.active {
                continue;
            }
            let all = backups(&host, &shelf.node, &storage.storage, None).await.map_err(proxmox_failure)?;
            for (backup, of) in all {
                let made_by_us = state.backups().any(|made| made.volume == backup.volume);
                let is_known = found.iter().any(|(known, _)| known.volume == backup.volume);
                if !is_known
                    && (made_by_us
                        || vmid.is_some() && vmid == of && by_others(tools, container, &backup, since).await?)
                {
                    found.push((backup, shelf.clone()));
                }
            }
        }
    }
    found.sort_by_key(|(backup, _)| backup.made_at);
    Ok(found)
}

/// Whether a backup under the container's number that its log does not know can be nobody else's.
async fn by_others(
    tools: &Tools,
    container: ContainerId,
    backup: &Backup,
    since: Option<DateTime<Utc>>,
) -> Result<bool, StepError> {
    if backup.made_at.is_none_or(|at| since.is_none_or(|since| at < since)) {
        return Ok(false);
    }
    let Some(operation) = backup.operation else { return Ok(true) };
    let operation = tools.log.load::<Operation>(operation).await.map_err(StepError::internal)?.state;
    Ok(operation.accepted().is_none_or(|accepted| accepted.target == Some(container)))
}

/// All on one storage, each with the number that it was made of.
pub(crate) async fn backups(
    host: &Host,
    node: &str,
    storage: &str,
    vmid: Option<u32>,
) -> proxmox::Result<Vec<(Backup, Option<u32>)>> {
    let found = host.client.backups(node, storage, vmid).await?;
    let one = |content: proxmox::Content| {
        let (notes, operation) = copy::unmarked(content.notes.as_deref().unwrap_or_default());
        let backup = Backup {
            volume: content.volid,
            size_bytes: content.size,
            made_at: content.ctime.and_then(at),
            notes,
            protected: content.protected,
            operation,
        };
        (backup, content.vmid.and_then(|vmid| u32::try_from(vmid).ok()))
    };
    Ok(found.into_iter().map(one).collect())
}

/// `local` of `local:backup/…`.
pub(crate) fn storage_of(volume: &str) -> &str {
    volume.split(':').next().unwrap_or(volume)
}

fn at(seconds: u64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)
}

pub(crate) async fn snapshots(host: &Host, node: &str, vmid: u32) -> proxmox::Result<Vec<Snapshot>> {
    let found = host.client.lxc(node, vmid).snapshots().await?;
    let one = |snapshot: proxmox::Snapshot| {
        let (description, operation) = copy::unmarked(snapshot.description.as_deref().unwrap_or_default());
        let taken_at = snapshot.snaptime.and_then(at);
        // What a task left half made is not what its operation was to make.
        let operation = operation.filter(|_| snapshot.snapstate.is_none());
        Snapshot { name: snapshot.name, description, parent: snapshot.parent, taken_at, operation }
    };
    Ok(found.into_iter().map(one).collect())
}

pub(crate) fn not_seen(error: Error) -> NotSeen {
    if error.is_missing(Thing::Guest) { NotSeen::Gone } else { unseen(proxmox_failure(error)) }
}

pub(crate) fn unseen(error: StepError) -> NotSeen {
    match error {
        StepError::Failed { kind: FailureKind::Unreachable, .. } => NotSeen::HostAway,
        StepError::Failed { failure, .. } => NotSeen::Failed(failure.to_string()),
        other => NotSeen::Failed(other.to_string()),
    }
}
