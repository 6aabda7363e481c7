use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AfterFailure, Failure};

/// What a step has been through.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StepRun {
    pub state: StepState,
    /// How often it was started in all.
    pub attempts: u32,
    /// Failures in a row, since the last success or retry.
    pub failures: u32,
    pub undo_attempts: u32,
    pub undo_failures: u32,
    /// The ids that were chosen; kept for every attempt that follows.
    pub intent: Option<Value>,
    pub fact: Option<Value>,
    pub error: Option<Failure>,
    /// What follows the last failure, of the step or of its undo.
    pub after: Option<AfterFailure>,
    /// Another worker took over while it was being done or undone: nobody knows how far it got.
    pub interrupted: bool,
    /// How many workers fell silent over it in a row, without a word of having put it down.
    pub deaths: u32,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    #[default]
    Pending,
    Started,
    Succeeded,
    Failed,
    Undoing,
    Undone,
    UndoFailed,
}

impl StepState {
    /// There may be something to take down.
    #[must_use]
    pub const fn left_something(self) -> bool {
        !matches!(self, Self::Pending | Self::Undone)
    }
}

impl StepRun {
    pub(super) fn start(&mut self, attempt: u32, intent: &Value) {
        self.state = StepState::Started;
        self.attempts = attempt;
        self.interrupted = false;
        self.after = None;
        if !intent.is_null() {
            self.intent = Some(intent.clone());
        }
    }

    pub(super) fn succeed(&mut self, fact: &Value) {
        self.state = StepState::Succeeded;
        self.failures = 0;
        self.deaths = 0;
        self.interrupted = false;
        self.error = None;
        self.after = None;
        self.fact = Some(fact.clone());
    }

    pub(super) fn fail(&mut self, state: StepState, error: &Failure, next: AfterFailure) {
        self.state = state;
        self.deaths = 0;
        self.interrupted = false;
        self.error = Some(error.clone());
        self.after = Some(next);
    }

    pub(super) fn start_undo(&mut self, attempt: u32) {
        self.state = StepState::Undoing;
        self.undo_attempts = attempt;
        self.interrupted = false;
        self.after = None;
    }

    pub(super) fn undone(&mut self) {
        self.state = StepState::Undone;
        self.undo_failures = 0;
        self.deaths = 0;
        self.interrupted = false;
        self.after = None;
        self.fact = None;
    }

    /// As if it had never run; but its ids stay chosen and its attempts counted.
    pub(super) fn reset(&mut self) {
        *self = Self {
            attempts: self.attempts,
            undo_attempts: self.undo_attempts,
            intent: self.intent.take(),
            ..Self::default()
        };
    }
}
