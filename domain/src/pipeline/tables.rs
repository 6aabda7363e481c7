use super::{Phase, Pipeline, PipelineName, StepName, StepSpec};
use StepName as S;

pub(super) const fn step(name: StepName, weight: u16) -> StepSpec {
    StepSpec { name, weight, undo: false, may_cancel: true }
}

impl StepSpec {
    pub(super) const fn with_undo(self) -> Self {
        Self { undo: true, ..self }
    }

    pub(super) const fn no_way_back(self) -> Self {
        Self { may_cancel: false, ..self }
    }
}

pub(super) static CREATE: Pipeline = Pipeline {
    name: PipelineName::Create,
    phases: &[
        Phase {
            name: "creating",
            band: (0, 20),
            steps: &[
                step(S::LeaseVmid, 1).with_undo(),
                // The image stays when the create fails: others want it too.
                step(S::EnsureImage, 9),
                step(S::CreateGuest, 10).with_undo(),
            ],
        },
        // Taking the guest down again stops it first, so that starting needs no undo of its own.
        Phase { name: "starting", band: (20, 35), steps: &[step(S::StartGuest, 8), step(S::AwaitAddress, 7)] },
        Phase {
            name: "deploying",
            band: (35, 60),
            steps: &[step(S::AwaitUsable, 8), step(S::InstallHelpers, 5), step(S::DeployFiles, 12)],
        },
        Phase { name: "syncing", band: (60, 90), steps: &[step(S::InstallPackages, 12), step(S::RunScripts, 18)] },
        Phase {
            name: "finalizing",
            band: (90, 100),
            steps: &[
                step(S::DiscoverServices, 3),
                step(S::CollectCredentials, 2).with_undo(),
                step(S::VerifyPorts, 3),
                step(S::CheckHealth, 2),
                // Once it is said to be ready, taking it down is a delete.
                step(S::Finish, 1).no_way_back(),
            ],
        },
    ],
};

pub(super) static DELETE: Pipeline = Pipeline {
    name: PipelineName::Delete,
    phases: &[
        Phase { name: "stopping", band: (0, 40), steps: &[step(S::StopGuest, 1).with_undo()] },
        Phase { name: "deleting", band: (40, 90), steps: &[step(S::DestroyGuest, 1).no_way_back()] },
        Phase {
            name: "finalizing",
            band: (90, 100),
            steps: &[
                step(S::ForgetSecrets, 1).no_way_back(),
                step(S::ReleaseVmid, 1).no_way_back(),
                step(S::RecordRemoval, 1).no_way_back(),
            ],
        },
    ],
};

pub(super) static START: Pipeline = Pipeline {
    name: PipelineName::Start,
    phases: &[Phase {
        name: "starting",
        band: (0, 100),
        steps: &[step(S::StartGuest, 5).with_undo(), step(S::AwaitAddress, 4), step(S::RecordPower, 1)],
    }],
};

pub(super) static STOP: Pipeline = Pipeline {
    name: PipelineName::Stop,
    phases: &[Phase {
        name: "stopping",
        band: (0, 100),
        steps: &[step(S::StopGuest, 9).with_undo(), step(S::RecordPower, 1).no_way_back()],
    }],
};

pub(super) static SHUTDOWN: Pipeline = Pipeline {
    name: PipelineName::Shutdown,
    phases: &[Phase {
        name: "stopping",
        band: (0, 100),
        steps: &[step(S::ShutdownGuest, 9).with_undo(), step(S::RecordPower, 1).no_way_back()],
    }],
};

pub(super) static REBOOT: Pipeline = Pipeline {
    name: PipelineName::Reboot,
    phases: &[
        Phase { name: "stopping", band: (0, 60), steps: &[step(S::RebootGuest, 1).with_undo()] },
        Phase { name: "starting", band: (60, 100), steps: &[step(S::AwaitAddress, 3), step(S::RecordPower, 1)] },
    ],
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_bands_join_from_0_to_100_and_every_step_stands_once() {
        for name in PipelineName::ALL {
            let table = name.table();
            assert_eq!(table.name, name);
            let end = table.phases.iter().fold(0, |from, phase| {
                assert_eq!(phase.band.0, from, "{name:?} {}", phase.name);
                assert!(phase.band.1 > from && phase.steps.iter().all(|step| step.weight > 0));
                phase.band.1
            });
            assert_eq!(end, 100, "{name:?}");
            let names: BTreeSet<_> = table.steps().map(|step| step.name).collect();
            assert_eq!(names.len(), table.steps().count(), "{name:?}");
        }
    }

    #[test]
    fn a_step_past_the_point_of_no_return_is_followed_by_such_steps_or_by_what_is_left_to_a_retry() {
        for name in PipelineName::ALL {
            if name == PipelineName::Rebuild {
                // Starting is not taken back either: its undo only says how the guest is.
                let mut undone = name.table().steps().filter(|step| step.undo && step.name != S::StartGuest);
                assert!(undone.next().is_none(), "who cancels it keeps what is there");
                continue;
            }
            let flags: Vec<_> = name.table().steps().map(|step| step.may_cancel).collect();
            assert!(flags.is_sorted_by(|before, after| before >= after), "{name:?}");
        }
    }

    #[test]
    fn a_step_is_called_in_the_log_as_on_the_screen() {
        for spec in PipelineName::ALL.into_iter().flat_map(|name| name.table().steps()) {
            assert_eq!(serde_json::to_value(spec.name).unwrap(), spec.name.as_str());
        }
    }
}
