//! What a step is: look whether it is done, choose ids, act, record; and how to take it back.

use std::sync::Arc;

use domain::operation::{Failure, FailureKind};
use futures_util::future::BoxFuture;
use platform::log::{Rows, StreamAppend};
use serde::Serialize;
use serde_json::Value;

use crate::context::Context;

/// One step of a pipeline. Every part may run twice: after a crash nobody knows how far it got.
pub(crate) trait Step: Send + Sync {
    /// Whether an earlier attempt did it already, without anybody having seen it end. Asked on every attempt.
    fn look<'a>(
        &'a self,
        _: &'a Context,
        _intent: Option<&'a Value>,
    ) -> BoxFuture<'a, Result<Option<Done>, StepError>> {
        Box::pin(async { Ok(None) })
    }

    /// Chooses every id that the act needs; recorded before the act and kept for the attempts that follow. Streams
    /// that have to hold with it (a lease) are written in the same append.
    fn intend<'a>(&'a self, _: &'a Context, _before: Option<&'a Value>) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async { Ok(Done::nothing()) })
    }

    fn act<'a>(&'a self, context: &'a Context, intent: &'a Value) -> BoxFuture<'a, Result<Done, StepError>>;

    /// Takes down what the step left, and nothing else. "Already gone" is done.
    fn undo<'a>(&'a self, _: &'a Context) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async { Ok(Done::nothing()) })
    }
}

/// What a step found out or made, and what other streams have to say about it, written in one append.
#[derive(Default)]
pub(crate) struct Done {
    pub fact: Value,
    pub streams: Vec<StreamAppend>,
    pub rows: Vec<Arc<dyn Rows>>,
}

impl Done {
    #[must_use]
    pub(crate) fn nothing() -> Self {
        Self::default()
    }

    /// # Errors
    /// When the fact can't be written as JSON.
    pub(crate) fn with(fact: &impl Serialize) -> Result<Self, StepError> {
        let fact = serde_json::to_value(fact).map_err(StepError::internal)?;
        Ok(Self { fact, ..Self::default() })
    }

    #[must_use]
    pub(crate) fn and_row(mut self, row: Arc<dyn Rows>) -> Self {
        self.rows.push(row);
        self
    }
}

/// Why a step did not end well, and by its kind what happens next.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StepError {
    #[error("{failure}")]
    Failed { kind: FailureKind, failure: Failure },
    /// It was asked to stop and has; nothing failed.
    #[error("stopped because the operation is cancelled")]
    Cancelled,
    /// Another stream moved on; look again at once.
    #[error("something else changed meanwhile")]
    Again,
}

impl StepError {
    #[must_use]
    pub fn new(kind: FailureKind, failure: Failure) -> Self {
        Self::Failed { kind, failure }
    }

    #[must_use]
    pub fn last(failure: Failure) -> Self {
        Self::new(FailureKind::Final, failure)
    }

    /// Our own fault or the machine's: worth another try, and the operator's log has the cause.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        let failure = Failure::new("internal", "Something went wrong on our side", "the operator's log has the cause");
        Self::new(FailureKind::Temporary, failure.because(cause))
    }
}
