use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{BackupMade, Change, ContainerSpec, Deletion, Rebuild};
use crate::drift::Taken;
use crate::operation::Failure;
use crate::placement::Considered;
use crate::vmid::Vmid;
use crate::{AccountId, Event, HostId, OperationId, SealedId};

/// Who wants which container, and what was fixed when it was accepted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    pub spec: ContainerSpec,
    pub operation: OperationId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// Where it goes; none until a place is chosen for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<Placement>,
    /// None for a bare image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<TemplateVersion>,
    /// The root password, given or generated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_password: Option<SealedId>,
    /// Answers to the template's questions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<SealedId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    pub host: HostId,
    pub node: String,
    /// Why there, when it was not said where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
    /// Every node that was looked at, with what spoke for or against it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub considered: Vec<Considered>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateVersion {
    pub name: String,
    /// Of the template's content.
    pub hash: String,
}

/// How a guest came to rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopping {
    /// It shut itself down.
    Graceful,
    /// It did not within the limit, and was stopped.
    Forced,
    /// It was to be stopped at once.
    Immediate,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum ContainerEvent {
    #[serde(rename = "container.requested")]
    Requested(Box<Request>),
    /// A place was chosen for it.
    #[serde(rename = "container.placed")]
    Placed(Box<Placement>),
    #[serde(rename = "container.guest_created")]
    GuestCreated { host: HostId, node: String, vmid: Vmid },
    /// Taken down again, or destroyed.
    #[serde(rename = "container.guest_removed")]
    GuestRemoved,
    #[serde(rename = "container.address_learned")]
    AddressLearned { addresses: Vec<String> },
    #[serde(rename = "container.ready")]
    Ready {
        summary: Value,
        /// What the template's scripts saved.
        #[serde(default)]
        credentials: Vec<SealedId>,
    },
    #[serde(rename = "container.create_failed")]
    CreateFailed { error: Failure },
    /// Its create was taken back before it was ready.
    #[serde(rename = "container.create_cancelled")]
    CreateCancelled,
    /// A failed create is tried again.
    #[serde(rename = "container.create_retried")]
    CreateRetried,
    /// From now on it counts against the quota, and keeps other changes away.
    #[serde(rename = "container.change_accepted")]
    ChangeAccepted { change: Change },
    #[serde(rename = "container.changed")]
    Changed { change: Change },
    /// It was not made, or taken back.
    #[serde(rename = "container.change_dropped")]
    ChangeDropped,
    /// Sealed, to become root's.
    #[serde(rename = "container.root_password_given")]
    RootPasswordGiven { password: SealedId },
    #[serde(rename = "container.root_password_changed")]
    RootPasswordChanged { password: SealedId },
    /// Sealed answers to the questions of a version that it is to go on to.
    #[serde(rename = "container.answers_given")]
    AnswersGiven { answers: SealedId },
    #[serde(rename = "container.suspended")]
    Suspended,
    #[serde(rename = "container.resumed")]
    Resumed,
    #[serde(rename = "container.started")]
    Started,
    #[serde(rename = "container.stopped")]
    Stopped { how: Stopping },
    #[serde(rename = "container.rebooted")]
    Rebooted,
    #[serde(rename = "container.removed")]
    Removed,
    #[serde(rename = "container.snapshot_taken")]
    SnapshotTaken { name: String },
    #[serde(rename = "container.snapshot_deleted")]
    SnapshotDeleted { name: String },
    /// What it held since then is lost.
    #[serde(rename = "container.rolled_back")]
    RolledBack { name: String },
    #[serde(rename = "container.backed_up")]
    BackedUp(Box<BackupMade>),
    #[serde(rename = "container.backup_deleted")]
    BackupDeleted { volume: String },
    /// What it held since then is lost.
    #[serde(rename = "container.restored")]
    Restored { backup: String },
    /// Given back: its guest stays, and is nobody's of ours.
    #[serde(rename = "container.released")]
    Released,
    /// Until then it can be taken back.
    #[serde(rename = "container.delete_planned")]
    DeletePlanned(Deletion),
    #[serde(rename = "container.delete_withdrawn")]
    DeleteWithdrawn,
    #[serde(rename = "container.delete_begun")]
    DeleteBegun { operation: OperationId },
    /// The record has taken over what somebody changed on Proxmox.
    #[serde(rename = "container.drift_accepted")]
    DriftAccepted(Box<Taken>),
    #[serde(rename = "container.rebuild_accepted")]
    RebuildAccepted(Box<Rebuild>),
    /// From now on it is what the rebuild makes of it: its guest goes, and what that held.
    #[serde(rename = "container.rebuild_begun")]
    RebuildBegun { operation: OperationId },
    /// Its template was run through, at this version.
    #[serde(rename = "container.template_applied")]
    TemplateApplied {
        /// What it had before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<TemplateVersion>,
        to: TemplateVersion,
        /// What its scripts have saved by now.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        credentials: Vec<SealedId>,
        /// What its questions were answered with, when that is other than before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answers: Option<SealedId>,
    },
}

impl Event for ContainerEvent {}
