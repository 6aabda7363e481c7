//! A guest in place of the one there is. Everything that can be found out before the old one goes is found out before.
//! Nothing is taken down when it fails or is cancelled: a retry goes on from there.

use super::tables::step;
use super::{Phase, Pipeline, PipelineName, StepName as S};

pub(super) static REBUILD: Pipeline = Pipeline {
    name: PipelineName::Rebuild,
    phases: &[
        Phase {
            name: "preparing",
            band: (0, 25),
            // A backup that was made first stays, whatever comes of the rebuild.
            steps: &[step(S::KeepPlace, 1), step(S::EnsureImage, 9), step(S::BackUpFirst, 15)],
        },
        Phase {
            name: "deleting",
            band: (25, 35),
            steps: &[step(S::BeginRebuild, 1).no_way_back(), step(S::DestroyGuest, 9).no_way_back()],
        },
        Phase { name: "creating", band: (35, 45), steps: &[step(S::CreateGuest, 1)] },
        Phase {
            name: "starting",
            band: (45, 55),
            steps: &[step(S::StartGuest, 8).with_undo(), step(S::AwaitAddress, 7)],
        },
        Phase {
            name: "deploying",
            band: (55, 70),
            steps: &[step(S::AwaitUsable, 8), step(S::InstallHelpers, 5), step(S::DeployFiles, 12)],
        },
        Phase { name: "syncing", band: (70, 92), steps: &[step(S::InstallPackages, 12), step(S::RunScripts, 18)] },
        Phase {
            name: "finalizing",
            band: (92, 100),
            steps: &[
                step(S::DiscoverServices, 3),
                step(S::CollectCredentials, 2),
                step(S::VerifyPorts, 3),
                step(S::CheckHealth, 1),
                step(S::Finish, 1).no_way_back(),
            ],
        },
    ],
};
