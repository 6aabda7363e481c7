//! The registry that Prometheus reads.

use std::sync::{Mutex, PoisonError};

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// Seconds, from a request to a long installation.
const BUCKETS: &[f64] = &[0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0];

/// `metrics` has one recorder for a process; who asks again, as tests do, gets the same.
static INSTALLED: Mutex<Option<Handle>> = Mutex::new(None);

/// Reads the registry. Cheap to clone.
#[derive(Clone)]
pub struct Handle(PrometheusHandle);

#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    #[error("the metrics' registry can't be made: {0}")]
    Build(#[from] BuildError),
    #[error("another part of this program records metrics already")]
    Taken,
}

/// Makes this process record; the same registry each time. Names that end in `_seconds` become histograms in seconds.
///
/// # Errors
/// When something else records already.
pub fn install() -> Result<Handle, MetricsError> {
    let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*installed {
        return Ok(handle.clone());
    }
    let recorder =
        PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".into()), BUCKETS)?.build_recorder();
    let handle = Handle(recorder.handle());
    metrics::set_global_recorder(recorder).map_err(|_| MetricsError::Taken)?;
    Ok(installed.insert(handle).clone())
}

impl Handle {
    /// All metrics in Prometheus' text format.
    #[must_use]
    pub fn render(&self) -> String {
        self.0.run_upkeep();
        self.0.render()
    }

    /// Keeps the memory of a registry that nobody reads from growing. Runs until it is dropped.
    pub async fn keep(&self) {
        let mut ticks = tokio::time::interval(std::time::Duration::from_secs(5));
        loop {
            ticks.tick().await;
            self.0.run_upkeep();
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_was_recorded_is_read_and_installing_again_loses_nothing() {
        let first = super::install().unwrap();
        metrics::counter!("gantry_test_total", "kind" => "a").increment(2);
        metrics::histogram!("gantry_test_seconds").record(0.02);
        let text = super::install().unwrap().render();
        assert!(text.contains("gantry_test_total{kind=\"a\"} 2"), "{text}");
        assert!(text.contains("gantry_test_seconds_bucket{le=\"0.05\"} 1"), "{text}");
        assert_eq!(first.render(), text);
    }
}
