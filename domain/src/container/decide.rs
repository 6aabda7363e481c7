use serde_json::Value;

use super::{
    BackupMade, Change, Container, ContainerEvent, Deletion, Guest, Lifecycle, Placement, Power, Rebuild, Request,
    Stopping, TemplateVersion,
};
use crate::drift::Taken;
use crate::field::{self, FieldError};
use crate::operation::Failure;
use crate::vmid::Vmid;
use crate::{Aggregate, ContainerId, HostId, OperationId, SealedId};

use ContainerCommand as C;
use ContainerEvent as E;
use ContainerRejection as No;

/// People request; all else the worker found to be so.
#[derive(Debug, Clone, PartialEq)]
pub enum ContainerCommand {
    Request(Box<Request>),
    RecordPlacement(Box<Placement>),
    RecordGuest {
        host: HostId,
        node: String,
        vmid: Vmid,
    },
    RecordGuestRemoved,
    LearnAddresses(Vec<String>),
    BecomeReady {
        summary: Value,
        credentials: Vec<SealedId>,
    },
    FailCreate(Failure),
    CancelCreate,
    RetryCreate,
    AcceptChange(Change),
    RecordChange,
    DropChange,
    GiveRootPassword(SealedId),
    RecordRootPassword(SealedId),
    GiveAnswers(SealedId),
    RecordSuspended,
    RecordResumed,
    RecordStarted,
    RecordStopped(Stopping),
    RecordRebooted,
    Remove,
    RecordSnapshot(String),
    RecordSnapshotDeleted(String),
    RecordRolledBack(String),
    RecordBackup(Box<BackupMade>),
    RecordBackupDeleted {
        volume: String,
    },
    RecordRestored {
        backup: String,
    },
    AcceptRebuild(Box<Rebuild>),
    BeginRebuild(OperationId),
    /// It failed or was cancelled after it had begun.
    RetryRebuild(OperationId),
    AcceptDrift(Box<Taken>),
    RecordTemplate {
        from: Option<TemplateVersion>,
        to: TemplateVersion,
        credentials: Vec<SealedId>,
        answers: Option<SealedId>,
    },
    Release,
    PlanDelete(Deletion),
    WithdrawDelete,
    /// The time has come.
    BeginDelete(OperationId),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContainerRejection {
    #[error("there is no such container")]
    Unknown,
    #[error("the container has been requested before")]
    AlreadyRequested,
    #[error("the wish is not right: {}", field::list(.0))]
    Invalid(Vec<FieldError>),
    #[error("the container has been removed")]
    Removed,
    #[error("the container has no guest on Proxmox")]
    NoGuest,
    #[error("the container has guest {vmid} on {node} already")]
    OtherGuest { node: String, vmid: Vmid },
    #[error("the container is not being created")]
    NotCreating,
    #[error("the container is not ready")]
    NotReady,
    #[error("the container is being changed already")]
    Changing,
    #[error("the container's create has not failed")]
    NotFailed,
    #[error("its create failed: retry that, or delete the container")]
    NotMade,
    #[error("another rebuild of the container was begun since")]
    Superseded,
    #[error("nobody has asked to delete the container later, or its delete has begun")]
    NotToBeDeleted,
}

impl Aggregate for Container {
    const CATEGORY: &'static str = "container";

    type Id = ContainerId;
    type Command = ContainerCommand;
    type Event = ContainerEvent;
    type Rejection = ContainerRejection;
    type Given = ();

    fn decide(&self, command: C, (): &()) -> Result<Vec<E>, No> {
        match (self.lifecycle, command) {
            (Lifecycle::Unknown, C::Request(request)) => match request.spec.validate() {
                errors if errors.is_empty() => Ok(vec![E::Requested(request)]),
                errors => Err(No::Invalid(errors)),
            },
            (_, C::Request(_)) => Err(No::AlreadyRequested),
            (Lifecycle::Unknown, _) => Err(No::Unknown),
            // Both may be said again by a step that runs twice.
            (Lifecycle::Removed, C::Remove | C::CancelCreate | C::Release) => Ok(vec![]),
            // Backups outlive it.
            (Lifecycle::Removed, C::RecordBackupDeleted { volume }) => Ok(self.without_backup(volume)),
            (Lifecycle::Removed, _) => Err(No::Removed),
            (_, command) => self.go_on(command),
        }
    }

