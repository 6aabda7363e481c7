use std::sync::Arc;

use platform::{config::Config, traces::Traces};

use crate::{exit::Outcome, settings};

/// The log lines, figures and traces of this process.
pub(crate) struct Telemetry {
    metrics: platform::metrics::Handle,
    traces: Option<Traces>,
}

pub(crate) fn telemetry(config: &Config) -> Outcome<Telemetry> {
    let metrics = platform::metrics::install()?;
    let traces = Traces::open(&config.traces, &platform::instance::name()).map_err(settings::wrong)?;
    let (traces, layer) = traces.unzip();
    platform::telemetry::init(&config.log, layer).map_err(settings::wrong)?;
    Ok(Telemetry { metrics, traces })
}

impl Telemetry {
    pub(super) fn metrics(&self) -> Arc<dyn Fn() -> String + Send + Sync> {
        let handle = self.metrics.clone();
        Arc::new(move || handle.render())
    }

    /// Keeps a registry that nobody reads from growing; for as long as the process runs.
    pub(super) async fn keep(&self) {
        self.metrics.keep().await;
    }

    /// The last spans, which the end itself brought.
    pub(super) async fn flush(self) {
        if let Some(traces) = self.traces {
            traces.flush().await;
        }
    }
}
