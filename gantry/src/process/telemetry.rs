use std::sync::Arc;

use platform::config::Config;

use crate::{exit::Outcome, settings};

/// The log lines and the figures of this process.
pub(crate) struct Telemetry {
    metrics: platform::metrics::Handle,
}

pub(crate) fn telemetry(config: &Config) -> Outcome<Telemetry> {
    platform::telemetry::init(&config.log).map_err(settings::wrong)?;
    Ok(Telemetry { metrics: platform::metrics::install()? })
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
}
