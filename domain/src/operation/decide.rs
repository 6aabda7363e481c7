use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{
    AfterFailure, Failure, FailureKind, Given, Operation, OperationCommand, OperationEvent, OperationRejection, Status,
    StepRun, StepState, WaitReason,
};
use crate::pipeline::{Pipeline, StepName};
use crate::plan::{Next, due};
use crate::{Aggregate, OperationId};

use OperationCommand as C;
use OperationEvent as E;
use OperationRejection as No;

type Decision = Result<Vec<E>, No>;

impl Aggregate for Operation {
    const CATEGORY: &'static str = "operation";

    type Id = OperationId;
    type Command = OperationCommand;
    type Event = OperationEvent;
    type Rejection = OperationRejection;
    type Given = Given;

    fn decide(&self, command: C, given: &Given) -> Decision {
        if let C::Accept(accepted) = command {
            return match self.accepted() {
                None => Ok(vec![E::Accepted(accepted)]),
                Some(_) => Err(No::AlreadyAccepted),
            };
        }
        let asked = command.word();
        let (Some(pipeline), Some(status)) = (self.pipeline(), self.status()) else {
            return Err(No::Unknown { asked });
        };
        if matches!(command, C::Retry) {
            return self.retry_asked(status);
        }
        if self.has_ended() {
            return Err(No::Ended { asked, status });
        }
        self.go_on(command, pipeline, asked, given.now)
    }

    fn evolve(self, event: &E) -> Self {
        self.apply(event)
    }
}

impl Operation {
    /// What its reader is offered.
    #[must_use]
    pub fn may_cancel(&self) -> bool {
        let (Some(pipeline), false) = (self.pipeline(), self.has_ended()) else { return false };
        !self.cancel_requested() && self.cancel(pipeline).is_ok()
    }

    #[must_use]
    pub fn may_retry(&self) -> bool {
        self.status().is_some_and(|status| self.retry_asked(status).is_ok())
    }

    fn go_on(&self, command: C, pipeline: &Pipeline, asked: &'static str, now: DateTime<Utc>) -> Decision {
        match command {
            C::Claim { worker } if self.worker() == Some(worker.as_str()) => Ok(vec![]),
            C::Claim { worker } => Ok(vec![E::Claimed { worker }]),
            C::PutDown => Ok(if self.is_in_hand() { vec![E::PutDown] } else { vec![] }),
            C::StartStep { step, intent } => self.start_step(pipeline, step, intent),
            C::SucceedStep { step, fact } => {
                self.under_way(step, StepState::Started, asked)?;
                Ok(vec![E::StepSucceeded { step, fact }])
            }
            C::FailStep { step, kind, failure } => self.fail_step(step, kind, failure, now),
            C::Wait { reason, until } => self.wait(reason, until),
            C::Resume => Ok(self.waiting().map(|_| E::Resumed).into_iter().collect()),
            C::Cancel => self.cancel(pipeline),
            C::StartUndo { step } => self.start_undo(pipeline, step),
            C::FinishUndo { step } => {
                self.under_way(step, StepState::Undoing, asked)?;
                Ok(vec![E::Undone { step }])
            }
            C::FailUndo { step, kind, failure } => {
                let run = self.under_way(step, StepState::Undoing, asked)?;
                let next = kind.after_undo(run.undo_failures + 1, now);
                Ok(vec![E::UndoFailed { step, attempt: run.undo_attempts, failure_kind: kind, error: failure, next }])
            }
            end => self.finish(&end, due(pipeline, self)),
        }
    }

    fn start_step(&self, pipeline: &Pipeline, step: StepName, intent: Value) -> Decision {
        expect(due(pipeline, self), &Next::Run(step), "start", step)?;
        let before = self.step(step);
        let same_ids = intent.is_null() || before.and_then(|run| run.intent.as_ref()) == Some(&intent);
        if same_ids && before.is_some_and(|run| run.state == StepState::Started && !run.interrupted) {
            return Ok(vec![]);
        }
        let attempt = before.map_or(0, |run| run.attempts) + 1;
        // Ids once chosen stay in force until others are chosen.
        Ok(vec![E::StepStarted { step, attempt, intent }])
    }

    fn fail_step(&self, step: StepName, kind: FailureKind, error: Failure, now: DateTime<Utc>) -> Decision {
        let run = self.under_way(step, StepState::Started, "fail")?;
        let next = if self.cancel_requested() { AfterFailure::GiveUp } else { kind.after_step(run.failures + 1, now) };
        Ok(vec![E::StepFailed { step, attempt: run.attempts, failure_kind: kind, error, next }])
    }

