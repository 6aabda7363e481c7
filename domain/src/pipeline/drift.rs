//! Pipelines that bring Proxmox back to what is recorded.

use super::tables::step;
use super::{Phase, Pipeline, PipelineName, StepName as S};

pub(super) static PUT_BACK: Pipeline = Pipeline {
    name: PipelineName::PutBack,
    phases: &[
        Phase {
            name: "changing",
            band: (0, 60),
            steps: &[step(S::ChangeGuest, 4).with_undo(), step(S::GrowDisk, 5).no_way_back()],
        },
        Phase {
            name: "checking",
            band: (60, 100),
            steps: &[step(S::RestorePower, 8).no_way_back(), step(S::LookAgain, 2).no_way_back()],
        },
    ],
};

pub(super) static REMOVE_ORPHAN: Pipeline = Pipeline {
    name: PipelineName::RemoveOrphan,
    phases: &[Phase { name: "deleting", band: (0, 100), steps: &[step(S::RemoveOrphan, 1).no_way_back()] }],
};
