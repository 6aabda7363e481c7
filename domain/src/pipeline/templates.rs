//! Pipelines that bring a container to what its template says.

use super::tables::step;
use super::{Phase, Pipeline, PipelineName, StepName as S};

/// The same version again.
pub(super) static APPLY: Pipeline = Pipeline {
    name: PipelineName::Apply,
    phases: &[
        Phase { name: "deploying", band: (0, 30), steps: &[step(S::InstallHelpers, 5), step(S::DeployFiles, 12)] },
        Phase { name: "syncing", band: (30, 85), steps: &[step(S::InstallPackages, 12), step(S::RunScripts, 18)] },
        Phase {
            name: "finalizing",
            band: (85, 100),
            steps: &[
                step(S::CollectCredentials, 2).with_undo(),
                step(S::VerifyPorts, 3),
                step(S::CheckHealth, 3),
                step(S::RecordTemplate, 1).no_way_back(),
            ],
        },
    ],
};

/// Another version, with a way back until it is seen to work.
pub(super) static UPDATE: Pipeline = Pipeline {
    name: PipelineName::Update,
    phases: &[
        Phase {
            name: "preparing",
            band: (0, 20),
            steps: &[step(S::CompareFiles, 3), step(S::GuardUpdate, 10).with_undo()],
        },
        Phase { name: "deploying", band: (20, 40), steps: &[step(S::InstallHelpers, 5), step(S::UpdateFiles, 12)] },
        Phase { name: "syncing", band: (40, 80), steps: &[step(S::InstallPackages, 12), step(S::RunScripts, 18)] },
        Phase {
            name: "finalizing",
            band: (80, 100),
            steps: &[
                step(S::CollectCredentials, 2).with_undo(),
                step(S::VerifyPorts, 3),
                step(S::CheckHealth, 3),
                step(S::DropGuard, 4).no_way_back(),
                step(S::RecordTemplate, 1).no_way_back(),
            ],
        },
    ],
};
