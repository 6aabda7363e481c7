//! What a watcher of an operation sees. Stored before it is published, numbered within its operation.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::operation::{AfterFailure, Failure, OperationEvent, Status};
use crate::pipeline::{Pipeline, PipelineName, StepName};

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
        /// Of the whole; absent where nothing new is known of it. Never falls.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        percent: Option<u8>,
        message: String,
    },
    /// A line that a script or a task said.
    Log {
        source: String,
        stream: LogStream,
        message: String,
        /// Where the source goes on after this line; what a worker that takes over begins with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<NextLine>,
    },
    /// It has succeeded: the last event.
    Complete { percent: u8, message: String, summary: Value },
    /// It has ended otherwise: the last event.
    Error { status: Status, message: String, error: Option<PublicFailure> },
}

/// Where a run of a script goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextLine {
    pub run: String,
    pub offset: u64,
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

/// What an event of an operation tells its watchers; `percent` is how far the operation is with it.
#[must_use]
pub fn progress_of(pipeline: &Pipeline, event: &OperationEvent, percent: u8) -> Option<ProgressKind> {
    use OperationEvent as E;
    let step = |part: StepName, percent: Option<u8>, message: String| ProgressKind::Step {
        step: pipeline.phase_of(part).map(|phase| phase.name.to_owned()),
        part: Some(part),
        percent,
        message,
    };
    let word = |message: String| ProgressKind::Step { step: None, part: None, percent: None, message };
    let ended = |status, message: &str, error: Option<&Failure>| ProgressKind::Error {
        status,
        message: message.to_owned(),
        error: error.map(PublicFailure::from),
    };
    Some(match event {
        E::Accepted(_) => word("Accepted".to_owned()),
        E::StepStarted { step: part, attempt: 1, .. } => step(*part, Some(percent), part.title().to_owned()),
        // How far the attempt before it came has been told; nobody is to see it fall.
        E::StepStarted { step: part, attempt, .. } => {
            step(*part, None, format!("{} (attempt {attempt})", part.title()))
        }
        E::StepSucceeded { step: part, .. } => step(*part, Some(percent), format!("{}: done", part.title())),
        E::StepFailed { step: part, error, next, .. } => {
            let then = if matches!(next, AfterFailure::Retry { .. }) { "; it is tried again" } else { "" };
            step(*part, None, format!("{error}{then}"))
        }
        E::Waiting { reason, .. } => word(format!("Waiting: {reason}")),
        E::CancelRequested => word("Cancellation was asked for".to_owned()),
        E::RetryRequested => word("It is tried again".to_owned()),
        E::UndoStarted { step: part, .. } => step(*part, None, format!("Taking back: {}", part.title())),
        E::UndoFailed { step: part, error, .. } => step(*part, None, format!("Taking back failed: {error}")),
        E::Succeeded { summary } => {
            ProgressKind::Complete { percent: 100, message: end_of(pipeline).to_owned(), summary: summary.clone() }
        }
        E::Failed { error } => ended(Status::Failed, &error.to_string(), Some(error)),
        E::Cancelled if matches!(pipeline.name, PipelineName::Rebuild) => {
            ended(Status::Cancelled, "Cancelled; if the old guest is gone by now, a retry goes on from here", None)
        }
        E::Cancelled => ended(Status::Cancelled, "Cancelled; what was built is taken down", None),
        E::Stuck { error } => ended(Status::Stuck, "An operator has to look at it", Some(error)),
        E::Claimed { .. } | E::PutDown | E::Resumed | E::Undone { .. } => return None,
    })
}

/// What a pipeline that succeeded leads to, in a word.
const fn end_of(pipeline: &Pipeline) -> &'static str {
    match pipeline.name {
        PipelineName::Create | PipelineName::Clone | PipelineName::RestoreNew => "Ready",
        PipelineName::Delete => "Deleted",
        PipelineName::Rebuild => "Rebuilt",
        PipelineName::Resize => "Resized",
        PipelineName::Change => "Changed",
        PipelineName::RootPassword => "The root password is set",
        PipelineName::Suspend => "Suspended",
        PipelineName::Resume => "Resumed",
        PipelineName::Start => "Started",
        PipelineName::Stop | PipelineName::Shutdown => "Stopped",
        PipelineName::Reboot => "Rebooted",
        PipelineName::Snapshot => "The snapshot is taken",
        PipelineName::Rollback => "As it was at the snapshot",
        PipelineName::DeleteSnapshot => "The snapshot is deleted",
        PipelineName::Backup => "The backup is made",
        PipelineName::Restore => "As it was at the backup",
        PipelineName::DeleteBackup => "The backup is deleted",
        PipelineName::PutBack => "Put back",
        PipelineName::RemoveOrphan => "Removed",
        PipelineName::Apply => "The template is applied",
        PipelineName::Update => "Up to date",
        PipelineName::Adopt => "Adopted",
        PipelineName::Release => "Released",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reader_is_told_leaves_the_cause_out() {
        let error = Failure::new("x", "X", "y").because("secret cause");
        let told = progress_of(PipelineName::Create.table(), &OperationEvent::Failed { error }, 40).unwrap();
        let text = serde_json::to_string(&told).unwrap();
        assert!(told.is_last() && !text.contains("secret cause"), "{text}");
    }
}
