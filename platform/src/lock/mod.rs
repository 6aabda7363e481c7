//! Locks and slots. They keep the peace; who is right is decided by the expected version in the log.
//!
//! A lock is a slot of which there is one. Whoever waits stands in line; who died in the line or with the lock loses
//! his place by time.

mod guard;
mod holder;
mod memory;
mod redis;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use crate::bus::Bus;
use crate::coordination::{CoordinationError, Link};
pub use guard::Guard;
pub use holder::{Held, Holder, Inspection, Taken};

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error(transparent)]
    Taken(#[from] Taken),
    #[error(transparent)]
    Backend(#[from] CoordinationError),
}

/// How long a place in the line lasts without a sign; also how often the line is looked at when no word comes.
const PATIENCE: Duration = Duration::from_secs(6);
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// One question for a place.
struct Ask {
    key: String,
    id: Uuid,
    holder: Holder,
    lease: Duration,
    limit: usize,
    /// Zero: do not stand in line.
    patience: Duration,
}

enum Reply {
    Yours { fence: u64 },
    Wait { ahead: u64, frees_in: Duration, holders: Vec<Held> },
}

#[derive(Clone)]
pub struct Locks {
    store: Arc<Store>,
    bus: Bus,
}

enum Store {
    Memory(memory::Memory),
    Redis(redis::Remote),
}

/// So many at once under one key: per host, node, storage.
#[derive(Clone)]
pub struct Slots {
    locks: Locks,
    key: String,
    limit: usize,
}

impl Locks {
    pub(crate) fn in_process(bus: Bus) -> Self {
        Self { store: Arc::new(Store::Memory(memory::Memory::default())), bus }
    }

    pub(crate) fn on_redis(link: Link, bus: Bus) -> Self {
        Self { store: Arc::new(Store::Redis(redis::Remote { link })), bus }
    }

    #[must_use]
    pub fn slots(&self, key: &str, limit: usize) -> Slots {
        Slots { locks: self.clone(), key: key.to_owned(), limit: limit.max(1) }
    }

    /// Waits in line for at most `wait`.
    ///
    /// # Errors
    /// `Taken` with who holds it, or the backend does not answer.
    pub async fn acquire(&self, key: &str, holder: Holder, ttl: Duration, wait: Duration) -> Result<Guard, LockError> {
        self.slots(key, 1).acquire(holder, ttl, wait).await
    }

    /// # Errors
    /// As `acquire`, at once.
    pub async fn try_acquire(&self, key: &str, holder: Holder, ttl: Duration) -> Result<Guard, LockError> {
        self.slots(key, 1).try_acquire(holder, ttl).await
    }

    /// None when nobody holds it or waits for it.
    ///
    /// # Errors
    /// When the backend does not answer.
    pub async fn inspect(&self, key: &str) -> Result<Option<Inspection>, CoordinationError> {
        match &*self.store {
            Store::Memory(memory) => Ok(memory.list(key).into_iter().find(|seen| seen.key == key)),
            Store::Redis(remote) => remote.inspect(key.to_owned()).await,
        }
    }

    /// All that are held and whose key starts so, by key.
    ///
    /// # Errors
    /// When the backend does not answer.
    pub async fn list(&self, prefix: &str) -> Result<Vec<Inspection>, CoordinationError> {
        let mut seen = match &*self.store {
            Store::Memory(memory) => memory.list(prefix),
            Store::Redis(remote) => remote.list(prefix).await?,
        };
        seen.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        Ok(seen)
    }

    async fn ask(&self, ask: &Ask) -> Result<Reply, CoordinationError> {
        match &*self.store {
            Store::Memory(memory) => Ok(memory.acquire(ask)),
            Store::Redis(remote) => remote.acquire(ask).await,
        }
    }

    async fn renew(&self, key: &str, id: Uuid, lease: Duration) -> Result<bool, CoordinationError> {
        match &*self.store {
            Store::Memory(memory) => Ok(memory.renew(key, id, lease)),
            Store::Redis(remote) => remote.renew(key, id, lease).await,
        }
    }

    /// Whether it was still held.
    async fn leave(&self, key: &str, id: Uuid) -> Result<bool, CoordinationError> {
        match &*self.store {
            Store::Memory(memory) => {
                let held = memory.leave(key, id);
                self.bus.publish(&topic(key), 1).await;
                Ok(held)
            }
            Store::Redis(remote) => remote.leave(key, id, &topic(key)).await,
        }
    }
}

impl Slots {
    /// # Errors
    /// `Taken` with who holds them, or the backend does not answer.
    pub async fn try_acquire(&self, holder: Holder, ttl: Duration) -> Result<Guard, LockError> {
        self.acquire(holder, ttl, Duration::ZERO).await
    }

    /// Waits in line for at most `wait`.
    ///
    /// # Errors
    /// As `try_acquire`, after that time.
    pub async fn acquire(&self, holder: Holder, ttl: Duration, wait: Duration) -> Result<Guard, LockError> {
        let give_up = Instant::now() + wait;
        let patience = if wait.is_zero() { wait } else { PATIENCE };
        let (key, id) = (self.key.clone(), Uuid::now_v7());
        let ask = Ask { key, id, holder, lease: ttl, limit: self.limit, patience };
        // Before the first question, so that no release falls in between.
        let mut news = self.locks.bus.subscribe(&topic(&self.key));
        // Leaves the line on every way out, also when this future is dropped.
        let place = guard::Place::new(self.locks.clone(), &ask);
        loop {
            let asked = Instant::now();
            let (ahead, frees_in, holders) = match self.locks.ask(&ask).await? {
                Reply::Yours { fence } => return Ok(place.into_guard(fence, asked + ttl, ttl)),
                Reply::Wait { ahead, frees_in, holders } => (ahead, frees_in, holders),
            };
            if Instant::now() >= give_up {
                if wait.is_zero() {
                    place.was_never_taken();
                } else {
                    place.leave().await;
                }
                return Err(Taken { key: self.key.clone(), holders, ahead }.into());
            }
            let look = Instant::now() + frees_in.clamp(Duration::from_millis(1), LOOK_EVERY);
            tokio::select! {
                _ = news.next() => {}
                () = tokio::time::sleep_until(look.min(give_up)) => {}
            }
        }
    }
}

fn topic(key: &str) -> String {
    format!("lock:{key}")
}

#[cfg(test)]
mod tests;
