//! The copy that an operation makes: its account's quota is held for it until it is kept, or will never be.

use super::{Command, Operation};
use crate::pipeline::StepName;
use crate::quota::Takes;

impl Operation {
    /// None once it is there, and counts as one that is kept.
    #[must_use]
    pub fn making(&self) -> Option<Takes> {
        let command = &self.accepted()?.command;
        let kept = match command {
            Command::TakeSnapshot { .. } => self.has_succeeded(StepName::TakeSnapshot),
            Command::BackUp { .. } => self.has_succeeded(StepName::BackUp),
            Command::RebuildContainer { .. } => self.has_succeeded(StepName::BackUpFirst),
            // No record has this one: it is there until the end.
            Command::UpdateContainer { .. } => false,
            _ => return None,
        };
        command.takes().filter(|_| !kept && !self.has_ended())
    }
}
