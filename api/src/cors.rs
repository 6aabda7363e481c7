//! Browsers: pages of which other origins may ask. They send a token as everybody does, and never a cookie, so that no
//! answer allows credentials.

use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::http::{Method, StatusCode};

/// What a page may read of an answer beside its body.
const READ: &str = "ETag, Location, Preference-Applied, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id";
const SEND: &str = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, Prefer, \
    Traceparent, X-Account, X-Reason, X-Request-Id";
const METHODS: &str = "GET, POST, PUT, PATCH, DELETE";
/// Seconds for which a browser need not ask again.
const REMEMBERED: &str = "600";

/// The origin of a page that may ask.
#[derive(Debug, Clone)]
pub(crate) struct Page(HeaderValue);

impl Page {
    pub(crate) fn of(headers: &HeaderMap, allowed: &[String]) -> Option<Self> {
        let origin = headers.get(header::ORIGIN)?;
        allowed.iter().any(|one| one.as_bytes() == origin.as_bytes()).then(|| Self(origin.clone()))
    }

    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, self.0.clone());
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(READ));
    }
}

/// The answer to a browser that asks whether its page may ask.
pub(crate) fn preflight(method: &Method, headers: &HeaderMap) -> Option<HttpResponse> {
    if method != Method::OPTIONS || !headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD) {
        return None;
    }
    let mut answer = HttpResponse::build(StatusCode::NO_CONTENT);
    answer
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, METHODS))
        .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, SEND))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, REMEMBERED));
    Some(answer.finish())
}

/// What is kept for one page's origin is not for another's.
pub(crate) fn vary(headers: &mut HeaderMap) {
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
}
