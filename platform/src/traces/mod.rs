//! Spans of the work that requests asked for, given to an OpenTelemetry collector: OTLP over HTTP, as JSON.
//!
//! What is exported is what [`tracing`] has anyway. A span begins a trace by its field `trace.id`, or goes on with a
//! caller's by `trace.parent` (a `traceparent`); all within belong to it. Work that no request asked for, like the looks
//! at the hosts, has no trace and is not exported. A collector that is away costs spans, never requests: they wait in a
//! bounded queue, and what does not fit is counted in `gantry_trace_spans_total`.

mod layer;
mod otlp;
mod send;
mod span;

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use layer::TraceLayer;
pub(crate) use layer::is_ours;

use crate::config::TraceSettings;

/// Spans that wait for the collector.
const WAITING: usize = 8192;
/// What a process that ends gives the collector.
const FLUSH: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    #[error("traces.headers is not readable: write `name=value`, with commas between")]
    Headers,
    #[error("traces can't be sent: {0}")]
    Client(#[from] reqwest::Error),
}

/// Sends in the background what the layer hands over.
pub struct Traces {
    stop: CancellationToken,
    sending: JoinHandle<()>,
}

impl Traces {
    /// The sender, and the layer that feeds it; nothing when no collector is set.
    ///
    /// # Errors
    /// When the settings can't be used.
    pub fn open(settings: &TraceSettings, instance: &str) -> Result<Option<(Self, TraceLayer)>, TracesError> {
        let Some(sender) = send::Sender::new(settings, instance)? else { return Ok(None) };
        let (give, take) = mpsc::channel(WAITING);
        let stop = CancellationToken::new();
        let sending = tokio::spawn(sender.run(take, stop.clone()));
        Ok(Some((Self { stop, sending }, TraceLayer::new(give))))
    }

    /// Sends what is left, as far as the collector takes it in a few seconds.
    pub async fn flush(self) {
        self.stop.cancel();
        if tokio::time::timeout(FLUSH, self.sending).await.is_err() {
            tracing::warn!(within_s = FLUSH.as_secs(), "the collector did not take the last spans");
        }
    }
}
