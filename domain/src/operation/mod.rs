//! One accepted command and its execution: what was asked, what was done of it, and how it ended.

mod command;
mod decide;
mod event;
mod failure;
mod making;
mod rejection;
mod state;
mod step_run;
mod waiting;
mod why;

pub use command::{Command, OperationCommand};
pub use event::{Accepted, OperationEvent};
pub use failure::{AfterFailure, Failure, FailureKind};
pub use rejection::OperationRejection;
pub use state::{End, Operation, Status};
pub use step_run::{StepRun, StepState};
pub use waiting::{WaitReason, Waiting};
pub use why::{Why, stalled, why};

use chrono::{DateTime, Utc};

/// What deciding about an operation needs to know.
#[derive(Debug, Clone, Copy)]
pub struct Given {
    pub now: DateTime<Utc>,
}
