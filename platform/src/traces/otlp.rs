//! A batch as OTLP's JSON has it.

use serde_json::{Value, json};

use super::span::Ended;

/// Who the spans are from; the same for all of a process.
pub(super) fn resource(service: &str, instance: &str) -> Value {
    let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    json!({ "attributes": [
        text("service.name", service),
        text("service.version", env!("CARGO_PKG_VERSION")),
        text("service.instance.id", instance),
    ]})
}

pub(super) fn batch(resource: &Value, spans: &[Ended]) -> Value {
    let spans: Vec<&Value> = spans.iter().map(|span| &span.0).collect();
    let scope = json!({ "name": "gantry", "version": env!("CARGO_PKG_VERSION") });
    json!({ "resourceSpans": [{ "resource": resource, "scopeSpans": [{ "scope": scope, "spans": spans }] }] })
}
