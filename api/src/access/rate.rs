//! How often one caller may ask.

use std::time::Duration;

use actix_web::HttpMessage as _;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::HeaderValue;
use platform::limit::Count;

use super::{Access, Caller, Origin};
use crate::app::App;
use crate::borne::Borne;
use crate::problem::{Kind, Problem};

const WINDOW: Duration = Duration::from_secs(60);

/// Counts a request of somebody who is known.
///
/// # Errors
/// `rate-limited` for who asks too often.
pub(super) async fn of_caller(
    app: &App,
    access: &Access,
    request: &ServiceRequest,
    caller: &Caller,
) -> Result<(), Problem> {
    count(app, access, request, &caller.actor.to_string()).await
}

/// Counts a request with a token that opens nothing: who tries many is slowed by where they come from.
///
/// # Errors
/// `rate-limited` for who tries too often.
pub(super) async fn of_stranger(
    app: &App,
    access: &Access,
    request: &ServiceRequest,
    origin: &Origin,
) -> Result<(), Problem> {
    match origin.address() {
        Some(address) => count(app, access, request, &format!("address:{address}")).await,
        None => Ok(()),
    }
}

async fn count(app: &App, access: &Access, request: &ServiceRequest, who: &str) -> Result<(), Problem> {
    let Some(most) = access.per_minute else { return Ok(()) };
    let count = app.coordination.counters().hit(&format!("rate:{who}"), WINDOW).await;
    if let Some(borne) = request.extensions().get::<Borne>() {
        tell(most, count, borne);
    }
    if count.times <= most {
        return Ok(());
    }
    let detail = format!("at most {most} requests in {} seconds", WINDOW.as_secs());
    Err(Problem::new(Kind::RateLimited).detail(detail).after(count.ends_in))
}

/// As the IETF's draft on rate limits names it.
fn tell(most: u64, count: Count, borne: &Borne) {
    let left = most.saturating_sub(count.times);
    let policy = format!("\"caller\";q={most};w={}", WINDOW.as_secs());
    // Rounded up: at that second there are all of them again.
    let now = format!("\"caller\";r={left};t={}", count.ends_in.as_millis().div_ceil(1000));
    for (name, text) in [("ratelimit-policy", policy), ("ratelimit", now)] {
        if let Ok(value) = HeaderValue::from_str(&text) {
            borne.add(name, value);
        }
    }
}