    fn wait(&self, reason: WaitReason, until: Option<DateTime<Utc>>) -> Decision {
        let already = self.waiting().is_some_and(|waiting| waiting.reason == reason && waiting.until == until);
        Ok(if already { vec![] } else { vec![E::Waiting { reason, until }] })
    }

    fn cancel(&self, pipeline: &Pipeline) -> Decision {
        if self.cancel_requested() {
            return Ok(vec![]);
        }
        if self.is_rolling_back() {
            return Err(No::BeingTakenDown);
        }
        let begun = |step: StepName| self.step(step).is_some_and(|run| run.attempts > 0);
        match pipeline.steps().rfind(|spec| begun(spec.name)) {
            Some(spec) if !spec.may_cancel => Err(No::NoWayBack { step: spec.name }),
            _ => Ok(vec![E::CancelRequested]),
        }
    }

    fn retry_asked(&self, status: Status) -> Decision {
        match status {
            Status::Failed | Status::Stuck => Ok(vec![E::RetryRequested]),
            Status::Cancelled if self.is_left_to_a_retry() => Ok(vec![E::RetryRequested]),
            other => Err(No::NotRetryable { status: other }),
        }
    }

    /// It was cancelled when what there was before was gone: only going on makes it whole.
    fn is_left_to_a_retry(&self) -> bool {
        let mut steps = self.pipeline().into_iter().flat_map(Pipeline::steps);
        steps.any(|spec| !spec.may_cancel && self.has_succeeded(spec.name))
    }

    fn start_undo(&self, pipeline: &Pipeline, step: StepName) -> Decision {
        expect(due(pipeline, self), &Next::Undo(step), "undo", step)?;
        let before = self.step(step);
        if before.is_some_and(|run| run.state == StepState::Undoing && !run.interrupted) {
            return Ok(vec![]);
        }
        Ok(vec![E::UndoStarted { step, attempt: before.map_or(0, |run| run.undo_attempts) + 1 }])
    }

    fn finish(&self, command: &C, due: Next) -> Decision {
        Ok(vec![match (command, due) {
            (C::Succeed { summary }, Next::Succeeded) => E::Succeeded { summary: summary.clone() },
            (C::Fail, Next::Failed(error)) => E::Failed { error },
            (C::FinishCancel, Next::Cancelled) => E::Cancelled,
            (C::GetStuck, Next::Stuck(error)) => E::Stuck { error },
            (other, due) => return Err(No::NotTheEnd { asked: other.word(), due: due.words() }),
        }])
    }

    fn under_way(&self, step: StepName, state: StepState, asked: &'static str) -> Result<&StepRun, No> {
        self.step(step).filter(|run| run.state == state).ok_or(No::NotStarted { asked, step })
    }
}

fn expect(due: Next, wanted: &Next, asked: &'static str, step: StepName) -> Result<(), No> {
    if due == *wanted { Ok(()) } else { Err(No::NotDue { asked, step, due: due.words() }) }
}

impl Next {
    fn words(&self) -> String {
        match self {
            Self::Run(step) => step.to_string(),
            Self::Undo(step) => format!("undoing {step}"),
            Self::Wait { reason, .. } => reason.to_string(),
            Self::Succeeded => "its success".to_owned(),
            Self::Cancelled => "the end of its cancellation".to_owned(),
            Self::Failed(_) => "its failure".to_owned(),
            Self::Stuck(_) => "an operator".to_owned(),
            Self::Done => "nothing".to_owned(),
        }
    }
}

impl OperationCommand {
    const fn word(&self) -> &'static str {
        match self {
            Self::Accept(_) => "accept",
            Self::Claim { .. } => "claim",
            Self::PutDown => "put down",
            Self::StartStep { .. } => "start",
            Self::SucceedStep { .. } => "succeed",
            Self::FailStep { .. } => "fail",
            Self::Wait { .. } => "wait",
            Self::Resume => "resume",
            Self::Cancel => "cancel",
            Self::Retry => "retry",
            Self::StartUndo { .. } | Self::FinishUndo { .. } | Self::FailUndo { .. } => "undo",
            Self::Succeed { .. } => "end as succeeded",
            Self::Fail => "end as failed",
            Self::FinishCancel => "end as cancelled",
            Self::GetStuck => "stop for an operator",
        }
    }
}
