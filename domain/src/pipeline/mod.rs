//! Pipelines are tables: phases with percent bands, each with its steps. What a step does is the worker's; in which
//! order, whether it can be undone and how much of the way it is stands here.

mod adopt;
mod changes;
mod copies;
mod drift;
mod percent;
mod rebuild;
mod step;
mod tables;
mod templates;

use serde::{Deserialize, Serialize};

pub use percent::percent;
pub use step::StepName;

/// Names are in the log: add freely, never rename or remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PipelineName {
    Create,
    Delete,
    Resize,
    Change,
    RootPassword,
    Suspend,
    Resume,
    Start,
    Stop,
    Shutdown,
    Reboot,
    Snapshot,
    Rollback,
    DeleteSnapshot,
    Backup,
    Restore,
    DeleteBackup,
    Clone,
    RestoreNew,
    PutBack,
    RemoveOrphan,
    Rebuild,
    /// Its template, again.
    Apply,
    /// Its template's other version.
    Update,
    Adopt,
    Release,
}

#[derive(Debug)]
pub struct Pipeline {
    pub name: PipelineName,
    pub phases: &'static [Phase],
}

#[derive(Debug)]
pub struct Phase {
    pub name: &'static str,
    /// Percent of the whole at the phase's begin and end.
    pub band: (u8, u8),
    pub steps: &'static [StepSpec],
}

#[derive(Debug, Clone, Copy)]
pub struct StepSpec {
    pub name: StepName,
    /// The step's part of its phase's band, against the other steps of the phase.
    pub weight: u16,
    /// Leaves something behind that has to be taken down again when the operation fails or is cancelled.
    pub undo: bool,
    /// From a step that may not be cancelled on there is no way back: the guest is being destroyed. Where steps that may
    /// be follow, as in a rebuild, a cancellation leaves what is there to a retry.
    pub may_cancel: bool,
}

impl PipelineName {
    pub const ALL: [Self; 26] = [
        Self::Create,
        Self::Delete,
        Self::Resize,
        Self::Change,
        Self::RootPassword,
        Self::Suspend,
        Self::Resume,
        Self::Start,
        Self::Stop,
        Self::Shutdown,
        Self::Reboot,
        Self::Snapshot,
        Self::Rollback,
        Self::DeleteSnapshot,
        Self::Backup,
        Self::Restore,
        Self::DeleteBackup,
        Self::Clone,
        Self::RestoreNew,
        Self::PutBack,
        Self::RemoveOrphan,
        Self::Rebuild,
        Self::Apply,
        Self::Update,
        Self::Adopt,
        Self::Release,
    ];

    #[must_use]
    pub fn table(self) -> &'static Pipeline {
        match self {
            Self::Create => &tables::CREATE,
            Self::Delete => &tables::DELETE,
            Self::Resize => &changes::RESIZE,
            Self::Change => &changes::CHANGE,
            Self::RootPassword => &changes::ROOT_PASSWORD,
            Self::Suspend => &changes::SUSPEND,
            Self::Resume => &changes::RESUME,
            Self::Start => &tables::START,
            Self::Stop => &tables::STOP,
            Self::Shutdown => &tables::SHUTDOWN,
            Self::Reboot => &tables::REBOOT,
            Self::Snapshot => &copies::SNAPSHOT,
            Self::Rollback => &copies::ROLLBACK,
            Self::DeleteSnapshot => &copies::DELETE_SNAPSHOT,
            Self::Backup => &copies::BACKUP,
            Self::Restore => &copies::RESTORE,
            Self::DeleteBackup => &copies::DELETE_BACKUP,
            Self::Clone => &copies::CLONE,
            Self::RestoreNew => &copies::RESTORE_NEW,
            Self::PutBack => &drift::PUT_BACK,
            Self::RemoveOrphan => &drift::REMOVE_ORPHAN,
            Self::Rebuild => &rebuild::REBUILD,
            Self::Apply => &templates::APPLY,
            Self::Update => &templates::UPDATE,
            Self::Adopt => &adopt::ADOPT,
            Self::Release => &adopt::RELEASE,
        }
    }
}

impl Pipeline {
    /// All steps in the order in which they run.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = &'static StepSpec> + use<> {
        self.phases.iter().flat_map(|phase| phase.steps)
    }

    #[must_use]
    pub fn step(&self, name: StepName) -> Option<&'static StepSpec> {
        self.steps().find(|step| step.name == name)
    }

    #[must_use]
    pub fn phase_of(&self, name: StepName) -> Option<&'static Phase> {
        self.phases.iter().find(|phase| phase.steps.iter().any(|step| step.name == name))
    }
}
