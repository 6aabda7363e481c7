use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Accepted, Failure, FailureKind, WaitReason};
use crate::container::{Change, Power, Rebuild, TemplateVersion};
use crate::copy::BackupMode;
use crate::pipeline::{PipelineName, StepName};
use crate::quota::Takes;
use crate::template::Take;
use crate::vmid::Vmid;
use crate::{AccountId, ContainerId, HostId, SealedId};

/// What was asked. Ids and plain values only, never a secret: it stands in the log for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Command {
    /// The wish itself stands in the container's stream.
    CreateContainer {
        container: ContainerId,
        #[serde(default)]
        keep_on_failure: bool,
    },
    DeleteContainer {
        container: ContainerId,
        /// Also from backup and replication jobs.
        #[serde(default)]
        purge: bool,
        /// Disks with its number that its settings do not name stay.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        keep_unreferenced: bool,
    },
    ResizeContainer {
        container: ContainerId,
        change: Change,
    },
    ChangeContainer {
        container: ContainerId,
        change: Change,
    },
    SetRootPassword {
        container: ContainerId,
        password: SealedId,
    },
    SuspendContainer {
        container: ContainerId,
    },
    ResumeContainer {
        container: ContainerId,
    },
    StartContainer {
        container: ContainerId,
    },
    StopContainer {
        container: ContainerId,
    },
    ShutdownContainer {
        container: ContainerId,
        /// How long the guest may take; then it is stopped.
        timeout_seconds: u32,
    },
    RebootContainer {
        container: ContainerId,
        timeout_seconds: u32,
    },
    TakeSnapshot {
        container: ContainerId,
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
    },
    RollBack {
        container: ContainerId,
        name: String,
        /// Whether it runs afterwards; as it was before when nothing is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        start: Option<bool>,
    },
    DeleteSnapshot {
        container: ContainerId,
        name: String,
    },
    BackUp {
        container: ContainerId,
        /// None: the node's one with the most room.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        storage: Option<String>,
        #[serde(default)]
        mode: BackupMode,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notes: Option<String>,
        #[serde(default)]
        protected: bool,
        /// The schedule that wants it, by its name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        schedule: Option<String>,
    },
    RestoreBackup {
        container: ContainerId,
        /// The name of the backup's file.
        backup: String,
        /// Whether it runs afterwards; as it was before when nothing is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        start: Option<bool>,
    },
    DeleteBackup {
        container: ContainerId,
        backup: String,
    },
    /// What the record says, set on Proxmox again.
    PutBack {
        container: ContainerId,
        change: Change,
        /// To run, or to rest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        power: Option<Power>,
        /// Our marker is to be on it again.
        #[serde(default)]
        marker: bool,
    },
    /// A guest that is there becomes a container's; the wish for it stands in the container's stream.
    AdoptGuest {
        container: ContainerId,
        host: HostId,
        node: String,
        vmid: Vmid,
        /// Whose it is to be.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<AccountId>,
    },
    /// The container ends, its guest stays.
    ReleaseContainer {
        container: ContainerId,
    },
    /// A guest that bears our marker, and no container has.
    RemoveOrphan {
        /// The one that its marker names.
        container: ContainerId,
        host: HostId,
        node: String,
        vmid: Vmid,
    },
    /// The wish for the clone stands in its own stream.
    CloneContainer {
        container: ContainerId,
        source: ContainerId,
        full: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        snapshot: Option<String>,
    },
    /// A new container from another's backup; the wish for it stands in its own stream.
    RestoreNew {
        container: ContainerId,
        source: ContainerId,
        backup: String,
    },
    /// Another guest in place of the one there is. What it is made from stands in the container's stream too.
    RebuildContainer {
        container: ContainerId,
        rebuild: Box<Rebuild>,
        /// Back the old one up before it goes.
        #[serde(default)]
        backup_first: bool,
    },
    /// The template at the version that the container has, again.
    ApplyTemplate {
        container: ContainerId,
    },
    UpdateContainer {
        container: ContainerId,
        from: TemplateVersion,
        to: TemplateVersion,
        #[serde(default)]
        take: Take,
        /// Its storage keeps none, or nobody wants one: then there is no way back.
        #[serde(default)]
        without_snapshot: bool,
        /// To the new version's questions, when something was answered anew.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answers: Option<SealedId>,
    },
}

impl Command {
    #[must_use]
    pub const fn pipeline(&self) -> PipelineName {
        match self {
            Self::CreateContainer { .. } => PipelineName::Create,
            Self::DeleteContainer { .. } => PipelineName::Delete,
            Self::ResizeContainer { .. } => PipelineName::Resize,
            Self::ChangeContainer { .. } => PipelineName::Change,
            Self::SetRootPassword { .. } => PipelineName::RootPassword,
            Self::SuspendContainer { .. } => PipelineName::Suspend,
            Self::ResumeContainer { .. } => PipelineName::Resume,
            Self::StartContainer { .. } => PipelineName::Start,
            Self::StopContainer { .. } => PipelineName::Stop,
            Self::ShutdownContainer { .. } => PipelineName::Shutdown,
            Self::RebootContainer { .. } => PipelineName::Reboot,
            Self::TakeSnapshot { .. } => PipelineName::Snapshot,
            Self::RollBack { .. } => PipelineName::Rollback,
            Self::DeleteSnapshot { .. } => PipelineName::DeleteSnapshot,
            Self::BackUp { .. } => PipelineName::Backup,
            Self::RestoreBackup { .. } => PipelineName::Restore,
            Self::DeleteBackup { .. } => PipelineName::DeleteBackup,
            Self::PutBack { .. } => PipelineName::PutBack,
            Self::RemoveOrphan { .. } => PipelineName::RemoveOrphan,
            Self::AdoptGuest { .. } => PipelineName::Adopt,
            Self::ReleaseContainer { .. } => PipelineName::Release,
            Self::CloneContainer { .. } => PipelineName::Clone,
            Self::RestoreNew { .. } => PipelineName::RestoreNew,
            Self::RebuildContainer { .. } => PipelineName::Rebuild,
            Self::ApplyTemplate { .. } => PipelineName::Apply,
            Self::UpdateContainer { .. } => PipelineName::Update,
        }
    }

