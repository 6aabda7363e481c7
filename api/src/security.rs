//! Headers that keep browsers from doing more with an answer than read it.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

const ALWAYS: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
];
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";
/// The reader of the document brings its own scripts and styles, and asks nobody else.
const READER: &str =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

/// A page that sends what is filled in to us, and to nobody else.
const WELCOME: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// A browser that came over TLS comes over nothing else for a year.
const ONLY_TLS: (&str, &str) = ("strict-transport-security", "max-age=31536000");

pub(crate) fn add(headers: &mut HeaderMap, path: &str, secure: bool) {
    let policy = match path {
        _ if path.starts_with("/docs") => READER,
        _ if path.starts_with("/welcome/") => WELCOME,
        _ => NOTHING,
    };
    for (name, value) in
        ALWAYS.into_iter().chain([("content-security-policy", policy)]).chain(secure.then_some(ONLY_TLS))
    {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let cache = HeaderName::from_static("cache-control");
    if !headers.contains_key(&cache) && path.starts_with("/v1") {
        headers.insert(cache, HeaderValue::from_static("no-store"));
    }
}
