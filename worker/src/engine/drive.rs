//! The loop: plan says what is due, and it is done.

use chrono::{DateTime, Utc};
use domain::OperationId;
use domain::operation::OperationCommand as C;
use domain::pipeline::StepName;
use domain::plan::Next;
use serde_json::Value;
use tracing::Instrument as _;

use super::bounds::is_share;
use super::slots::{Asked, Slots, is_ours};
use super::work::{Along, Work};
use super::{Engine, EngineError, Turn};
use crate::progress::{Reporter, highest_percent};

/// How a turn of work on an operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// There is nothing more to do.
    Ended,
    /// There is, but not before then; without a time, when somebody says so.
    Later(Option<DateTime<Utc>>),
    /// This process is to end; another goes on.
    Left,
}

impl Engine {
    /// Works on an operation until it has ended or has to wait for a time.
    ///
    /// # Errors
    /// When the log can't be read or written, or another process works on it.
    pub async fn drive(&self, id: OperationId, turn: &Turn) -> Result<Outcome, EngineError> {
        let Some(mut work) = Work::begin(&self.log, id, &turn.name).await? else { return Ok(Outcome::Ended) };
        let fence = work.version().0;
        let shown = if work.has_begun() { highest_percent(&self.log, id).await? } else { 0 };
        let reporter = Reporter::start(self.log.clone(), self.tools.bus.clone(), id, fence, shown, turn.lost.clone());
        self.tools.announce(id).await;
        let mut slots = Slots::default();
        let outcome = self.turns(&mut work, turn, &reporter, &mut slots).await;
        self.give_back(&mut slots).await;
        if matches!(outcome, Ok(Outcome::Left)) && !turn.lost.is_cancelled() {
            // Else whoever goes on would take us for dead.
            work.record(C::PutDown, Along::default()).await?;
        }
        self.tools.announce(id).await;
        outcome
    }

    async fn turns(
        &self,
        work: &mut Work,
        turn: &Turn,
        reporter: &Reporter,
        slots: &mut Slots,
    ) -> Result<Outcome, EngineError> {
        loop {
            if self.stopping.is_cancelled() || turn.lost.is_cancelled() {
                return Ok(Outcome::Left);
            }
            let (end, because) = match work.plan() {
                Next::Run(step) => {
                    match self.take_slots(work, turn, slots).await {
                        Ok(Asked::Granted) => {}
                        Ok(Asked::PutAside) => return Ok(Outcome::Later(None)),
                        Ok(Asked::Overtaken) | Err(EngineError::Overtaken) => continue,
                        Err(error) => return Err(error),
                    }
                    let span = work.enter(step, false);
                    match self.run(work, step, turn, reporter).instrument(span).await {
                        Ok(Went::Through) | Err(EngineError::Overtaken) => continue,
                        Ok(Went::Left) => return Ok(Outcome::Left),
                        Err(error) => return Err(error),
                    }
                }
                Next::Undo(step) => {
                    let span = work.enter(step, true);
                    if self.undo(work, step, turn, reporter).instrument(span).await? == Went::Left {
                        return Ok(Outcome::Left);
                    }
                    continue;
                }
                Next::Wait { reason, until: None } if reason.line().is_some_and(is_share) => {
                    match self.take_slots(work, turn, slots).await {
                        Ok(Asked::PutAside) => return Ok(Outcome::Later(None)),
                        // The host may be gone: the step says so.
                        Ok(_) | Err(EngineError::Overtaken) => work.record(C::Resume, Along::default()).await?,
                        Err(error) => return Err(error),
                    }
                    continue;
                }
                Next::Wait { reason, until: None } if is_ours(&reason) => {
                    work.record(C::Resume, Along::default()).await?;
                    continue;
                }
                Next::Wait { until, .. } => return Ok(Outcome::Later(until)),
                Next::Done => return Ok(Outcome::Ended),
                Next::Succeeded => (C::Succeed { summary: summary(work) }, None),
                Next::Cancelled => (C::FinishCancel, None),
                Next::Failed(failure) => (C::Fail, Some(failure)),
                Next::Stuck(failure) => {
                    tracing::error!(operation.id = %work.id, failure = %failure, cause = failure.cause, "needs an operator");
                    (C::GetStuck, Some(failure))
                }
            };
            reporter.flush().await;
            if matches!(end, C::FinishCancel) {
                self.tools.forget_wish(&work.operation).await?;
            }
            let streams = self.tools.at_the_end(&work.operation, &end, because).await?.into_iter().collect();
            match work.record(end, Along { streams, rows: Vec::new() }).await {
                // The container's stream moved on meanwhile; say it again on what is there now.
                Err(EngineError::Append(error)) if error.is_conflict() => {}
                Err(EngineError::Overtaken) => {}
                Ok(()) => self.tools.announce(work.id).await,
                Err(error) => return Err(error),
            }
        }
    }
}

/// Whether a step was gone through or left in the middle because the process is to end.
#[derive(PartialEq, Eq)]
pub(super) enum Went {
    Through,
    Left,
}

/// What the last step of a pipeline says of the whole.
fn summary(work: &Work) -> Value {
    let last: Option<StepName> = work.pipeline.steps().last().map(|step| step.name);
    last.and_then(|step| work.operation.fact(step)).cloned().unwrap_or(Value::Null)
}
