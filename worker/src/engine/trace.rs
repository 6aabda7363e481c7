//! Where an operation and its steps stand in the trace of the request that asked for it.

use domain::TraceParent;
use domain::pipeline::{PipelineName, StepName};
use platform::people::token;
use tracing::{Span, field};

use super::work::Work;

/// The span of this turn is within the request's.
pub(super) fn join(trace: Option<&TraceParent>, pipeline: PipelineName) {
    let span = Span::current();
    if let Ok(serde_json::Value::String(name)) = serde_json::to_value(pipeline) {
        span.record("trace.name", name);
    }
    if let Some(trace) = trace {
        span.record("trace.parent", trace.to_string()).record("trace.id", trace.trace());
    }
}

impl Work {
    /// The span of a step, forwards or backwards; what scripts are told from here on is that they are within it.
    pub(super) fn enter(&mut self, step: StepName, undo: bool) -> Span {
        self.within = self.meta.trace.as_ref().and_then(|trace| trace.within(&token::random::<8>()).ok());
        tracing::debug_span!(
            "step",
            trace.name = %step,
            trace.span = self.within.as_ref().map(TraceParent::span),
            operation.id = %self.id,
            undo,
            error = field::Empty,
        )
    }
}
