//! What a watcher of an operation sees. Stored before it is published, numbered within its operation.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::operation::{AfterFailure, Failure, OperationEvent, Status};
use crate::pipeline::{Pipeline, StepName};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    #[serde(flatten)]
    pub kind: ProgressKind,
    pub timestamp: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ProgressKind {
    /// The operation went on, or a step told how far it is.
    Step {
        /// The phase, as in `creating`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        part: Option<StepName>,
        percent: u8,
        message: String,
    },
    /// A line that a script or a task said.
    Log { source: String, stream: LogStream, message: String },
    /// It has succeeded: the last event.
    Complete { percent: u8, message: String, summary: Value },
    /// It has ended otherwise: the last event.
    Error { status: Status, message: String, error: Option<PublicFailure> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogStream {
    Stdout,
    Stderr,
}

/// The part of a [`Failure`] that its reader may know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicFailure {
    #[serde(rename = "type")]
    pub slug: String,
    pub title: String,
    pub detail: String,
}

impl From<&Failure> for PublicFailure {
    fn from(failure: &Failure) -> Self {
        Self { slug: failure.slug.clone(), title: failure.title.clone(), detail: failure.detail.clone() }
    }
}

impl ProgressKind {
    /// After the last event nothing follows, unless somebody retries.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        matches!(self, Self::Complete { .. } | Self::Error { .. })
    }
}

/// What an event of an operation tells its watchers. `highest` is the percent that was shown before.
#[must_use]
pub fn progress_of(pipeline: &Pipeline, event: &OperationEvent, highest: u8) -> Option<ProgressKind> {
    use OperationEvent as E;
    let step = |part: StepName, percent: u8, message: String| ProgressKind::Step {
        step: pipeline.phase_of(part).map(|phase| phase.name.to_owned()),
        part: Some(part),
        percent: percent.max(highest),
        message,
    };
    let word = |message: String| ProgressKind::Step { step: None, part: None, percent: highest, message };
    let ended = |status, message: &str, error: Option<&Failure>| ProgressKind::Error {
        status,
        message: message.to_owned(),
        error: error.map(PublicFailure::from),
    };
    Some(match event {
        E::Accepted(_) => word("Accepted".to_owned()),
        E::StepStarted { step: part, attempt, .. } => {
            let again = if *attempt > 1 { format!(" (attempt {attempt})") } else { String::new() };
            step(*part, reached(pipeline, *part, false), format!("{}{again}", part.title()))
        }
        E::StepSucceeded { step: part, .. } => {
            step(*part, reached(pipeline, *part, true), format!("{}: done", part.title()))
        }
        E::StepFailed { step: part, error, next, .. } => {
            let then = if matches!(next, AfterFailure::Retry { .. }) { "; it is tried again" } else { "" };
            step(*part, highest, format!("{error}{then}"))
        }
        E::Waiting { reason, .. } => word(format!("Waiting: {reason}")),
        E::CancelRequested => word("Cancellation was asked for".to_owned()),
        E::RetryRequested => word("It is tried again".to_owned()),
        E::UndoStarted { step: part, .. } => step(*part, highest, format!("Taking back: {}", part.title())),
        E::UndoFailed { step: part, error, .. } => step(*part, highest, format!("Taking back failed: {error}")),
        E::Succeeded { summary } => {
            ProgressKind::Complete { percent: 100, message: "Ready".to_owned(), summary: summary.clone() }
        }
        E::Failed { error } => ended(Status::Failed, &error.to_string(), Some(error)),
        E::Cancelled => ended(Status::Cancelled, "Cancelled; what was built is taken down", None),
        E::Stuck { error } => ended(Status::Stuck, "An operator has to look at it", Some(error)),
        E::Claimed { .. } | E::Resumed | E::Undone { .. } => return None,
    })
}

/// The percent at a step's begin or end.
#[must_use]
pub fn reached(pipeline: &Pipeline, name: StepName, ended: bool) -> u8 {
    let Some(phase) = pipeline.phase_of(name) else { return 0 };
    let total: u32 = phase.steps.iter().map(|step| u32::from(step.weight)).sum();
    let before: u32 = phase.steps.iter().take_while(|step| step.name != name).map(|step| u32::from(step.weight)).sum();
    let own = phase.steps.iter().find(|step| step.name == name).map_or(0, |step| u32::from(step.weight));
    let done = before + if ended { own } else { 0 };
    let (from, to) = (u32::from(phase.band.0), u32::from(phase.band.1));
    u8::try_from(from + (to - from) * done / total.max(1)).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::PipelineName;

    #[test]
    fn steps_reach_from_0_to_100_and_each_begins_where_the_one_before_ended() {
        for name in PipelineName::ALL {
            let table = name.table();
            let end = table.steps().fold(0, |before, step| {
                assert_eq!(reached(table, step.name, false), before, "{}", step.name);
                reached(table, step.name, true)
            });
            assert_eq!(end, 100);
        }
    }

    #[test]
    fn what_a_reader_is_told_leaves_the_cause_out() {
        let error = Failure::new("x", "X", "y").because("secret cause");
        let told = progress_of(PipelineName::Create.table(), &OperationEvent::Failed { error }, 40).unwrap();
        let text = serde_json::to_string(&told).unwrap();
        assert!(told.is_last() && !text.contains("secret cause"), "{text}");
    }
}
