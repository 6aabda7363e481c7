use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Accepted, AfterFailure, Failure, OperationEvent, StepRun, StepState, WaitReason, Waiting};
use crate::pipeline::{self, Pipeline, StepName};

/// An operation, folded from its stream.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Operation {
    accepted: Option<Accepted>,
    worker: Option<String>,
    steps: BTreeMap<StepName, StepRun>,
    waiting: Option<Waiting>,
    cancel_requested: bool,
    /// The failure that ends it, while it is taken down and afterwards.
    failing: Option<Failure>,
    end: Option<End>,
    percent: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub enum End {
    Succeeded { summary: Value },
    Failed(Failure),
    Cancelled,
    Stuck(Failure),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
    /// Needs an operator.
    Stuck,
}

impl Status {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Stuck => "stuck",
        }
    }

    /// As in "it has already …".
    pub(super) const fn past(self) -> &'static str {
        match self {
            Self::Cancelled => "been cancelled",
            Self::Stuck => "stopped for an operator",
            other => other.as_str(),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Operation {
    #[must_use]
    pub fn accepted(&self) -> Option<&Accepted> {
        self.accepted.as_ref()
    }

    #[must_use]
    pub fn pipeline(&self) -> Option<&'static Pipeline> {
        self.accepted.as_ref().map(|accepted| accepted.pipeline.table())
    }

    /// None until it is accepted.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        self.accepted.as_ref()?;
        Some(match (&self.end, &self.worker) {
            (Some(End::Succeeded { .. }), _) => Status::Succeeded,
            (Some(End::Failed(_)), _) => Status::Failed,
            (Some(End::Cancelled), _) => Status::Cancelled,
            (Some(End::Stuck(_)), _) => Status::Stuck,
            (None, None) => Status::Queued,
            (None, Some(_)) => Status::Running,
        })
    }

    #[must_use]
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    /// The process that works on it.
    #[must_use]
    pub fn worker(&self) -> Option<&str> {
        self.worker.as_deref()
    }

    #[must_use]
    pub fn step(&self, name: StepName) -> Option<&StepRun> {
        self.steps.get(&name)
    }

    #[must_use]
    pub fn has_succeeded(&self, name: StepName) -> bool {
        self.step(name).is_some_and(|run| run.state == StepState::Succeeded)
    }

    /// The ids chosen for a step by an earlier attempt.
    #[must_use]
    pub fn intent(&self, name: StepName) -> Option<&Value> {
        self.step(name)?.intent.as_ref()
    }

    /// What a step found out or made; none before it succeeded and after it was undone.
    #[must_use]
    pub fn fact(&self, name: StepName) -> Option<&Value> {
        self.step(name)?.fact.as_ref()
    }

    #[must_use]
    pub fn waiting(&self) -> Option<&Waiting> {
        self.waiting.as_ref()
    }

    #[must_use]
    pub const fn cancel_requested(&self) -> bool {
        self.cancel_requested
    }

    #[must_use]
    pub fn failing(&self) -> Option<&Failure> {
        self.failing.as_ref()
    }

    /// It will not go on: it is cancelled or has failed for good.
    #[must_use]
    pub fn is_rolling_back(&self) -> bool {
        self.cancel_requested || self.failing.is_some()
    }

    #[must_use]
    pub fn keep_on_failure(&self) -> bool {
        self.accepted.as_ref().is_some_and(|accepted| accepted.command.keep_on_failure())
    }

    /// The most it ever reached, 0 to 100.
    #[must_use]
    pub const fn percent(&self) -> f64 {
        self.percent
    }

    /// Work inside of a step is no event; who showed it to somebody tells it here, so that it never falls again.
    pub fn remember_percent(&mut self, shown: f64) {
        self.percent = self.percent.max(shown).min(100.0);
    }

    /// A step is being done or undone by a worker that has not put it down.
    pub(super) fn is_in_hand(&self) -> bool {
        let in_hand = |run: &StepRun| matches!(run.state, StepState::Started | StepState::Undoing) && !run.interrupted;
        self.steps.values().any(in_hand)
    }

    pub(super) fn apply(mut self, event: &OperationEvent) -> Self {
        self.record(event);
        if let Some(pipeline) = self.pipeline() {
            self.percent = pipeline::percent(pipeline, &self, 0.0);
        }
        self
    }

    fn record(&mut self, event: &OperationEvent) {
        use OperationEvent as E;
        match event {
            E::Waiting { reason, until } => {
                self.waiting = Some(Waiting { reason: reason.clone(), until: *until });
                return;
            }
            // Who works on it changes nothing about what it waits for.
            E::Claimed { worker } => return self.claimed(worker),
            E::PutDown => return self.runs_under_way().for_each(|run| run.interrupted = true),
            _ => self.waiting = None,
        }
        match event {
            E::Accepted(accepted) => self.accepted = Some(accepted.clone()),
            E::StepStarted { step, attempt, intent } => self.run(*step).start(*attempt, intent),
            E::StepSucceeded { step, fact } => self.run(*step).succeed(fact),
            E::StepFailed { step, attempt, error, next, .. } => {
                let run = self.run(*step);
                run.failures += 1;
                run.fail(StepState::Failed, error, *next);
                self.after_failure(*step, *attempt, *next);
                if *next == AfterFailure::GiveUp {
                    self.failing = Some(error.clone());
                }
            }
            E::CancelRequested => self.cancel_requested = true,
            E::RetryRequested => self.retry(),
            E::UndoStarted { step, attempt } => self.run(*step).start_undo(*attempt),
            E::Undone { step } => self.run(*step).undone(),
            E::UndoFailed { step, attempt, error, next, .. } => {
                let run = self.run(*step);
                run.undo_failures += 1;
                run.fail(StepState::UndoFailed, error, *next);
                self.after_failure(*step, *attempt, *next);
            }
            E::Succeeded { summary } => self.end = Some(End::Succeeded { summary: summary.clone() }),
            E::Failed { error } => self.end = Some(End::Failed(error.clone())),
            E::Cancelled => self.end = Some(End::Cancelled),
            E::Stuck { error } => self.end = Some(End::Stuck(error.clone())),
            E::Resumed | E::Waiting { .. } | E::Claimed { .. } | E::PutDown => {}
        }
    }

    fn run(&mut self, step: StepName) -> &mut StepRun {
        self.steps.entry(step).or_default()
    }

    fn claimed(&mut self, worker: &str) {
        // A process that comes back to it by itself, because the log was away, has not died over it.
        let lives = self.worker.as_deref().is_some_and(|before| process(before) == process(worker));
        self.worker = Some(worker.to_owned());
        for run in self.runs_under_way().filter(|run| !run.interrupted) {
            run.interrupted = true;
            run.deaths += u32::from(!lives);
        }
    }

    fn runs_under_way(&mut self) -> impl Iterator<Item = &mut StepRun> {
        self.steps.values_mut().filter(|run| matches!(run.state, StepState::Started | StepState::Undoing))
    }

    fn after_failure(&mut self, step: StepName, attempt: u32, next: AfterFailure) {
        if let AfterFailure::Retry { at } = next {
            self.waiting = Some(Waiting { reason: WaitReason::RetryBackoff { step, attempt }, until: Some(at) });
        }
    }

    fn retry(&mut self) {
        self.worker = None;
        if matches!(self.end.take(), Some(End::Stuck(_))) {
            // The operator made way: go on taking down where it stopped.
            for run in self.steps.values_mut() {
                run.undo_failures = 0;
                run.deaths = 0;
                run.after = None;
            }
            return;
        }
        self.failing = None;
        self.cancel_requested = false;
        let Some(pipeline) = self.pipeline() else { return };
        // What comes after a step that failed or was taken down stood on it, and runs again too.
        let mut again = false;
        for spec in pipeline.steps() {
            again |= !self.has_succeeded(spec.name);
            if let Some(run) = self.steps.get_mut(&spec.name).filter(|_| again) {
                run.reset();
            }
        }
    }
}

/// Of a turn's name, which says whose and which of his.
fn process(turn: &str) -> &str {
    turn.rsplit_once('/').map_or(turn, |(process, _)| process)
}
