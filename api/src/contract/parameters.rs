//! Parameters that many routes have, said once and as narrowly as they are read.

use serde_json::json;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{Components, Ref, RefOr, Required, Response};

use crate::sparse;

/// Things that are known by a tag, and which of their ways a change goes by.
const TAGGED: [&str; 9] = [
    "/v1/accounts/{id}",
    "/v1/accounts/{id}/members/{user}",
    "/v1/api-keys/{id}",
    "/v1/containers/{id}",
    "/v1/containers/{id}/schedules",
    "/v1/hosts/{id}",
    "/v1/operations/{id}",
    "/v1/templates/{name}",
    "/v1/users/{id}",
];
const CHANGED_AS_SEEN: [(&str, &str); 42] = [
    ("PATCH", "/v1/accounts/{id}"),
    ("DELETE", "/v1/accounts/{id}"),
    ("PUT", "/v1/accounts/{id}/members/{user}"),
    ("DELETE", "/v1/accounts/{id}/members/{user}"),
    ("PUT", "/v1/accounts/{id}/quota"),
    ("DELETE", "/v1/api-keys/{id}"),
    ("POST", "/v1/api-keys/{id}/rotate"),
    ("PATCH", "/v1/containers/{id}"),
    ("DELETE", "/v1/containers/{id}"),
    ("POST", "/v1/containers/{id}/actions/apply"),
    ("POST", "/v1/containers/{id}/actions/reboot"),
    ("POST", "/v1/containers/{id}/actions/resize"),
    ("POST", "/v1/containers/{id}/actions/resume"),
    ("POST", "/v1/containers/{id}/actions/shutdown"),
    ("POST", "/v1/containers/{id}/actions/start"),
    ("POST", "/v1/containers/{id}/actions/stop"),
    ("POST", "/v1/containers/{id}/actions/suspend"),
    ("PUT", "/v1/containers/{id}/root-password"),
    ("POST", "/v1/containers/{id}/backups"),
    ("DELETE", "/v1/containers/{id}/backups/{name}"),
    ("POST", "/v1/containers/{id}/backups/{name}/containers"),
    ("POST", "/v1/containers/{id}/backups/{name}/restore"),
    ("POST", "/v1/containers/{id}/clone"),
    ("POST", "/v1/containers/{id}/drift/accept"),
    ("POST", "/v1/containers/{id}/drift/put-back"),
    ("POST", "/v1/containers/{id}/rebuild"),
    ("POST", "/v1/containers/{id}/release"),
    ("PUT", "/v1/containers/{id}/schedules/{name}"),
    ("DELETE", "/v1/containers/{id}/schedules/{name}"),
    ("POST", "/v1/containers/{id}/snapshots"),
    ("DELETE", "/v1/containers/{id}/snapshots/{name}"),
    ("POST", "/v1/containers/{id}/snapshots/{name}/rollback"),
    ("POST", "/v1/containers/{id}/update"),
    ("POST", "/v1/hosts/{id}/pin"),
    ("PUT", "/v1/hosts/{id}/maintenance"),
    ("POST", "/v1/operations/{id}/cancel"),
    ("POST", "/v1/operations/{id}/retry"),
    ("PUT", "/v1/templates/{name}"),
    ("DELETE", "/v1/templates/{name}"),
    ("PATCH", "/v1/users/{id}"),
    ("DELETE", "/v1/users/{id}"),
    ("POST", "/v1/users/{id}/password-link"),
];

struct Shared {
    name: &'static str,
    place: ParameterIn,
    words: &'static str,
    example: &'static str,
}

const FIELDS: &str = "fields";
const SHARED: [Shared; 3] = [
    Shared {
        name: FIELDS,
        place: ParameterIn::Query,
        words: "Only these fields, with commas between; in a list, of each item",
        example: "id",
    },
    Shared {
        name: "If-None-Match",
        place: ParameterIn::Header,
        words: "The `ETag` of what you have: 304 when it is still the same",
        example: "\"v3\"",
    },
    Shared {
        name: "If-Match",
        place: ParameterIn::Header,
        words: "The `ETag` of what you have seen: 412 when it was changed since then",
        example: "\"v3\"",
    },
];

pub(super) fn add(method: &str, path: &str, operation: &mut Operation, shapes: &sparse::Shapes) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter {
            narrow(parameter);
        }
    }
    let mut more = Vec::new();
    if method == "GET" && shapes.has(path) {
        more.push(FIELDS);
    }
    if method == "GET" && TAGGED.contains(&path) {
        more.push("If-None-Match");
        if let Some(RefOr::T(answer)) = operation.responses.responses.get_mut("200") {
            answer.headers.insert("ETag".to_owned(), RefOr::Ref(Ref::new("#/components/headers/ETag")));
        }
        let same = Response::new("It is what you have");
        operation.responses.responses.insert("304".to_owned(), RefOr::T(same));
    }
    if CHANGED_AS_SEEN.contains(&(method, path)) {
        more.push("If-Match");
    }
    let refs = more.into_iter().map(|name| RefOr::Ref(Ref::new(format!("#/components/parameters/{name}"))));
    let refs: Vec<_> = refs.collect();
    if !refs.is_empty() {
        operation.parameters.get_or_insert_default().extend(refs);
    }
}

pub(super) fn is_changed_as_seen(method: &str, path: &str) -> bool {
    CHANGED_AS_SEEN.contains(&(method, path))
}

pub(super) fn components(components: &mut Components) {
    for Shared { name, place, words, example } in SHARED {
        let text = ObjectBuilder::new().schema_type(Type::String).examples([json!(example)]).build();
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(place)
            .required(Required::False)
            .description(Some(words))
            .schema(Some(text));
        components.parameters.insert(name.to_owned(), RefOr::T(parameter.build()));
    }
    let text = ObjectBuilder::new().schema_type(Type::String).examples([json!("\"v3\"")]);
    let words = "What it is known by as it is now; weak where it shows what is not its own, like Proxmox's word";
    let header = HeaderBuilder::new().schema(Some(text)).description(Some(words)).build();
    components.headers.insert("ETag".to_owned(), RefOr::T(header));
}

/// What the types of the handlers do not say.
fn narrow(parameter: &mut Parameter) {
    if parameter.name == "limit"
        && let Some(RefOr::T(Schema::Object(number))) = &mut parameter.schema
    {
        number.minimum = Some(utoipa::Number::UInt(1));
        number.maximum = Some(utoipa::Number::UInt(500));
        number.default = Some(json!(50));
    }
}
