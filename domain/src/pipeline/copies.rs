//! Pipelines that copy what is in a container, and bring it back.

use super::tables::step;
use super::{Phase, Pipeline, PipelineName, StepName as S};

pub(super) static SNAPSHOT: Pipeline = Pipeline {
    name: PipelineName::Snapshot,
    phases: &[Phase { name: "copying", band: (0, 100), steps: &[step(S::TakeSnapshot, 1).with_undo()] }],
};

pub(super) static ROLLBACK: Pipeline = Pipeline {
    name: PipelineName::Rollback,
    phases: &[
        Phase { name: "stopping", band: (0, 20), steps: &[step(S::FindCopy, 1), step(S::HaltGuest, 9).with_undo()] },
        Phase {
            name: "restoring",
            band: (20, 80),
            steps: &[step(S::RollBack, 9).no_way_back(), step(S::RestoreSettings, 1).no_way_back()],
        },
        Phase { name: "starting", band: (80, 100), steps: &[step(S::StartAgain, 1).no_way_back()] },
    ],
};

pub(super) static DELETE_SNAPSHOT: Pipeline = Pipeline {
    name: PipelineName::DeleteSnapshot,
    phases: &[Phase { name: "deleting", band: (0, 100), steps: &[step(S::DeleteSnapshot, 1).no_way_back()] }],
};

pub(super) static BACKUP: Pipeline = Pipeline {
    name: PipelineName::Backup,
    phases: &[Phase { name: "copying", band: (0, 100), steps: &[step(S::BackUp, 1).with_undo()] }],
};

pub(super) static RESTORE: Pipeline = Pipeline {
    name: PipelineName::Restore,
    phases: &[
        Phase { name: "stopping", band: (0, 10), steps: &[step(S::FindCopy, 1), step(S::HaltGuest, 9).with_undo()] },
        // A restore that fails leaves no guest: Proxmox takes the old one away first. The retry makes it again.
        Phase {
            name: "restoring",
            band: (10, 90),
            steps: &[step(S::RestoreGuest, 9).no_way_back(), step(S::RestoreSettings, 1).no_way_back()],
        },
        Phase { name: "starting", band: (90, 100), steps: &[step(S::StartAgain, 1).no_way_back()] },
    ],
};

pub(super) static DELETE_BACKUP: Pipeline = Pipeline {
    name: PipelineName::DeleteBackup,
    phases: &[Phase { name: "deleting", band: (0, 100), steps: &[step(S::DeleteBackup, 1).no_way_back()] }],
};

pub(super) static CLONE: Pipeline = Pipeline {
    name: PipelineName::Clone,
    phases: &[
        Phase {
            name: "creating",
            band: (0, 75),
            steps: &[
                step(S::LeaseVmid, 1).with_undo(),
                step(S::SnapshotSource, 3).with_undo(),
                step(S::CreateGuest, 20).with_undo(),
                step(S::DropSourceSnapshot, 2),
                step(S::ConfigureGuest, 1),
            ],
        },
        Phase { name: "starting", band: (75, 95), steps: &[step(S::StartGuest, 1), step(S::AwaitAddress, 1)] },
        Phase { name: "finalizing", band: (95, 100), steps: &[step(S::Finish, 1).no_way_back()] },
    ],
};

pub(super) static RESTORE_NEW: Pipeline = Pipeline {
    name: PipelineName::RestoreNew,
    phases: &[
        Phase {
            name: "creating",
            band: (0, 75),
            steps: &[
                step(S::FindCopy, 1),
                step(S::LeaseVmid, 1).with_undo(),
                step(S::CreateGuest, 20).with_undo(),
                step(S::ConfigureGuest, 1),
            ],
        },
        Phase { name: "starting", band: (75, 95), steps: &[step(S::StartGuest, 1), step(S::AwaitAddress, 1)] },
        Phase { name: "finalizing", band: (95, 100), steps: &[step(S::Finish, 1).no_way_back()] },
    ],
};
