//! Jobs for the workers: at least once, soon, and no more often than needed. A job is only a hint to look at an operation.

mod feed;
mod job;
mod leases;
mod memory;
mod redis;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::bus::{Bus, Subscription};
use crate::coordination::{CoordinationError, Link};
use job::{Catch, Finish};
pub use job::{Delivery, Depth, Job, Outcome, Place};
pub use worker::{Settings, work};

#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    #[error("the queue is full: {queued} of {limit} jobs; try again later, or run more workers")]
    Full { queued: u64, limit: u64 },
    #[error(transparent)]
    Backend(#[from] CoordinationError),
    #[error("the worker stopped before it was told to: {0}")]
    Worker(String),
    #[error(
        "the worker's jobs did not end within {0:?} of being told to stop; their leases will run out and others take them"
    )]
    Drain(Duration),
}

#[derive(Clone)]
pub struct Queue {
    store: Arc<Store>,
    bus: Bus,
    topic: Arc<str>,
    limit: u64,
}

enum Store {
    Memory(memory::Memory),
    Redis(redis::Remote),
}

impl Queue {
    pub(crate) fn in_process(bus: Bus, name: &str, limit: u64) -> Self {
        let store = Arc::new(Store::Memory(memory::Memory::default()));
        Self { store, bus, topic: topic(name).into(), limit }
    }

    pub(crate) fn on_redis(link: Link, bus: Bus, name: &str, limit: u64) -> Self {
        let store = Arc::new(Store::Redis(redis::Remote::new(link, name, &topic(name))));
        Self { store, bus, topic: topic(name).into(), limit }
    }

    /// Queues the job, or brings it forward when it is queued already. When it is running, it will run again afterwards.
    ///
    /// # Errors
    /// `Full`, or the backend does not answer.
    pub async fn push(&self, job: Job, run_at: Option<DateTime<Utc>>) -> Result<(), QueueError> {
        let delay = run_at.and_then(|at| (at - crate::clock::now()).to_std().ok()).unwrap_or_default();
        self.push_after(job, delay).await
    }

    /// # Errors
    /// As `push`.
    pub async fn push_after(&self, job: Job, delay: Duration) -> Result<(), QueueError> {
        let pushed = match &*self.store {
            Store::Memory(memory) => {
                let pushed = memory.push(job, delay, self.limit);
                self.bus.publish(&self.topic, 1).await;
                pushed
            }
            Store::Redis(remote) => remote.push(&job, delay, self.limit).await?,
        };
        pushed.map_err(|queued| QueueError::Full { queued, limit: self.limit })
    }

    /// Why it waits. None when it is not in the queue.
    ///
    /// # Errors
    /// When the backend does not answer.
    pub async fn place(&self, id: Uuid) -> Result<Option<Place>, QueueError> {
        Ok(match &*self.store {
            Store::Memory(memory) => memory.place(id),
            Store::Redis(remote) => remote.place(id).await?,
        })
    }

    /// # Errors
    /// When the backend does not answer.
    pub async fn depth(&self) -> Result<Depth, QueueError> {
        Ok(match &*self.store {
            Store::Memory(memory) => memory.depth(),
            Store::Redis(remote) => remote.depth().await?,
        })
    }

    /// How many jobs wait, for now or for later: what is asked with each command, so in one question.
    ///
    /// # Errors
    /// When the queue does not answer.
    pub async fn waiting(&self) -> Result<u64, QueueError> {
        Ok(match &*self.store {
            Store::Memory(memory) => {
                let depth = memory.depth();
                depth.queued + depth.delayed
            }
            Store::Redis(remote) => remote.waiting().await?,
        })
    }

    async fn take(&self, want: usize, lease: Duration) -> Result<Catch, CoordinationError> {
        match &*self.store {
            Store::Memory(memory) => Ok(memory.take(want, lease)),
            Store::Redis(remote) => remote.take(want, lease).await,
        }
    }

    async fn renew(&self, leases: &[(Uuid, u64)], lease: Duration) -> Result<Vec<bool>, CoordinationError> {
        match &*self.store {
            Store::Memory(memory) => Ok(memory.renew(leases, lease)),
            Store::Redis(remote) => remote.renew(leases, lease).await,
        }
    }

    /// False for each whose lease was lost; for those nothing has changed.
    async fn finish(&self, batch: &[Finish]) -> Result<Vec<bool>, CoordinationError> {
        match &*self.store {
            Store::Memory(memory) => {
                let held = memory.finish(batch);
                self.bus.publish(&self.topic, 1).await;
                Ok(held)
            }
            Store::Redis(remote) => remote.finish(batch).await,
        }
    }

    fn news(&self) -> Subscription {
        self.bus.subscribe(&self.topic)
    }
}

fn topic(name: &str) -> String {
    format!("queue:{name}")
}

#[cfg(test)]
mod tests;
