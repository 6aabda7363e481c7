//! Hears of spans from `tracing`.

use metrics::counter;
use tokio::sync::mpsc;
use tracing::Subscriber;
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::span::{Ended, Open};

/// Hands over every span that has ended; never waits.
pub struct TraceLayer {
    give: mpsc::Sender<Ended>,
}

impl TraceLayer {
    pub(super) const fn new(give: mpsc::Sender<Ended>) -> Self {
        Self { give }
    }
}

/// Our own work, and not what the parts beneath it do.
pub(crate) fn is_ours(metadata: &tracing::Metadata<'_>) -> bool {
    let part = metadata.target().split("::").next().unwrap_or_default();
    metadata.is_span() && ["api", "worker", "proxmox"].contains(&part)
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for TraceLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut open = Open::new(attributes.metadata());
        attributes.record(&mut open);
        if let Some(parent) = span.parent()
            && let Some(parent) = parent.extensions().get::<Open>()
        {
            open.within(parent);
        }
        span.extensions_mut().insert(open);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(open) = span.extensions_mut().get_mut::<Open>() {
            values.record(open);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let open = span.extensions_mut().remove::<Open>();
        let Some(ended) = open.and_then(Open::end) else { return };
        if self.give.try_send(ended).is_err() {
            counter!("gantry_trace_spans_total", "outcome" => "dropped").increment(1);
        }
    }
}
