//! Batches on their way to the collector.

use std::time::Duration;

use metrics::counter;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::span::Ended;
use super::{TracesError, otlp};
use crate::config::TraceSettings;
use crate::vault::SecretText;

const MOST: usize = 512;
/// A batch that does not fill up goes after that time.
const EVERY: Duration = Duration::from_secs(1);
const WITHIN: Duration = Duration::from_secs(10);
/// Before it is tried again, each once.
const AGAIN: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];

pub(super) struct Sender {
    http: reqwest::Client,
    url: String,
    resource: Value,
    /// The last batch did not arrive; said once.
    away: bool,
}

impl Sender {
    /// None when no collector is set.
    pub(super) fn new(settings: &TraceSettings, instance: &str) -> Result<Option<Self>, TracesError> {
        if settings.endpoint.is_empty() {
            return Ok(None);
        }
        let headers = settings.headers.as_ref().map(headers).transpose()?.unwrap_or_default();
        let none = reqwest::redirect::Policy::none();
        let http = reqwest::Client::builder().default_headers(headers).timeout(WITHIN).redirect(none).build()?;
        let url = format!("{}/v1/traces", settings.endpoint.trim_end_matches('/'));
        Ok(Some(Self { http, url, resource: otlp::resource(&settings.service, instance), away: false }))
    }

    /// Sends until it is told to end, and then what is left.
    pub(super) async fn run(mut self, mut take: mpsc::Receiver<Ended>, stop: CancellationToken) {
        let mut spans = Vec::with_capacity(MOST);
        loop {
            let full = async {
                while spans.len() < MOST {
                    let room = MOST - spans.len();
                    if take.recv_many(&mut spans, room).await == 0 {
                        return;
                    }
                }
            };
            tokio::select! {
                _ = tokio::time::timeout(EVERY, full) => {}
                () = stop.cancelled() => break,
            }
            self.send(&mut spans).await;
        }
        take.close();
        while let Ok(span) = take.try_recv() {
            spans.push(span);
            if spans.len() == MOST {
                self.send(&mut spans).await;
            }
        }
        self.send(&mut spans).await;
    }

    async fn send(&mut self, spans: &mut Vec<Ended>) {
        if spans.is_empty() {
            return;
        }
        let body = otlp::batch(&self.resource, spans).to_string();
        let count = u64::try_from(spans.len()).unwrap_or_default();
        spans.clear();
        let arrived = self.arrives(&body).await;
        let outcome = if arrived.is_ok() { "sent" } else { "lost" };
        counter!("gantry_trace_spans_total", "outcome" => outcome).increment(count);
        match arrived {
            Ok(()) if self.away => tracing::info!("the collector takes spans again"),
            Err(error) if !self.away => {
                tracing::warn!(error, spans = count, "the collector did not take spans, they are lost");
            }
            Ok(()) => {}
            Err(error) => tracing::debug!(error, spans = count, "spans are lost"),
        }
        self.away = outcome == "lost";
    }

    async fn arrives(&self, body: &str) -> Result<(), String> {
        for pause in AGAIN {
            match self.post(body).await {
                Err((true, _)) => tokio::time::sleep(pause).await,
                Err((false, error)) => return Err(error),
                Ok(()) => return Ok(()),
            }
        }
        self.post(body).await.map_err(|(_, error)| error)
    }

    /// Or whether it may go better another time, and why it did not.
    async fn post(&self, body: &str) -> Result<(), (bool, String)> {
        let asked = self.http.post(&self.url).header(CONTENT_TYPE, "application/json").body(body.to_owned());
        let answer = asked.send().await.map_err(|error| (true, error.without_url().to_string()))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err((may_pass(status), format!("it answers {status}"))),
        }
    }
}

/// As OTLP has it; anything else would be refused again.
fn may_pass(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502..=504)
}

/// `name=value,name=value`, as OpenTelemetry writes them.
fn headers(text: &SecretText) -> Result<HeaderMap, TracesError> {
    let pairs = text.expose().split(',').map(str::trim).filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').ok_or(TracesError::Headers)?;
            let name: HeaderName = name.trim().parse().map_err(|_| TracesError::Headers)?;
            let mut value: HeaderValue = value.trim().parse().map_err(|_| TracesError::Headers)?;
            value.set_sensitive(true);
            Ok((name, value))
        })
        .collect()
}
