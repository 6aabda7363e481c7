//! What any route may answer beside what it says itself, kept once among the components.

use serde_json::json;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Components, ContentBuilder, Header, Ref, RefOr, Response, ResponseBuilder};

use super::parameters::is_changed_as_seen;
use crate::access::table::{Needs, Rule, rule_of};
use crate::problem::{Kind, Problem};

struct Common {
    name: &'static str,
    kind: Kind,
    words: &'static str,
}

const fn common(name: &'static str, kind: Kind, words: &'static str) -> Common {
    Common { name, kind, words }
}

const INTERNAL: Common = common("Internal", Kind::Internal, "Something went wrong on our side");
const STRANGER: Common = common("Unauthenticated", Kind::Unauthenticated, "There is no valid token in the request");
const FORBIDDEN: Common = common("Forbidden", Kind::Forbidden, "You may not do this");
const NOT_FOUND: Common = common("NotFound", Kind::NotFound, "There is no such thing, or it is another account's");
const UNAVAILABLE: Common = common("Unavailable", Kind::Unavailable, "Not available right now; see Retry-After");
const MALFORMED: Common = common("Malformed", Kind::Malformed, "The body is no JSON object");
const TOO_SLOW: Common = common("TooSlow", Kind::TooSlow, "The body did not arrive in time");
const TOO_LARGE: Common = common("TooLarge", Kind::TooLarge, "The body is too large");
const NOT_JSON: Common = common("UnsupportedMediaType", Kind::UnsupportedMediaType, "The body is not application/json");
const INVALID: Common = common("Invalid", Kind::Invalid, "A field, a parameter or a header is not allowed");
const TOO_OFTEN: Common = common("RateLimited", Kind::RateLimited, "You ask too often; see Retry-After");

const STALE: Common = common("Stale", Kind::Stale, "It was changed since you have seen it");

const ALL: [&Common; 12] = [
    &INTERNAL,
    &STRANGER,
    &FORBIDDEN,
    &NOT_FOUND,
    &UNAVAILABLE,
    &MALFORMED,
    &TOO_SLOW,
    &TOO_LARGE,
    &NOT_JSON,
    &INVALID,
    &TOO_OFTEN,
    &STALE,
];

/// The headers that tell how much one may still ask.
const RATE: [(&str, &str, &str); 2] = [
    (
        "RateLimit",
        "How many requests are left, and in how many seconds there are all of them again",
        "\"caller\";r=599;t=42",
    ),
    ("RateLimit-Policy", "How many requests are allowed in how many seconds", "\"caller\";q=600;w=60"),
];
const RETRY_AFTER: (&str, &str, &str) = ("Retry-After", "Ask again after so many seconds", "5");

pub(super) fn add(method: &str, path: &str, operation: &mut Operation) {
    let rule = rule_of(method, path);
    let mut common = vec![&INTERNAL];
    let known = rule.is_none_or(|rule| rule.needs != Needs::Nothing);
    if known {
        common.extend([&STRANGER, &NOT_FOUND, &UNAVAILABLE]);
    }
    // Who signs in is counted by where they come from.
    if known || operation.request_body.is_some() {
        common.push(&TOO_OFTEN);
    }
    if let Some(Rule { needs: Needs::Permission(permission), whose, .. }) = rule {
        common.push(&FORBIDDEN);
        let told = json!({ "permission": permission, "whose": whose.words() });
        operation.extensions = Some(ExtensionsBuilder::new().add("x-access", told).build());
    }
    if operation.request_body.is_some() {
        common.extend([&MALFORMED, &TOO_SLOW, &TOO_LARGE, &NOT_JSON]);
    }
    let asks = operation.parameters.is_some() || operation.request_body.is_some();
    if asks && path.starts_with("/v1") {
        common.push(&INVALID);
    }
    if is_changed_as_seen(method, path) {
        common.push(&STALE);
    }
    let answers = &mut operation.responses.responses;
    for one in common {
        let status = one.kind.row().1.to_string();
        let shared = || RefOr::Ref(Ref::new(format!("#/components/responses/{}", one.name)));
        answers.entry(status).or_insert_with(shared);
    }
    for answer in answers.values_mut() {
        if let RefOr::T(answer) = answer
            && answer.description.is_empty()
        {
            answer.description = operation.summary.clone().unwrap_or_default();
        }
    }
    if known {
        for (_, answer) in answers.iter_mut().filter(|(status, _)| status.starts_with('2')) {
            if let RefOr::T(answer) = answer {
                answer.headers.extend(RATE.map(|(name, ..)| (name.to_owned(), shared_header(name))));
            }
        }
    }
}

pub(super) fn components(components: &mut Components) {
    for (name, words, example) in RATE.into_iter().chain([RETRY_AFTER]) {
        components.headers.insert(name.to_owned(), RefOr::T(header(words, example)));
    }
    for one in ALL {
        components.responses.insert(one.name.to_owned(), RefOr::T(problem(one)));
    }
}

fn header(words: &str, example: &str) -> Header {
    let text = ObjectBuilder::new().schema_type(Type::String).examples([json!(example)]);
    HeaderBuilder::new().schema(Some(text)).description(Some(words)).build()
}

fn shared_header(name: &str) -> RefOr<Header> {
    RefOr::Ref(Ref::new(format!("#/components/headers/{name}")))
}

fn problem(one: &Common) -> Response {
    let example = serde_json::to_value(Problem::new(one.kind).for_request("0199a3c0-7d4e-7000-8000-000000000001"));
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).example(example.ok()).build();
    let mut answer = ResponseBuilder::new().description(one.words).content("application/problem+json", content);
    let status = one.kind.row().1;
    if status == 429 || status == 503 {
        answer = answer.header_ref(RETRY_AFTER.0, Ref::new(format!("#/components/headers/{}", RETRY_AFTER.0)));
    }
    let mut answer = answer.build();
    if status == 429 {
        answer.headers.extend(RATE.map(|(name, ..)| (name.to_owned(), shared_header(name))));
    }
    answer
}
