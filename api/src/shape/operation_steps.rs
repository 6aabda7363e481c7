//! An operation's steps, with what each has been through.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::operation::{Operation, OperationEvent, StepState};
use domain::pipeline::{Pipeline, StepName};
use serde::Serialize;
use utoipa::ToSchema;

use super::operation::{ErrorView, is_retried};

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StepView {
    #[schema(example = "create_guest")]
    pub name: String,
    pub title: String,
    #[schema(example = "creating")]
    pub phase: String,
    pub state: StepStateView,
    /// How often it was begun.
    pub attempts: u32,
    /// It failed and is tried again.
    pub retrying: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorView>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepStateView {
    Pending,
    Running,
    Succeeded,
    Failed,
    /// It is being taken back.
    Undoing,
    Undone,
    UndoFailed,
}

#[derive(Default)]
struct Times {
    started: Option<DateTime<Utc>>,
    ended: Option<DateTime<Utc>>,
}

pub(super) fn steps(
    pipeline: &Pipeline,
    operation: &Operation,
    events: &[(OperationEvent, DateTime<Utc>)],
) -> Vec<StepView> {
    let times = times(events);
    let phases = pipeline.phases.iter().flat_map(|phase| phase.steps.iter().map(move |step| (phase, step.name)));
    phases
        .map(|(phase, name)| {
            let run = operation.step(name).cloned().unwrap_or_default();
            let at = times.get(&name);
            StepView {
                name: name.to_string(),
                title: name.title().to_owned(),
                phase: phase.name.to_owned(),
                state: run.state.into(),
                attempts: run.attempts,
                retrying: is_retried(run.after, run.state),
                started_at: at.and_then(|at| at.started),
                ended_at: at.and_then(|at| at.ended),
                error: run.error.as_ref().map(ErrorView::from),
            }
        })
        .collect()
}

fn times(events: &[(OperationEvent, DateTime<Utc>)]) -> HashMap<StepName, Times> {
    use OperationEvent as E;
    let mut times: HashMap<StepName, Times> = HashMap::new();
    for (event, at) in events {
        match event {
            E::StepStarted { step, .. } => {
                let times = times.entry(*step).or_default();
                // All attempts together: how long the step has taken in all.
                times.started.get_or_insert(*at);
                times.ended = None;
            }
            E::StepSucceeded { step, .. } | E::StepFailed { step, .. } | E::Undone { step } => {
                times.entry(*step).or_default().ended = Some(*at);
            }
            _ => {}
        }
    }
    times
}

impl From<StepState> for StepStateView {
    fn from(state: StepState) -> Self {
        match state {
            StepState::Pending => Self::Pending,
            StepState::Started => Self::Running,
            StepState::Succeeded => Self::Succeeded,
            StepState::Failed => Self::Failed,
            StepState::Undoing => Self::Undoing,
            StepState::Undone => Self::Undone,
            StepState::UndoFailed => Self::UndoFailed,
        }
    }
}
