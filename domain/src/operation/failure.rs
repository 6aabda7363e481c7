use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::pipeline::StepName;

/// What went wrong, in two voices: what its reader may know, and what only the operator's log tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Stable, part of the API: `storage-full`, `image-missing`.
    #[serde(rename = "type")]
    pub slug: String,
    pub title: String,
    /// What is wrong here and what to do about it.
    pub detail: String,
    /// Not for the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

impl Failure {
    #[must_use]
    pub fn new(slug: &str, title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { slug: slug.to_owned(), title: title.into(), detail: detail.into(), cause: None }
    }

    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    pub(crate) fn workers_died(step: StepName, times: u32) -> Self {
        let detail = format!("{times} workers in a row fell silent over {step}; look into their logs, then retry");
        Self::new("workers-died", "It ends its workers", detail)
    }

    /// For an undo that failed without saying why; its event always says, so this is for a log from elsewhere.
    pub(crate) fn undo_unknown(step: StepName) -> Self {
        Self::new("undo-failed", "Could not be taken down", format!("{step} could not be undone; look, then retry"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.title, self.detail)
    }
}

/// What kind of failure it is says how often and when to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// Somebody else holds it: a backup, a migration, another change.
    Locked,
    /// The host does not answer.
    Unreachable,
    /// It may work the next time.
    Temporary,
    /// It will not work the next time either: a wrong parameter, a missing privilege, a script that failed.
    Final,
}

/// What follows a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AfterFailure {
    Retry { at: DateTime<Utc> },
    GiveUp,
}

/// An undo is worth more patience: what it leaves behind costs somebody money.
const UNDO_TRIES: u32 = 5;

impl FailureKind {
    pub const ALL: [Self; 4] = [Self::Locked, Self::Unreachable, Self::Temporary, Self::Final];

    /// How often in all, the first wait, and the longest wait in seconds.
    const fn patience(self) -> (u32, i64, i64) {
        match self {
            Self::Locked => (60, 2, 30),
            Self::Unreachable => (60, 1, 60),
            Self::Temporary => (5, 1, 60),
            Self::Final => (1, 1, 60),
        }
    }

    /// After the `failures`th failure in a row.
    #[must_use]
    pub fn after_step(self, failures: u32, now: DateTime<Utc>) -> AfterFailure {
        self.after(self.patience().0, failures, now)
    }

    #[must_use]
    pub fn after_undo(self, failures: u32, now: DateTime<Utc>) -> AfterFailure {
        self.after(self.patience().0.max(UNDO_TRIES), failures, now)
    }

    fn after(self, tries: u32, failures: u32, now: DateTime<Utc>) -> AfterFailure {
        if failures >= tries {
            return AfterFailure::GiveUp;
        }
        let (_, first, longest) = self.patience();
        let doublings = failures.saturating_sub(1).min(16);
        AfterFailure::Retry { at: now + TimeDelta::seconds((first << doublings).min(longest)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_to_its_limit_and_then_it_gives_up() {
        let now = DateTime::UNIX_EPOCH;
        let waits: Vec<_> = (1..=5).map(|failures| FailureKind::Temporary.after_step(failures, now)).collect();
        let at = |seconds| AfterFailure::Retry { at: now + TimeDelta::seconds(seconds) };
        assert_eq!(waits, [at(1), at(2), at(4), at(8), AfterFailure::GiveUp]);
        assert_eq!(FailureKind::Locked.after_step(59, now), at(30));
    }

    #[test]
    fn a_final_failure_ends_a_step_at_once_but_not_an_undo() {
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(FailureKind::Final.after_step(1, now), AfterFailure::GiveUp);
        assert!(matches!(FailureKind::Final.after_undo(4, now), AfterFailure::Retry { .. }));
        assert_eq!(FailureKind::Final.after_undo(5, now), AfterFailure::GiveUp);
    }
}
