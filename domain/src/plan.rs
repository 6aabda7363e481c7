//! What to do next with an operation, from its log alone. The worker obeys: plan, do one thing, append, again.

use chrono::{DateTime, Utc};

use crate::operation::{AfterFailure, Failure, Operation, StepState, WaitReason};
use crate::pipeline::{Pipeline, StepName};

#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    Run(StepName),
    Undo(StepName),
    /// Nothing before `until`; without a time, nothing until somebody resumes it.
    Wait {
        reason: WaitReason,
        until: Option<DateTime<Utc>>,
    },
    /// All is done: record the end as it is called here.
    Succeeded,
    Cancelled,
    Failed(Failure),
    Stuck(Failure),
    /// It has ended, or was never accepted.
    Done,
}

/// So many workers in a row may die over one step. More than any row of bad luck, fewer than would be noticed late.
pub const MOST_DEATHS: u32 = 10;

#[must_use]
pub fn plan(pipeline: &Pipeline, operation: &Operation, now: DateTime<Utc>) -> Next {
    let due = due(pipeline, operation);
    match (&due, operation.waiting()) {
        (Next::Run(_) | Next::Undo(_), Some(waiting)) if waiting.until.is_none_or(|until| now < until) => {
            Next::Wait { reason: waiting.reason.clone(), until: waiting.until }
        }
        _ => due,
    }
}

/// What is next once the waiting is over.
pub(crate) fn due(pipeline: &Pipeline, operation: &Operation) -> Next {
    if operation.accepted().is_none() || operation.has_ended() {
        return Next::Done;
    }
    if operation.is_rolling_back() {
        return roll_back(pipeline, operation);
    }
    if let Some(step) = pipeline.steps().find(|step| !operation.has_succeeded(step.name)) {
        return died_over(operation, step.name).unwrap_or(Next::Run(step.name));
    }
    Next::Succeeded
}

/// What kills its workers time and again is not given to the next one.
fn died_over(operation: &Operation, step: StepName) -> Option<Next> {
    let deaths = operation.step(step).map_or(0, |run| run.deaths);
    (deaths >= MOST_DEATHS).then(|| Next::Stuck(Failure::workers_died(step, deaths)))
}

fn roll_back(pipeline: &Pipeline, operation: &Operation) -> Next {
    // A cancelled operation takes down what it built even when it was to be kept on failure: that is what was asked.
    if operation.cancel_requested() || !operation.keep_on_failure() {
        for step in pipeline.steps().rev().filter(|step| step.undo) {
            match operation.step(step.name) {
                Some(run) if run.state == StepState::UndoFailed && run.after == Some(AfterFailure::GiveUp) => {
                    return Next::Stuck(run.error.clone().unwrap_or_else(|| Failure::undo_unknown(step.name)));
                }
                Some(run) if run.state.left_something() => {
                    return died_over(operation, step.name).unwrap_or(Next::Undo(step.name));
                }
                _ => {}
            }
        }
    }
    match operation.failing() {
        Some(failure) if !operation.cancel_requested() => Next::Failed(failure.clone()),
        _ => Next::Cancelled,
    }
}
