//! An example for every body that goes in or out, made of those of its fields where nobody wrote one for the whole.

use serde_json::{Map, Value, json};
use utoipa::openapi::path::Operation;
use utoipa::openapi::{Components, Content, RefOr};

use crate::problem::{Kind, Problem};

const ID: &str = "01990000-0000-7000-8000-0000000000a1";
const TIME: &str = "2026-01-01T12:00:00Z";
/// Deep enough for all that is not nested in itself.
const DEEPEST: usize = 8;

/// Texts by the names of their fields.
const TEXTS: &[(&str, &str)] = &[
    ("actor", "user:01990000-0000-7000-8000-0000000000b2"),
    ("address", "192.0.2.10"),
    ("addresses", "192.0.2.10"),
    ("bridge", "vmbr0"),
    ("created_by", "/v1/operations/01990000-0000-7000-8000-0000000000a1"),
    ("detail", "the container is being created"),
    ("fields", "id"),
    ("hostname", "web1"),
    ("image", "debian-12"),
    ("kind", "create"),
    ("login", "ann@example.org"),
    ("message", "the container is started"),
    ("name", "web1"),
    ("next", "3137"),
    ("node", "pve1"),
    ("operations", "/v1/operations?container=01990000-0000-7000-8000-0000000000a1"),
    ("phase", "provision"),
    ("reason", "ticket 42"),
    ("role", "operator"),
    ("self", "/v1/operations/01990000-0000-7000-8000-0000000000a1"),
    ("step", "create_guest"),
    ("storage", "local-lvm"),
    ("tags", "shop"),
    ("template", "nginx"),
    ("title", "Making it"),
    ("type", "/problems/not-possible"),
    ("version", "12"),
];

pub(super) struct Schemas(Value);

impl Schemas {
    pub(super) fn of(components: Option<&Components>) -> Self {
        Self(components.and_then(|all| serde_json::to_value(&all.schemas).ok()).unwrap_or_default())
    }

    /// Fills in what is missing at an operation.
    pub(super) fn show(&self, operation: &mut Operation) {
        if let Some(RefOr::T(body)) = &mut operation.request_body {
            body.content.iter_mut().for_each(|(kind, content)| self.fill(content, kind, None));
        }
        for (status, answer) in &mut operation.responses.responses {
            if let RefOr::T(answer) = answer {
                answer.content.iter_mut().for_each(|(kind, content)| self.fill(content, kind, status.parse().ok()));
            }
        }
    }

    fn fill(&self, content: &mut RefOr<Content>, kind: &str, status: Option<u16>) {
        let RefOr::T(content) = content else { return };
        if content.example.is_some() || !content.examples.is_empty() {
            return;
        }
        let schema = serde_json::to_value(&content.schema).unwrap_or_default();
        content.example = match kind {
            "application/problem+json" => status.and_then(problem),
            "application/json" => Some(self.example("", &schema, 0)),
            "text/event-stream" => Some(json!("event: progress\nid: 7\ndata: {\"percent\": 40}\n\n")),
            "application/x-ndjson" => Some(json!("{\"position\": 812, \"action\": \"operation.accepted\"}\n")),
            "text/html" => Some(json!("<!doctype html>…")),
            _ => Some(json!("…")),
        };
    }

    fn example(&self, name: &str, schema: &Value, depth: usize) -> Value {
        let own = schema.get("example").or_else(|| schema["examples"].get(0)).or_else(|| schema["enum"].get(0));
        if let Some(own) = own.or_else(|| schema.get("const")) {
            return own.clone();
        }
        if let Some(to) = schema["$ref"].as_str() {
            return self.example(name, &self.0[to.rsplit('/').next().unwrap_or_default()], depth);
        }
        for one in ["oneOf", "anyOf"] {
            let some = schema[one].as_array().into_iter().flatten().find(|inner| inner["type"] != "null");
            if let Some(some) = some {
                return self.example(name, some, depth);
            }
        }
        if let Some(all) = schema["allOf"].as_array() {
            let parts = all.iter().map(|part| self.example(name, part, depth));
            let mut whole = Map::new();
            for part in parts {
                if let Value::Object(part) = part {
                    whole.extend(part);
                }
            }
            return Value::Object(whole);
        }
        self.of_type(name, schema, depth)
    }

    fn of_type(&self, name: &str, schema: &Value, depth: usize) -> Value {
        let named = |kind: &Value| {
            kind.as_array()
                .map_or(kind.clone(), |kinds| kinds.iter().find(|kind| *kind != "null").cloned().unwrap_or_default())
        };
        match named(&schema["type"]).as_str() {
            Some("object") => {
                let fields = schema["properties"].as_object().into_iter().flatten();
                let fields = fields.filter(|_| depth < DEEPEST);
                fields.map(|(name, inner)| (name.clone(), self.example(name, inner, depth + 1))).collect()
            }
            Some("array") if depth < DEEPEST => json!([self.example(name, &schema["items"], depth + 1)]),
            Some("array") => json!([]),
            Some("integer") => {
                schema.get("minimum").filter(|least| least.as_i64() > Some(0)).cloned().unwrap_or(json!(1))
            }
            Some("number") => json!(0.5),
            Some("boolean") => json!(true),
            Some("string") => json!(text(name, schema["format"].as_str())),
            _ => json!({}),
        }
    }
}

fn text(name: &str, format: Option<&str>) -> &'static str {
    match format {
        Some("uuid") => ID,
        Some("date-time") => TIME,
        _ => TEXTS.iter().find(|(known, _)| *known == name).map_or("…", |(_, text)| text),
    }
}

fn problem(status: u16) -> Option<Value> {
    let kind = Kind::ALL.into_iter().filter(|kind| kind.row().1 == status);
    let kind = kind.min_by_key(|kind| *kind as u8)?;
    serde_json::to_value(Problem::new(kind).for_request(ID)).ok()
}
