//! Each request gets an id that follows its work to the last SSH command, and one line in the log.

use std::time::Instant;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::Method;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpResponse, ResponseError as _};
use domain::{RequestId, TraceParent};
use platform::people::token;
use tracing::{Instrument as _, Span, field};
use uuid::Uuid;

use crate::access::Access;
use crate::body::Unread;
use crate::borne::Borne;
use crate::problem::{Kind, Problem};

pub(crate) const HEADER: &str = "x-request-id";

/// Takes the caller's id when it is a UUID, makes one otherwise, and gives it back in the answer. The outermost
/// middleware: whatever went wrong inside leaves as a problem.
///
/// # Errors
/// What the handler answers with, with the id filled in.
pub async fn identified(
    access: Data<Access>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    let given = request.headers().get(HEADER).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
    let id = RequestId::new(given.unwrap_or_else(Uuid::now_v7));
    request.extensions_mut().insert(id);
    let borne = Borne::of(&request, &access);
    request.extensions_mut().insert(borne.clone());
    if let Some(answer) = borne.preflight(&request) {
        return Ok(request.into_response(answer.map_into_right_body()));
    }
    let (method, path) = (request.method().clone(), request.path().to_owned());
    let span = tracing::info_span!(
        "request",
        request.id = %id,
        trace.id = field::Empty,
        trace.parent = field::Empty,
        trace.span = field::Empty,
        trace.name = field::Empty,
        http.method = %method,
        http.path = path,
        http.status = field::Empty,
        error = field::Empty,
    );
    if let Some(trace) = traced(&request, &span) {
        request.extensions_mut().insert(trace);
    }
    let started = Instant::now();
    let answer = next.call(request).instrument(span.clone()).await;
    let (route, status) = match &answer {
        Ok(answer) => (answer.request().match_pattern(), answer.status().as_u16()),
        Err(error) => (None, error.as_response_error().status_code().as_u16()),
    };
    let elapsed = started.elapsed();
    span.in_scope(|| tracing::info!(http.status = status, duration_ms = elapsed.as_secs_f64() * 1e3, "answered"));
    let route = route.unwrap_or_else(|| "none".to_owned());
    span.record("http.status", status).record("trace.name", format!("{} {route}", known(&method)));
    if status >= 500 {
        span.record("error", format!("answered {status}"));
    }
    let labels = [("method", known(&method).to_owned()), ("route", route), ("status", status.to_string())];
    metrics::histogram!("gantry_http_request_seconds", &labels).record(elapsed);
    let answer = answer.map_err(|error| span.in_scope(|| named(&error, id, &borne)))?;
    // A handler's own problem is an answer by now, and does not know yet under which id it was asked.
    let problem = answer.response().error().and_then(|error| error.as_error::<Problem>().cloned());
    let problem = problem.or_else(|| wordless(answer.response()));
    let mut answer = match problem {
        Some(problem) => {
            let response = problem.for_request(id).error_response();
            let unread = answer.request().extensions_mut().remove::<Unread>();
            let response = match unread {
                Some(unread) => unread.kept_by(response),
                None => response,
            };
            answer.into_response(response.map_into_right_body())
        }
        None => answer.map_into_left_body(),
    };
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        answer.headers_mut().insert(HeaderName::from_static(HEADER), value);
    }
    borne.tell(answer.headers_mut());
    Ok(answer)
}

/// The caller's trace (W3C Trace Context), of which this request is a part; one of our own when they bring none, or what
/// is none.
fn traced(request: &ServiceRequest, span: &Span) -> Option<TraceParent> {
    let given = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
    let given: Option<TraceParent> = given.and_then(|text| text.parse().ok());
    let own = token::random::<8>();
    if let Some(given) = &given {
        span.record("trace.parent", given.to_string());
    }
    let trace = given.map_or_else(|| TraceParent::begin(&token::random::<16>(), &own), |given| given.within(&own));
    let trace = trace.ok()?;
    span.record("trace.id", trace.trace()).record("trace.span", trace.span());
    Some(trace)
}

/// A problem tells its reader the id under which the operator finds the cause.
fn named(error: &Error, id: RequestId, borne: &Borne) -> Error {
    let problem = error.as_error::<Problem>().cloned().unwrap_or_else(|| foreign(error)).for_request(id);
    let mut response = problem.error_response();
    borne.tell(response.headers_mut());
    InternalError::from_response(problem, response).into()
}

/// Anybody may invent methods, and figures are kept for each.
fn known(method: &Method) -> &str {
    let known = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
    if known.contains(method) { method.as_str() } else { "other" }
}

/// What a part that is not ours refused without a word.
fn wordless<B>(answer: &HttpResponse<B>) -> Option<Problem> {
    let silent = answer.status().is_client_error() && !answer.headers().contains_key(CONTENT_TYPE);
    silent.then(|| match answer.status().as_u16() {
        404 => Problem::new(Kind::NotFound),
        405 => Problem::new(Kind::MethodNotAllowed),
        _ => Problem::new(Kind::Malformed),
    })
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
