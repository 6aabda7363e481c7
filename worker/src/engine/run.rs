//! One step, forwards or backwards: what is to be done is in the log before it is done, and how it ended after.

use std::future::Future;
use std::time::Duration;

use domain::operation::{Failure, FailureKind, OperationCommand as C};
use domain::pipeline::StepName;
use futures_util::FutureExt as _;
use platform::sabotage::{Safeguard, is_off};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tracing::{Span, field};

use super::drive::Went;
use super::work::{Along, Work};
use super::{Engine, EngineError, Turn};
use crate::context::Context;
use crate::progress::Reporter;
use crate::step::{Done, StepError};
use crate::steps;

/// A cancellation comes by the bus; this often we look ourselves, in case the bus lost it.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long a step may go on after the process was told to end.
const GRACE: Duration = Duration::from_secs(10);

impl Engine {
    pub(super) async fn run(
        &self,
        work: &mut Work,
        name: StepName,
        turn: &Turn,
        reporter: &Reporter,
    ) -> Result<Went, EngineError> {
        let step = steps::step(name);
        let cancel = CancellationToken::new();
        let interrupted = work.operation.step(name).is_some_and(|run| run.attempts > 0);
        let before = work.operation.intent(name).cloned();
        let context = self.context(work, name, &cancel, reporter)?;
        let intended = match self.watched(work, name, turn, &cancel, step.intend(&context, before.as_ref())).await? {
            Some(intended) => intended,
            None => return Ok(Went::Left),
        };
        let intent = match intended {
            Ok(Done { fact, streams, rows }) => {
                match work.record(C::StartStep { step: name, intent: fact.clone() }, Along { streams, rows }).await {
                    Ok(()) => fact,
                    // Somebody took what we chose; the next turn chooses again.
                    Err(EngineError::Append(error)) if error.is_conflict() => return Ok(Went::Through),
                    Err(error) => return Err(error),
                }
            }
            Err(error) => {
                work.record(C::StartStep { step: name, intent: Value::Null }, Along::default()).await?;
                return self.failed(work, name, reporter, error).await;
            }
        };
        let context = self.context(work, name, &cancel, reporter)?;
        let act = async {
            if interrupted
                && !is_off(Safeguard::IdempotentStep)
                && let Some(done) = step.look(&context, Some(&intent)).await?
            {
                return Ok(done);
            }
            step.act(&context, &intent).await
        };
        match self.watched(work, name, turn, &cancel, act).await? {
            None => Ok(Went::Left),
            Some(Ok(Done { fact, streams, rows })) => {
                reporter.flush().await;
                match work.record(C::SucceedStep { step: name, fact }, Along { streams, rows }).await {
                    Ok(()) => Ok(Went::Through),
                    Err(EngineError::Append(error)) if error.is_conflict() => {
                        self.failed(work, name, reporter, StepError::Again).await
                    }
                    // What it made is another's by now, like a host name: that does not pass by itself.
                    Err(EngineError::Append(error)) if error.is_taken() => {
                        let detail = "another container has taken the name meanwhile; choose another";
                        let failure = Failure::new("name-taken", "The name is taken", detail).because(error);
                        self.failed(work, name, reporter, StepError::last(failure)).await
                    }
                    Err(error) => Err(error),
                }
            }
            Some(Err(error)) => self.failed(work, name, reporter, error).await,
        }
    }

    pub(super) async fn undo(
        &self,
        work: &mut Work,
        name: StepName,
        turn: &Turn,
        reporter: &Reporter,
    ) -> Result<Went, EngineError> {
        work.record(C::StartUndo { step: name }, Along::default()).await?;
        // Taking down is never cancelled.
        let context = self.context(work, name, &CancellationToken::new(), reporter)?;
        match self.watched(work, name, turn, &CancellationToken::new(), steps::step(name).undo(&context)).await? {
            None => Ok(Went::Left),
            Some(Ok(Done { streams, rows, .. })) => {
                match work.record(C::FinishUndo { step: name }, Along { streams, rows }).await {
                    Err(EngineError::Append(error)) if !error.is_conflict() => Err(error.into()),
                    Err(EngineError::Append(_)) | Ok(()) => Ok(Went::Through),
                    Err(error) => Err(error),
                }
            }
            Some(Err(error)) => {
                let (kind, failure) = told(error);
                tracing::warn!(operation.id = %work.id, step = %name, failure = %failure, cause = failure.cause, "undo failed");
                Span::current().record("error", field::display(&failure));
                work.record(C::FailUndo { step: name, kind, failure }, Along::default()).await?;
                Ok(Went::Through)
            }
        }
    }

    fn context(
        &self,
        work: &Work,
        name: StepName,
        cancel: &CancellationToken,
        reporter: &Reporter,
    ) -> Result<Context, EngineError> {
        let context =
            self.tools.context(work.id, &work.operation, name, cancel.clone(), reporter, work.trace().cloned());
        context.ok_or(EngineError::NoTarget)
    }

    async fn failed(
        &self,
        work: &mut Work,
        name: StepName,
        reporter: &Reporter,
        error: StepError,
    ) -> Result<Went, EngineError> {
        work.catch_up().await?;
        if matches!(error, StepError::Cancelled) && work.operation.cancel_requested() {
            return Ok(Went::Through);
        }
        reporter.flush().await;
        let (kind, failure) = told(error);
        tracing::warn!(operation.id = %work.id, step = %name, ?kind, failure = %failure, cause = failure.cause, "step failed");
        Span::current().record("error", field::display(&failure));
        work.record(C::FailStep { step: name, kind, failure }, Along::default()).await?;
        Ok(Went::Through)
    }

    /// Runs one part of a step while looking out for a cancellation, another worker's claim, and the end of this
    /// process. `None` when it was left in the middle.
    async fn watched<T>(
        &self,
        work: &mut Work,
        name: StepName,
        turn: &Turn,
        cancel: &CancellationToken,
        part: impl Future<Output = Result<T, StepError>>,
    ) -> Result<Option<Result<T, StepError>>, EngineError> {
        let mut asked = self.tools.asked_of(work.id);
        // A panic in a step is that step's failure, not the worker's.
        let mut part = std::pin::pin!(std::panic::AssertUnwindSafe(part).catch_unwind());
        let may_cancel = work.pipeline.step(name).is_some_and(|spec| spec.may_cancel);
        loop {
            tokio::select! {
                ended = &mut part => {
                    return Ok(Some(ended.unwrap_or_else(|panic| Err(StepError::internal(words_of(&*panic))))));
                }
                () = turn.lost.cancelled(), if !is_off(Safeguard::Fencing) => return Ok(None),
                () = self.stopping.cancelled() => {
                    let ended = tokio::time::timeout(GRACE, &mut part).await;
                    return Ok(ended.ok().map(|ended| ended.unwrap_or_else(|p| Err(StepError::internal(words_of(&*p))))));
                }
                _ = tokio::time::timeout(LOOK_EVERY, asked.next()) => {
                    work.catch_up().await?;
                    if may_cancel && work.operation.cancel_requested() {
                        cancel.cancel();
                    }
                }
            }
        }
    }
}

fn told(error: StepError) -> (FailureKind, Failure) {
    match error {
        StepError::Failed { kind, failure } => (kind, failure),
        other @ (StepError::Cancelled | StepError::Again) => (
            FailureKind::Temporary,
            Failure::new("changed-meanwhile", "Something changed meanwhile", other.to_string()),
        ),
    }
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    format!("panic: {}", text.unwrap_or("without words"))
}
