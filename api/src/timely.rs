//! A request that can't be answered in time is ended with a problem, before the caller or a proxy gives up and knows
//! nothing. Streams have begun by then, and last as long as they do.

use std::time::Duration;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;

use crate::problem::{Kind, Problem};

/// An answer has to begin by then.
pub(crate) struct Within(pub(crate) Duration);

/// # Errors
/// What the handler answers with, or that it took too long.
pub(crate) async fn answered<B: MessageBody + 'static>(
    within: Data<Within>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let limit = within.0;
    tokio::time::timeout(limit, next.call(request)).await.unwrap_or_else(|_| {
        tracing::warn!(within_s = limit.as_secs_f64(), "a request was ended, its answer took too long");
        let detail = format!("the limit is {} seconds", limit.as_secs_f64());
        Err(Problem::new(Kind::TookTooLong).detail(detail).into())
    })
}
