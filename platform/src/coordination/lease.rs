//! A lease as its holder sees it: by his own clock, so that he knows of its end also when nobody can tell him.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

#[derive(Debug)]
pub(crate) struct Lease {
    until: Mutex<Instant>,
    lost: CancellationToken,
}

impl Lease {
    pub(crate) fn new(until: Instant) -> Self {
        Self { until: Mutex::new(until), lost: CancellationToken::new() }
    }

    pub(crate) fn until(&self) -> Instant {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn extend(&self, until: Instant) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// For good: what was told to stop does not start again.
    pub(crate) fn lose(&self) {
        self.lost.cancel();
    }

    /// Who slept past the end (a paused process) has lost it before asking anybody.
    pub(crate) fn is_lost(&self) -> bool {
        if self.until() <= Instant::now() {
            self.lose();
        }
        self.lost.is_cancelled()
    }

    pub(crate) fn lost(&self) -> &CancellationToken {
        &self.lost
    }
}
