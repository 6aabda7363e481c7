//! Pipelines that make a guest ours without making it, and give one back without destroying it.

use super::tables::step;
use super::{Phase, Pipeline, PipelineName, StepName as S};

pub(super) static ADOPT: Pipeline = Pipeline {
    name: PipelineName::Adopt,
    phases: &[
        Phase { name: "marking", band: (0, 80), steps: &[step(S::MarkGuest, 1).with_undo()] },
        Phase { name: "finalizing", band: (80, 100), steps: &[step(S::Finish, 1).no_way_back()] },
    ],
};

pub(super) static RELEASE: Pipeline = Pipeline {
    name: PipelineName::Release,
    phases: &[
        Phase { name: "unmarking", band: (0, 80), steps: &[step(S::UnmarkGuest, 1).no_way_back()] },
        Phase {
            name: "finalizing",
            band: (80, 100),
            steps: &[
                step(S::ForgetSecrets, 1).no_way_back(),
                step(S::ReleaseVmid, 1).no_way_back(),
                step(S::RecordRemoval, 1).no_way_back(),
            ],
        },
    ],
};
