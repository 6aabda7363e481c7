//! What a holder has in hand: released on every path, renewed meanwhile, and it knows when it was lost.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;
use uuid::Uuid;

use super::{Ask, Locks};
use crate::coordination::Lease;
use crate::task::{Owned, own};

/// A place, in the line or with the lock; dropping it leaves.
pub(super) struct Place {
    locks: Locks,
    key: String,
    id: Uuid,
    taken: bool,
}

impl Place {
    pub(super) fn new(locks: Locks, ask: &Ask) -> Self {
        Self { locks, key: ask.key.clone(), id: ask.id, taken: true }
    }

    pub(super) fn was_never_taken(mut self) {
        self.taken = false;
    }

    /// Whether it was still ours. When the backend is away the time ends it.
    pub(super) async fn leave(mut self) -> bool {
        let left = self.locks.leave(&self.key, self.id).await;
        self.taken = left.is_err();
        left.unwrap_or(false)
    }

    pub(super) fn into_guard(self, fence: u64, until: Instant, ttl: Duration) -> Guard {
        let lease = Arc::new(Lease::new(until));
        let renewing = renew(self.locks.clone(), self.key.clone(), self.id, ttl, Arc::clone(&lease));
        Guard { renewing: own(renewing), place: self, fence, lease }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.taken {
            return;
        }
        let (locks, key, id) = (self.locks.clone(), std::mem::take(&mut self.key), self.id);
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = locks.leave(&key, id).await {
                    tracing::warn!(%error, key, "a lock was not released; its lease will run out");
                }
            });
        }
    }
}

#[must_use = "dropping it releases the lock"]
pub struct Guard {
    renewing: Owned<()>,
    place: Place,
    fence: u64,
    lease: Arc<Lease>,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard")
            .field("key", &self.place.key)
            .field("fence", &self.fence)
            .field("lost", &self.is_lost())
            .finish()
    }
}

impl Guard {
    /// Rises with every acquisition of this key, also across a flush.
    #[must_use]
    pub const fn fence(&self) -> u64 {
        self.fence
    }

    #[must_use]
    pub fn key(&self) -> &str {
        &self.place.key
    }

    /// Somebody else may hold it now. Write nothing more.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.lease.is_lost()
    }

    pub async fn lost(&self) {
        self.lease.lost().cancelled().await;
    }

    /// Releases and waits for that; false when it had been lost. Dropping releases too.
    pub async fn release(self) -> bool {
        drop(self.renewing);
        self.place.leave().await && !self.lease.lost().is_cancelled()
    }
}

async fn renew(locks: Locks, key: String, id: Uuid, ttl: Duration, lease: Arc<Lease>) {
    let mut nap = ttl / 3;
    loop {
        tokio::time::sleep(nap).await;
        if lease.is_lost() {
            break;
        }
        let (asked, until) = (Instant::now(), lease.until());
        nap = match tokio::time::timeout_at(until, locks.renew(&key, id, ttl)).await {
            Ok(Ok(true)) => {
                lease.extend(asked + ttl);
                ttl / 3
            }
            Ok(Ok(false)) | Err(_) => break,
            Ok(Err(error)) => {
                tracing::warn!(%error, key, "a lock was not renewed; trying again");
                (ttl / 10).min(until.saturating_duration_since(Instant::now()))
            }
        };
    }
    tracing::warn!(key, "a lock was lost");
    lease.lose();
}
