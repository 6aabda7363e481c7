//! What is written to standard error: for people on a terminal, JSON lines for a collector otherwise.

use std::io::{self, IsTerminal as _};

use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer, filter::filter_fn, fmt::MakeWriter, layer::SubscriberExt as _, registry, registry::LookupSpan,
};

use crate::config::{LogFormat, LogSettings};
use crate::traces::{TraceLayer, is_ours};

#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("log.filter is not readable: {0}; use levels like `info` or `info,platform=debug`")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    #[error("the logs of this process are set up already")]
    Twice,
}

/// Sets up the logs of this process, and who is to hear of its spans. Once.
///
/// # Errors
/// When the filter is not readable, or it was done before.
pub fn init(settings: &LogSettings, traces: Option<TraceLayer>) -> Result<(), TelemetryError> {
    let subscriber = subscriber(settings, io::stderr().is_terminal(), io::stderr, traces)?;
    tracing::subscriber::set_global_default(subscriber).map_err(|_| TelemetryError::Twice)
}

fn subscriber<W>(
    settings: &LogSettings,
    terminal: bool,
    writer: W,
    traces: Option<TraceLayer>,
) -> Result<Box<dyn Subscriber + Send + Sync>, TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&settings.filter)?;
    let human = match settings.format {
        LogFormat::Auto => terminal,
        LogFormat::Human => true,
        LogFormat::Json => false,
    };
    let Some(traces) = traces else {
        return Ok(Box::new(registry().with(filter).with(lines(human, terminal, writer))));
    };
    // Whoever wants only errors in the log gets whole traces all the same.
    let ours = filter_fn(is_ours).with_max_level_hint(LevelFilter::DEBUG);
    let lines = lines(human, terminal, writer).with_filter(filter);
    Ok(Box::new(registry().with(traces.with_filter(ours)).with(lines)))
}

fn lines<S, W>(human: bool, terminal: bool, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    if human {
        lines.with_ansi(terminal).boxed()
    } else {
        lines.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(format: LogFormat, filter: &str, terminal: bool) -> String {
        let written = Written::default();
        let to = written.clone();
        let settings = LogSettings { filter: filter.into(), format };
        let subscriber = subscriber(&settings, terminal, move || to.clone(), None).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!("operation", id = "op-1");
            span.in_scope(|| tracing::info!(step = 3, "created"));
            tracing::debug!("detail");
        });
        String::from_utf8(written.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_collector_gets_json_with_the_operation() {
        let text = written(LogFormat::Auto, "info", false);
        let line: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
        assert_eq!((&line["message"], &line["step"], &line["level"]), (&"created".into(), &3.into(), &"INFO".into()));
        assert_eq!(line["span"]["id"], "op-1");
    }

    #[test]
    fn a_terminal_gets_colours_and_a_file_none() {
        assert!(written(LogFormat::Auto, "info", true).contains('\u{1b}'));
        let plain = written(LogFormat::Human, "debug", false);
        assert!(!plain.contains('\u{1b}') && plain.contains("created") && plain.contains("detail"), "{plain}");
    }
}
