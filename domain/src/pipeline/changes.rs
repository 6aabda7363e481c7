//! Pipelines that make a container different, or put it to sleep.

use super::tables::step;
use super::{Phase, Pipeline, PipelineName, StepName as S};

pub(super) static RESIZE: Pipeline = Pipeline {
    name: PipelineName::Resize,
    phases: &[Phase {
        name: "changing",
        band: (0, 100),
        steps: &[
            step(S::ChangeGuest, 4).with_undo(),
            // Disks never shrink: what is done here stays.
            step(S::GrowDisk, 5).no_way_back(),
            step(S::RecordChange, 1).no_way_back(),
        ],
    }],
};

pub(super) static CHANGE: Pipeline = Pipeline {
    name: PipelineName::Change,
    phases: &[Phase {
        name: "changing",
        band: (0, 100),
        steps: &[step(S::ChangeGuest, 9).with_undo(), step(S::RecordChange, 1).no_way_back()],
    }],
};

pub(super) static ROOT_PASSWORD: Pipeline = Pipeline {
    name: PipelineName::RootPassword,
    phases: &[Phase {
        name: "changing",
        band: (0, 100),
        // The password before is not known any more to anybody but the container.
        steps: &[step(S::SetRootPassword, 9).no_way_back()],
    }],
};

pub(super) static SUSPEND: Pipeline = Pipeline {
    name: PipelineName::Suspend,
    phases: &[Phase {
        name: "suspending",
        band: (0, 100),
        steps: &[step(S::SuspendGuest, 9).with_undo(), step(S::RecordPower, 1).no_way_back()],
    }],
};

pub(super) static RESUME: Pipeline = Pipeline {
    name: PipelineName::Resume,
    phases: &[Phase {
        name: "resuming",
        band: (0, 100),
        steps: &[step(S::ResumeGuest, 9).with_undo(), step(S::RecordPower, 1).no_way_back()],
    }],
};