    fn evolve(mut self, event: &E) -> Self {
        match event {
            E::Requested(request) => {
                self.request = Some((**request).clone());
                self.lifecycle = Lifecycle::Creating;
            }
            E::Placed(placement) => {
                if let Some(request) = &mut self.request {
                    request.placement = Some((**placement).clone());
                }
            }
            E::GuestCreated { host, node, vmid } => {
                self.guest = Some(Guest { host: *host, node: node.clone(), vmid: *vmid });
                self.power = Power::Stopped;
            }
            E::GuestRemoved => self.lose_guest(),
            E::AddressLearned { addresses } => self.addresses.clone_from(addresses),
            E::Ready { .. } => self.lifecycle = Lifecycle::Ready,
            E::CreateFailed { .. } => self.lifecycle = Lifecycle::Failed,
            E::CreateRetried => self.lifecycle = Lifecycle::Creating,
            E::ChangeAccepted { change } => self.changing = Some(change.clone()),
            E::Changed { change } => {
                if let Some(request) = &mut self.request {
                    request.spec = change.of(&request.spec);
                }
                self.changing = None;
            }
            E::ChangeDropped => self.changing = None,
            E::RootPasswordChanged { password } => {
                if let Some(request) = &mut self.request {
                    request.root_password = Some(*password);
                }
            }
            E::RootPasswordGiven { .. } | E::AnswersGiven { .. } => {}
            E::Suspended => self.power = Power::Suspended,
            E::Started | E::Resumed | E::Rebooted => self.power = Power::Running,
            E::Stopped { .. } => self.power = Power::Stopped,
            E::Removed | E::Released | E::CreateCancelled => {
                self.lose_guest();
                self.deletion = None;
                self.lifecycle = Lifecycle::Removed;
            }
            E::SnapshotTaken { name } => drop(self.snapshots.insert(name.clone())),
            E::SnapshotDeleted { name } => drop(self.snapshots.remove(name)),
            E::RolledBack { .. } => {}
            // Its disks are others now.
            E::Restored { .. } => self.snapshots.clear(),
            E::DriftAccepted(taken) => self.take_over(taken),
            E::TemplateApplied { to, answers, .. } => {
                if let Some(request) = &mut self.request {
                    request.template = Some(to.clone());
                    request.inputs = answers.or(request.inputs);
                }
            }
            E::DeletePlanned(deletion) => self.deletion = Some(*deletion),
            E::DeleteWithdrawn | E::DeleteBegun { .. } => self.deletion = None,
            E::BackedUp(made) => drop(self.backups.insert(made.volume.clone(), (**made).clone())),
            E::BackupDeleted { volume } => drop(self.backups.remove(volume)),
            E::RebuildAccepted(rebuild) => self.rebuild = Some(rebuild.clone()),
            E::RebuildBegun { .. } => {
                if let (Some(request), Some(rebuild)) = (&mut self.request, &self.rebuild) {
                    *request = rebuild.of(request);
                }
                self.rebuilt = true;
                self.lifecycle = Lifecycle::Creating;
            }
        }
        self
    }
}

impl Container {
    fn go_on(&self, command: C) -> Result<Vec<E>, No> {
        Ok(match command {
            C::RecordGuest { host, node, vmid } => {
                let found = Guest { host, node, vmid };
                match &self.guest {
                    Some(guest) if *guest == found => vec![],
                    Some(Guest { node, vmid, .. }) => return Err(No::OtherGuest { node: node.clone(), vmid: *vmid }),
                    None => vec![E::GuestCreated { host: found.host, node: found.node, vmid: found.vmid }],
                }
            }
            C::RecordPlacement(placement) => {
                let before = self.request().and_then(|request| request.placement.as_ref());
                if before == Some(&*placement) { vec![] } else { vec![E::Placed(placement)] }
            }
            C::RecordGuestRemoved => self.guest.iter().map(|_| E::GuestRemoved).collect(),
            C::LearnAddresses(addresses) if addresses == self.addresses => vec![],
            C::LearnAddresses(addresses) => {
                self.with_guest()?;
                vec![E::AddressLearned { addresses }]
            }
            C::BecomeReady { .. } if self.lifecycle == Lifecycle::Ready => vec![],
            C::BecomeReady { summary, credentials } => {
                self.creating()?;
                self.with_guest()?;
                vec![E::Ready { summary, credentials }]
            }
            C::FailCreate(_) if self.lifecycle == Lifecycle::Failed => vec![],
            C::FailCreate(error) => {
                self.creating()?;
                vec![E::CreateFailed { error }]
            }
            C::CancelCreate => {
                self.creating()?;
                vec![E::CreateCancelled]
            }
            C::RetryCreate if self.lifecycle == Lifecycle::Creating => vec![],
            C::RetryCreate if self.lifecycle == Lifecycle::Failed => vec![E::CreateRetried],
            C::RetryCreate => return Err(No::NotFailed),
            C::AcceptChange(change) => self.accept_change(change)?,
            C::RecordChange => self.changing.iter().map(|change| E::Changed { change: change.clone() }).collect(),
            C::DropChange => self.changing.iter().map(|_| E::ChangeDropped).collect(),
            C::GiveRootPassword(password) => {
                self.ready()?;
                vec![E::RootPasswordGiven { password }]
            }
            C::GiveAnswers(answers) => {
                self.ready()?;
                vec![E::AnswersGiven { answers }]
            }
            C::RecordRootPassword(password) => {
                let had = self.request.as_ref().and_then(|request| request.root_password);
                if had == Some(password) { vec![] } else { vec![E::RootPasswordChanged { password }] }
            }
            C::RecordSuspended => self.changed(Power::Suspended, E::Suspended)?,
            C::RecordResumed => self.changed(Power::Running, E::Resumed)?,
            C::RecordStarted => self.changed(Power::Running, E::Started)?,
            C::RecordStopped(how) => self.changed(Power::Stopped, E::Stopped { how })?,
            C::RecordRebooted => {
                self.with_guest()?;
                vec![E::Rebooted]
            }
            C::Remove => vec![E::Removed],
            C::Release => vec![E::Released],
            C::PlanDelete(deletion) => vec![E::DeletePlanned(deletion)],
            C::WithdrawDelete => self.withdraw_delete()?,
            C::BeginDelete(operation) => self.begin_delete(operation)?,
            C::RecordSnapshot(name) => self.about_guest(E::SnapshotTaken { name })?,
            C::RecordSnapshotDeleted(name) => self.about_guest(E::SnapshotDeleted { name })?,
            C::RecordRolledBack(name) => self.about_guest(E::RolledBack { name })?,
            C::RecordBackup(made) if self.backups.contains_key(&made.volume) => vec![],
            C::RecordBackup(made) => self.about_guest(E::BackedUp(made))?,
            C::RecordBackupDeleted { volume } => self.without_backup(volume),
            C::RecordRestored { backup } => self.about_guest(E::Restored { backup })?,
            C::AcceptDrift(taken) => {
                self.ready()?;
                if self.changing.is_some() {
                    return Err(No::Changing);
                }
                self.about_guest(E::DriftAccepted(taken))?
            }
            C::AcceptRebuild(rebuild) => self.accept_rebuild(rebuild)?,
            C::BeginRebuild(operation) => self.begin_rebuild(operation)?,
            C::RetryRebuild(operation) if self.created_by() != Some(operation) => return Err(No::Superseded),
            C::RetryRebuild(_) => self.go_on(C::RetryCreate)?,
            C::RecordTemplate { from, to, credentials, answers } => {
                self.about_guest(E::TemplateApplied { from, to, credentials, answers })?
            }
            C::Request(_) => return Err(No::AlreadyRequested),
        })
    }

