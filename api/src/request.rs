//! Each request gets an id that follows its work to the last SSH command, and one line in the log.

use std::time::Instant;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, ResponseError as _};
use domain::{RequestId, TraceParent};
use platform::people::token;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::problem::{Kind, Problem};
use crate::security;

pub(crate) const HEADER: &str = "x-request-id";

/// Takes the caller's id when it is a UUID, makes one otherwise, and gives it back in the answer. The outermost
/// middleware: whatever went wrong inside leaves as a problem.
///
/// # Errors
/// What the handler answers with, with the id filled in.
pub async fn identified(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    let given = request.headers().get(HEADER).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
    let id = RequestId::new(given.unwrap_or_else(Uuid::now_v7));
    request.extensions_mut().insert(id);
    let trace = traced(&request);
    let trace_id = trace.as_ref().map(|trace| trace.trace().to_owned());
    if let Some(trace) = trace {
        request.extensions_mut().insert(trace);
    }
    let (method, path) = (request.method().clone(), request.path().to_owned());
    let span =
        tracing::info_span!("request", request.id = %id, trace.id = trace_id, http.method = %method, http.path = path);
    let started = Instant::now();
    let answer = next.call(request).instrument(span.clone()).await;
    let (route, status) = match &answer {
        Ok(answer) => (answer.request().match_pattern(), answer.status().as_u16()),
        Err(error) => (None, error.as_response_error().status_code().as_u16()),
    };
    let elapsed = started.elapsed();
    span.in_scope(|| tracing::info!(http.status = status, duration_ms = elapsed.as_secs_f64() * 1e3, "answered"));
    let route = route.unwrap_or_else(|| "none".to_owned());
    let labels = [("method", method.to_string()), ("route", route), ("status", status.to_string())];
    metrics::histogram!("gantry_http_request_seconds", &labels).record(elapsed);
    let answer = answer.map_err(|error| span.in_scope(|| named(&error, id, &path)))?;
    // A handler's own problem is an answer by now, and does not know yet under which id it was asked.
    let problem = answer.response().error().and_then(|error| error.as_error::<Problem>().cloned());
    let mut answer = match problem {
        Some(problem) => {
            let response = problem.for_request(id).error_response();
            answer.into_response(response.map_into_right_body())
        }
        None => answer.map_into_left_body(),
    };
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        answer.headers_mut().insert(HeaderName::from_static(HEADER), value);
    }
    security::add(answer.headers_mut(), &path);
    Ok(answer)
}

/// The caller's trace (W3C Trace Context); one of our own when they bring none, or what is none.
fn traced(request: &ServiceRequest) -> Option<TraceParent> {
    let given = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
    let given = given.and_then(|text| text.parse().ok());
    given.or_else(|| TraceParent::begin(&token::random::<16>(), &token::random::<8>()).ok())
}

/// A problem tells its reader the id under which the operator finds the cause.
fn named(error: &Error, id: RequestId, path: &str) -> Error {
    let problem = error.as_error::<Problem>().cloned().unwrap_or_else(|| foreign(error)).for_request(id);
    let mut response = problem.error_response();
    security::add(response.headers_mut(), path);
    InternalError::from_response(problem, response).into()
}

/// What the web server itself refused.
fn foreign(error: &Error) -> Problem {
    match error.as_response_error().status_code().as_u16() {
        404 => Problem::new(Kind::NotFound),
        405 => Problem::new(Kind::MethodNotAllowed),
        413 => Problem::new(Kind::TooLarge),
        400..=499 => Problem::new(Kind::Malformed).detail(error.to_string()),
        _ => Problem::internal(error),
    }
}
