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
        Phase { name: "stopping", band: (0, 20), steps: &[step(S::HaltGuest, 1).with_undo()] },
        Phase { name: "restoring", band: (20, 80), steps: &[step(S::RollBack, 1).no_way_back()] },
        Phase { name: "starting", band: (80, 100), steps: &[step(S::StartAgain, 1).no_way_back()] },
    ],
};

pub(super) static DELETE_SNAPSHOT: Pipeline = Pipeline {
    name: PipelineName::DeleteSnapshot,
    phases: &[Phase { name: "deleting", band: (0, 100), steps: &[step(S::DeleteSnapshot, 1).no_way_back()] }],
};
