//! The one place that asks what time it is.

use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};

/// The time, in whole microseconds: both databases keep those exactly.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the clock that everything else is to ask")]
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

/// A clock to hand on; tests hand on one of their own.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>);

impl Clock {
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(now))
    }

    pub fn from_fn(time: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self(Arc::new(move || time().trunc_subsecs(6)))
    }

    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        (self.0)()
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}
