//! Which snapshots a guest has, as Proxmox says: for steps, and for those who ask the API.

use std::sync::Arc;

use chrono::DateTime;
use domain::container::Guest;
use domain::copy::{self, NotSeen, Snapshot};
use domain::operation::FailureKind;
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
}

pub(crate) async fn snapshots(host: &Host, node: &str, vmid: u32) -> proxmox::Result<Vec<Snapshot>> {
    let found = host.client.lxc(node, vmid).snapshots().await?;
    let one = |snapshot: proxmox::Snapshot| {
        let (description, operation) = copy::unmarked(snapshot.description.as_deref().unwrap_or_default());
        let taken_at =
            snapshot.snaptime.and_then(|at| i64::try_from(at).ok()).and_then(|at| DateTime::from_timestamp(at, 0));
        Snapshot { name: snapshot.name, description, parent: snapshot.parent, taken_at, operation }
    };
    Ok(found.into_iter().map(one).collect())
}

fn not_seen(error: Error) -> NotSeen {
    if error.is_missing(Thing::Guest) { NotSeen::Gone } else { unseen(proxmox_failure(error)) }
}

fn unseen(error: StepError) -> NotSeen {
    match error {
        StepError::Failed { kind: FailureKind::Unreachable, .. } => NotSeen::HostAway,
        StepError::Failed { failure, .. } => NotSeen::Failed(failure.to_string()),
        other => NotSeen::Failed(other.to_string()),
    }
}
