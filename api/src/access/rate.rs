//! How often one caller may ask.

use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use platform::limit::Count;

use super::{Access, Caller};
use crate::app::App;
use crate::problem::{Kind, Problem};

const WINDOW: Duration = Duration::from_secs(60);

pub(super) struct Rate {
    most: u64,
    count: Count,
}

/// # Errors
/// `rate-limited` for who asks too often.
pub(super) async fn count(app: &App, access: &Access, caller: &Caller) -> Result<Option<Rate>, Problem> {
    let Some(most) = access.per_minute else { return Ok(None) };
    let count = app.coordination.counters().hit(&format!("rate:{}", caller.actor), WINDOW).await;
    if count.times > most {
        let detail = format!("at most {most} requests in {} seconds", WINDOW.as_secs());
        return Err(Problem::new(Kind::RateLimited).detail(detail).after(count.ends_in));
    }
    Ok(Some(Rate { most, count }))
}

impl Rate {
    /// As the IETF's draft on rate limits names it.
    pub(super) fn tell(&self, headers: &mut HeaderMap) {
        let left = self.most.saturating_sub(self.count.times);
        let policy = format!("\"caller\";q={};w={}", self.most, WINDOW.as_secs());
        let now = format!("\"caller\";r={left};t={}", self.count.ends_in.as_secs());
        for (name, text) in [("ratelimit-policy", policy), ("ratelimit", now)] {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}
