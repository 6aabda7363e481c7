use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The simulated cluster's time. Tests move it forward to see tickets expire.
#[derive(Debug, Default)]
pub struct Clock {
    ahead_ms: AtomicI64,
}

impl Clock {
    pub fn advance(&self, by: Duration) {
        self.ahead_ms.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    /// Seconds since 1970, with their fraction.
    #[must_use]
    pub fn now(&self) -> f64 {
        let real = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        #[allow(clippy::cast_precision_loss, reason = "a shift of milliseconds is far below 2^52")]
        let ahead = self.ahead_ms.load(Ordering::Relaxed) as f64 / 1000.0;
        real + ahead
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub fn seconds(&self) -> i64 {
        #[allow(clippy::cast_possible_truncation, reason = "seconds since 1970 fit")]
        let seconds = self.now() as i64;
        seconds
    }
}