    fn with_guest(&self) -> Result<&Guest, No> {
        self.guest.as_ref().ok_or(No::NoGuest)
    }

    /// Of one that others made nothing was said, and nothing is.
    fn without_backup(&self, volume: String) -> Vec<E> {
        if self.backups.contains_key(&volume) { vec![E::BackupDeleted { volume }] } else { vec![] }
    }

    fn about_guest(&self, event: E) -> Result<Vec<E>, No> {
        self.with_guest()?;
        Ok(vec![event])
    }

    fn ready(&self) -> Result<(), No> {
        if self.lifecycle == Lifecycle::Ready { Ok(()) } else { Err(No::NotReady) }
    }

    fn accept_change(&self, change: Change) -> Result<Vec<E>, No> {
        self.ready()?;
        match (&self.changing, &self.request) {
            (Some(under_way), _) if *under_way == change => Ok(vec![]),
            (Some(_), _) => Err(No::Changing),
            (None, Some(request)) => match change.faults(&request.spec) {
                errors if errors.is_empty() => Ok(vec![E::ChangeAccepted { change }]),
                errors => Err(No::Invalid(errors)),
            },
            (None, None) => Err(No::Unknown),
        }
    }

    /// Also of one whose last rebuild failed: that is how to try another template.
    fn accept_rebuild(&self, rebuild: Box<Rebuild>) -> Result<Vec<E>, No> {
        match self.lifecycle {
            _ if self.changing.is_some() => Err(No::Changing),
            Lifecycle::Failed if !self.is_rebuilt() => Err(No::NotMade),
            Lifecycle::Ready | Lifecycle::Failed if self.rebuild.as_ref() == Some(&rebuild) => Ok(vec![]),
            Lifecycle::Ready | Lifecycle::Failed => Ok(vec![E::RebuildAccepted(rebuild)]),
            _ => Err(No::NotReady),
        }
    }

    fn begin_rebuild(&self, operation: OperationId) -> Result<Vec<E>, No> {
        match (&self.rebuild, self.lifecycle) {
            (Some(rebuild), _) if rebuild.operation != operation => Err(No::Superseded),
            (Some(_), Lifecycle::Creating) => Ok(vec![]),
            (Some(_), Lifecycle::Ready | Lifecycle::Failed) => Ok(vec![E::RebuildBegun { operation }]),
            _ => Err(No::NotReady),
        }
    }

    fn creating(&self) -> Result<(), No> {
        if self.lifecycle == Lifecycle::Creating { Ok(()) } else { Err(No::NotCreating) }
    }

    fn changed(&self, power: Power, event: E) -> Result<Vec<E>, No> {
        self.with_guest()?;
        Ok(if self.power == power { vec![] } else { vec![event] })
    }

    fn take_over(&mut self, taken: &Taken) {
        if let Some(request) = &mut self.request {
            request.spec = taken.change.of(&request.spec);
        }
        self.power = taken.power.unwrap_or(self.power);
        if let (Some(guest), Some(node)) = (&mut self.guest, &taken.node) {
            guest.node.clone_from(node);
        }
    }
}
