//! An LXC guest that Gantry owns: what was asked for, and what became of it.

mod address;
mod backup;
mod change;
mod decide;
pub mod deletion;
mod event;
mod fixed;
pub mod marker;
mod rebuild;
mod spec;
mod ssh_key;
mod validate;

pub use backup::BackupMade;
pub use change::Change;
pub use decide::{ContainerCommand, ContainerRejection};
pub use deletion::Deletion;
pub use event::{ContainerEvent, Placement, Request, Stopping, TemplateVersion};
pub use fixed::Fixed;
pub use marker::marker;
pub use rebuild::Rebuild;
pub use spec::{ContainerSpec, Features, Ipv4, Ipv6, Network, Scripts, Source, Where};

use std::collections::{BTreeMap, BTreeSet};

use crate::vmid::Vmid;
use crate::{HostId, OperationId};

/// A container, folded from its stream.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Container {
    request: Option<Request>,
    guest: Option<Guest>,
    lifecycle: Lifecycle,
    power: Power,
    /// Accepted, and not made or dropped yet.
    changing: Option<Change>,
    /// The last that was accepted.
    rebuild: Option<Box<Rebuild>>,
    rebuilt: bool,
    addresses: Vec<String>,
    /// By name; what others took or deleted only Proxmox knows.
    snapshots: BTreeSet<String>,
    /// By volume.
    backups: BTreeMap<String, BackupMade>,
    /// Asked for, and not begun.
    deletion: Option<Deletion>,
}

/// What stands for it on Proxmox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    pub host: HostId,
    pub node: String,
    pub vmid: Vmid,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lifecycle {
    /// Nobody has asked for it yet.
    #[default]
    Unknown,
    Creating,
    Ready,
    Failed,
    Removed,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Power {
    #[default]
    Unknown,
    Running,
    /// Its state is kept on its node's disk.
    Suspended,
    Stopped,
}

impl Container {
    #[must_use]
    pub fn request(&self) -> Option<&Request> {
        self.request.as_ref()
    }

    #[must_use]
    pub fn guest(&self) -> Option<&Guest> {
        self.guest.as_ref()
    }

    #[must_use]
    pub const fn lifecycle(&self) -> Lifecycle {
        self.lifecycle
    }

    /// As our own actions left it; what Proxmox says now is another matter.
    #[must_use]
    pub const fn power(&self) -> Power {
        self.power
    }

    /// What it is to become, while an operation makes it so.
    #[must_use]
    pub const fn changing(&self) -> Option<&Change> {
        self.changing.as_ref()
    }

    #[must_use]
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// Those that we made and did not delete; whether they are still there only Proxmox knows.
    pub fn backups(&self) -> impl Iterator<Item = &BackupMade> {
        self.backups.values()
    }

    /// The names of those that we took and did not delete.
    pub fn snapshots(&self) -> impl Iterator<Item = &str> {
        self.snapshots.iter().map(String::as_str)
    }

    /// What there is of it was made by a rebuild, or is being made by one.
    #[must_use]
    pub const fn is_rebuilt(&self) -> bool {
        self.rebuilt
    }

    /// The operation that makes it; the last one that made it anew.
    #[must_use]
    pub fn created_by(&self) -> Option<OperationId> {
        self.request.as_ref().map(|request| request.operation)
    }
}
