//! A model of the worker, and what may befall it.

use chrono::{DateTime, TimeDelta, Utc};
use domain::Aggregate;
use domain::operation::{Accepted, Command, FailureKind, Given, Operation, OperationCommand as C, WaitReason};
use domain::pipeline::{StepName, percent};
use domain::plan::{Next, plan};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{any_kind, failure};

/// What happens to the one thing that the engine does next.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fate {
    Works,
    Fails(FailureKind),
    /// The worker dies in the middle and another takes over.
    Crashes,
    /// It has to wait before it goes on.
    Waits,
    Cancelled,
}

pub(crate) fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        8 => Just(Fate::Works),
        3 => any_kind().prop_map(Fate::Fails),
        1 => Just(Fate::Crashes),
        1 => Just(Fate::Waits),
        1 => Just(Fate::Cancelled),
    ]
}

/// A model of the worker: obeys the plan, while every percent is watched.
pub(crate) struct Engine {
    pub(crate) operation: Operation,
    now: DateTime<Utc>,
    pub(crate) shown: f64,
    crashes: u32,
}

impl Engine {
    pub(crate) fn accept(command: Command) -> Self {
        let mut engine = Self { operation: Operation::default(), now: DateTime::UNIX_EPOCH, shown: 0.0, crashes: 0 };
        engine.must(C::Accept(Accepted::new(command, None, None)));
        engine
    }

    pub(crate) fn must(&mut self, command: C) {
        let words = format!("{command:?}");
        let events = self.operation.decide(command, &Given { now: self.now });
        let events = events.unwrap_or_else(|no| panic!("the plan led to {words}, refused: {no}"));
        for event in &events {
            self.operation = std::mem::take(&mut self.operation).evolve(event);
            self.watch(0.0);
        }
    }

    fn watch(&mut self, progress: f64) {
        let percent = percent(self.operation.pipeline().unwrap(), &self.operation, progress);
        assert!((0.0..=100.0).contains(&percent), "{percent}");
        assert!(percent >= self.operation.percent(), "fell below {}", self.operation.percent());
        self.operation.remember_percent(percent);
        assert!(percent >= self.shown, "fell from {} to {percent}", self.shown);
        self.shown = percent;
    }

    fn crash(&mut self) {
        self.crashes += 1;
        self.must(C::Claim { worker: format!("worker-{}", self.crashes) });
    }

    /// One turn; says whether the operation has ended.
    fn turn(&mut self, fate: Fate) -> bool {
        let next = plan(self.operation.pipeline().unwrap(), &self.operation, self.now);
        if let (Fate::Cancelled, true) = (fate, self.operation.may_cancel()) {
            self.must(C::Cancel);
            return false;
        }
        match next {
            Next::Run(step) => self.run(step, fate),
            Next::Undo(step) => self.undo(step, fate),
            Next::Wait { until: Some(until), .. } => {
                assert!(until > self.now);
                self.now = until;
            }
            Next::Wait { until: None, .. } => self.must(C::Resume),
            Next::Succeeded => self.must(C::Succeed { summary: Value::Null }),
            Next::Failed(_) => self.must(C::Fail),
            Next::Cancelled => self.must(C::FinishCancel),
            Next::Stuck(_) => self.must(C::GetStuck),
            Next::Done => return true,
        }
        false
    }

    fn run(&mut self, step: StepName, fate: Fate) {
        self.must(C::StartStep { step, intent: json!({ "id": step.as_str() }) });
        match fate {
            Fate::Fails(kind) => {
                self.watch(0.7);
                self.must(C::FailStep { step, kind, failure: failure() });
            }
            Fate::Crashes => self.crash(),
            Fate::Waits => self.wait(),
            Fate::Works | Fate::Cancelled => {
                self.watch(0.5);
                self.must(C::SucceedStep { step, fact: Value::Null });
            }
        }
    }

    fn undo(&mut self, step: StepName, fate: Fate) {
        self.must(C::StartUndo { step });
        match fate {
            Fate::Fails(kind) => self.must(C::FailUndo { step, kind, failure: failure() }),
            Fate::Crashes => self.crash(),
            Fate::Waits => self.wait(),
            Fate::Works | Fate::Cancelled => self.must(C::FinishUndo { step }),
        }
    }

    fn wait(&mut self) {
        let until = (self.now.timestamp() % 2 == 0).then(|| self.now + TimeDelta::seconds(3));
        self.must(C::Wait { reason: WaitReason::Delay, until });
    }

    /// The fates one by one, then the last one for ever; panics when it does not end.
    pub(crate) fn run_until_it_ends(&mut self, fates: &[Fate], ever: Fate) {
        let ever_crashes = matches!(ever, Fate::Crashes | Fate::Waits);
        let ever = if ever_crashes { Fate::Works } else { ever };
        // 60 tries of each of 13 steps and as many undos, each with its wait, is the worst there is.
        for turn in 0..fates.len() + 4000 {
            if self.turn(fates.get(turn).copied().unwrap_or(ever)) {
                return;
            }
        }
        panic!("it does not end: {:?}", self.operation);
    }
}
