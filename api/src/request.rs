//! Each request gets an id that follows its work to the last SSH command, and one line in the log.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage};
use domain::RequestId;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::problem::Problem;

pub(crate) const HEADER: &str = "x-request-id";

/// Takes the caller's id when it is a UUID, makes one otherwise, and gives it back in the answer.
///
/// # Errors
/// What the handler answers with, with the id filled in.
pub async fn identified(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let given = request.headers().get(HEADER).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
    let id = RequestId::new(given.unwrap_or_else(Uuid::now_v7));
    request.extensions_mut().insert(id);
    let method = request.method().clone();
    let path = request.path().to_owned();
    let span = tracing::info_span!("request", request.id = %id, http.method = %method, http.path = path);
    let started = Instant::now();
    let mut answer = next.call(request).instrument(span.clone()).await.map_err(|error| named(error, id))?;
    let pattern = answer.request().match_pattern().unwrap_or_else(|| "none".to_owned());
    let status = answer.status().as_u16();
    let elapsed = started.elapsed();
    span.in_scope(|| tracing::info!(http.status = status, duration_ms = elapsed.as_secs_f64() * 1e3, "answered"));
    let labels = [("method", method.to_string()), ("route", pattern), ("status", status.to_string())];
    metrics::histogram!("gantry_http_request_seconds", &labels).record(elapsed);
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        answer.headers_mut().insert(HeaderName::from_static(HEADER), value);
    }
    Ok(answer)
}

/// A problem tells its reader the id under which the operator finds the cause.
fn named(error: Error, id: RequestId) -> Error {
    match error.as_error::<Problem>() {
        Some(problem) => problem.clone().for_request(id).into(),
        None => error,
    }
}