    #[must_use]
    pub const fn target(&self) -> ContainerId {
        match self {
            Self::CreateContainer { container, .. }
            | Self::DeleteContainer { container, .. }
            | Self::ResizeContainer { container, .. }
            | Self::ChangeContainer { container, .. }
            | Self::SetRootPassword { container, .. }
            | Self::SuspendContainer { container }
            | Self::ResumeContainer { container }
            | Self::StartContainer { container }
            | Self::StopContainer { container }
            | Self::ShutdownContainer { container, .. }
            | Self::RebootContainer { container, .. }
            | Self::TakeSnapshot { container, .. }
            | Self::RollBack { container, .. }
            | Self::DeleteSnapshot { container, .. }
            | Self::BackUp { container, .. }
            | Self::RestoreBackup { container, .. }
            | Self::DeleteBackup { container, .. }
            | Self::PutBack { container, .. }
            | Self::RemoveOrphan { container, .. }
            | Self::AdoptGuest { container, .. }
            | Self::ReleaseContainer { container }
            | Self::CloneContainer { container, .. }
            | Self::RestoreNew { container, .. }
            | Self::RebuildContainer { container, .. }
            | Self::ApplyTemplate { container }
            | Self::UpdateContainer { container, .. } => *container,
        }
    }

    /// The container that comes to be by it.
    #[must_use]
    pub const fn creates(&self) -> Option<ContainerId> {
        match self {
            Self::CreateContainer { container, .. }
            | Self::CloneContainer { container, .. }
            | Self::AdoptGuest { container, .. }
            | Self::RestoreNew { container, .. } => Some(*container),
            _ => None,
        }
    }

    /// The container that it is for, when that is there already.
    #[must_use]
    pub const fn existing(&self) -> Option<ContainerId> {
        match self.creates() {
            Some(_) => None,
            None => Some(self.target()),
        }
    }

    /// The container that another one is made from.
    #[must_use]
    pub const fn source(&self) -> Option<ContainerId> {
        match self {
            Self::CloneContainer { source, .. } | Self::RestoreNew { source, .. } => Some(*source),
            _ => None,
        }
    }

    /// The container that is cloned; nobody else works on it meanwhile.
    #[must_use]
    pub const fn clones(&self) -> Option<ContainerId> {
        match self {
            Self::CloneContainer { source, .. } => Some(*source),
            _ => None,
        }
    }

    /// What is to become different, and is held in the container's stream until it has.
    #[must_use]
    pub const fn change(&self) -> Option<&Change> {
        match self {
            Self::ResizeContainer { change, .. } | Self::ChangeContainer { change, .. } => Some(change),
            _ => None,
        }
    }

    /// What more of the account's quota is taken by it.
    #[must_use]
    pub const fn takes(&self) -> Option<Takes> {
        match self {
            Self::CreateContainer { .. }
            | Self::CloneContainer { .. }
            | Self::RestoreNew { .. }
            | Self::AdoptGuest { .. }
            | Self::ResizeContainer { .. } => Some(Takes::Place),
            Self::TakeSnapshot { .. } | Self::UpdateContainer { without_snapshot: false, .. } => Some(Takes::Snapshot),
            Self::BackUp { .. } | Self::RebuildContainer { backup_first: true, .. } => Some(Takes::Backup),
            _ => None,
        }
    }

    /// What Proxmox is to have, whether the record has it already or not.
    #[must_use]
    pub const fn sets(&self) -> Option<&Change> {
        match self {
            Self::PutBack { change, .. } => Some(change),
            other => other.change(),
        }
    }

    /// What the container is made anew from.
    #[must_use]
    pub const fn rebuild(&self) -> Option<&Rebuild> {
        match self {
            Self::RebuildContainer { rebuild, .. } => Some(rebuild),
            _ => None,
        }
    }

    /// What was built stays when the operation fails.
    #[must_use]
    pub const fn keep_on_failure(&self) -> bool {
        matches!(self, Self::CreateContainer { keep_on_failure: true, .. })
    }
}

/// What is asked of an operation itself: by people to accept, cancel and retry, by the worker all else.
#[derive(Debug, Clone, PartialEq)]
pub enum OperationCommand {
    Accept(Accepted),
    /// From here on `worker` works on it; the event's version is the fence against whoever did before.
    Claim {
        worker: String,
    },
    /// This worker ends in order; another goes on.
    PutDown,
    /// `intent` holds every id that was chosen before the act.
    StartStep {
        step: StepName,
        intent: Value,
    },
    SucceedStep {
        step: StepName,
        fact: Value,
    },
    /// Whether and when it is tried again follows from the kind and from how often it failed.
    FailStep {
        step: StepName,
        kind: FailureKind,
        failure: Failure,
    },
    Wait {
        reason: WaitReason,
        until: Option<DateTime<Utc>>,
    },
    Resume,
    Cancel,
    Retry,
    StartUndo {
        step: StepName,
    },
    FinishUndo {
        step: StepName,
    },
    FailUndo {
        step: StepName,
        kind: FailureKind,
        failure: Failure,
    },
    /// The end that [`plan`](crate::plan::plan) said.
    Succeed {
        summary: Value,
    },
    Fail,
    FinishCancel,
    GetStuck,
}
