//! What is known of a span while it is open, and once it has ended.

use std::time::Instant;

use domain::TraceParent;
use serde_json::{Value, json};
use tracing::field::{Field, Visit};

use crate::clock;
use crate::people::token;

/// A span that is open.
pub(super) struct Open {
    trace: Option<String>,
    parent: Option<String>,
    id: String,
    /// The caller wants it kept; who says nothing does.
    sampled: bool,
    name: String,
    kind: u8,
    began: i64,
    since: Instant,
    fields: Vec<(&'static str, Value)>,
    error: Option<String>,
}

/// One that has ended, in the words of OTLP.
pub(super) struct Ended(pub(super) Value);

impl Open {
    pub(super) fn new(metadata: &tracing::Metadata<'_>) -> Self {
        Self {
            trace: None,
            parent: None,
            id: token::random::<8>(),
            sampled: true,
            name: metadata.name().to_owned(),
            kind: kind(metadata.name()),
            began: clock::now().timestamp_micros(),
            since: Instant::now(),
            fields: Vec::new(),
            error: None,
        }
    }

    /// Belongs to the other's trace, unless it has one of its own.
    pub(super) fn within(&mut self, other: &Self) {
        if self.trace.is_none() {
            self.trace.clone_from(&other.trace);
            self.parent = Some(other.id.clone());
            self.sampled = other.sampled;
        }
    }

    /// Nothing of one that belongs to no trace, or that the caller does not want kept.
    pub(super) fn end(self) -> Option<Ended> {
        let trace = self.trace.filter(|_| self.sampled)?;
        let took = i64::try_from(self.since.elapsed().as_nanos()).unwrap_or(i64::MAX);
        let began = self.began.saturating_mul(1000);
        let attributes: Vec<Value> =
            self.fields.into_iter().map(|(key, value)| json!({ "key": known(key), "value": value })).collect();
        let mut span = json!({
            "traceId": trace,
            "spanId": self.id,
            "name": self.name,
            "kind": self.kind,
            // Whole numbers of 64 bits are text in OTLP's JSON.
            "startTimeUnixNano": began.to_string(),
            "endTimeUnixNano": began.saturating_add(took).to_string(),
            "attributes": attributes,
            "status": self.error.map_or_else(|| json!({}), |message| json!({ "code": 2, "message": message })),
        });
        if let Some(parent) = self.parent {
            span["parentSpanId"] = parent.into();
        }
        Some(Ended(span))
    }

    fn text(&mut self, field: &Field, text: &str) {
        match field.name() {
            "trace.id" if self.trace.is_none() => self.trace = Some(text.to_owned()),
            "trace.id" => {}
            "trace.parent" => {
                if let Ok(parent) = text.parse::<TraceParent>() {
                    self.trace = Some(parent.trace().to_owned());
                    self.sampled = parent.is_sampled();
                    self.parent = Some(parent.span().to_owned());
                }
            }
            "trace.span" => text.clone_into(&mut self.id),
            "trace.name" => text.clone_into(&mut self.name),
            "error" => self.error = Some(text.to_owned()),
            name => self.fields.push((name, json!({ "stringValue": text }))),
        }
    }
}

impl Visit for Open {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.fields.push((field.name(), json!({ "doubleValue": value })));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.fields.push((field.name(), json!({ "intValue": value.to_string() })));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.fields.push((field.name(), json!({ "intValue": value.to_string() })));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.fields.push((field.name(), json!({ "boolValue": value })));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.text(field, &format!("{value:?}"));
    }
}

/// OTLP's numbers: 1 within, 2 answers somebody, 3 asks somebody, 5 takes from a queue.
fn kind(name: &str) -> u8 {
    match name {
        "request" => 2,
        "proxmox" | "ssh" => 3,
        "operation" => 5,
        _ => 1,
    }
}

/// Collectors know these by names of their own.
fn known(field: &'static str) -> &'static str {
    match field {
        "http.method" => "http.request.method",
        "http.path" => "url.path",
        "http.status" => "http.response.status_code",
        "host" => "server.address",
        other => other,
    }
}
