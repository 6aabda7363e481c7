//! Queue, bus and locks, chosen together: in this process, or on Redis for several. Nobody else asks which it is.
//!
//! Nothing in here is the truth. All of it may be lost at any moment and is made again from the log.

mod lease;
mod link;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) use lease::Lease;
pub(crate) use link::Link;

use crate::bus::Bus;
use crate::limit::Counters;
use crate::lock::Locks;
use crate::queue::Queue;

#[derive(Debug, thiserror::Error)]
pub enum CoordinationError {
    #[error("REDIS_URL is not usable: {0}; expected redis://[user:password@]host:port[/db] or rediss://… for TLS")]
    Url(String),
    #[error("Redis does not answer ({0}); check REDIS_URL and that the server runs")]
    Unreachable(#[from] redis::RedisError),
    #[error("Redis answered something that is not ours: {0}; is the key prefix shared with another program?")]
    Answer(String),
}

#[derive(Clone)]
pub struct Coordination {
    link: Option<Link>,
    bus: Bus,
    locks: Locks,
    counters: Counters,
    queues: Arc<Mutex<HashMap<String, Queue>>>,
}

impl Coordination {
    /// `prefix` starts every key and channel, so that several Gantries can share one Redis.
    ///
    /// # Errors
    /// When the URL is malformed or the server does not answer.
    pub async fn connect(redis_url: Option<&str>, prefix: &str) -> Result<Self, CoordinationError> {
        let Some(url) = redis_url else { return Ok(Self::in_process()) };
        let client = redis::Client::open(url).map_err(|e| CoordinationError::Url(e.to_string()))?;
        let link = Link::to(client, prefix).await?;
        let bus = Bus::on_redis(link.clone());
        let locks = Locks::on_redis(link.clone(), bus.clone());
        let counters = Counters::on_redis(link.clone());
        Ok(Self { link: Some(link), bus, locks, counters, queues: Arc::default() })
    }

    #[must_use]
    pub fn in_process() -> Self {
        let bus = Bus::in_process();
        let locks = Locks::in_process(bus.clone());
        Self { link: None, bus, locks, counters: Counters::in_process(), queues: Arc::default() }
    }

    #[must_use]
    pub const fn bus(&self) -> &Bus {
        &self.bus
    }

    #[must_use]
    pub const fn locks(&self) -> &Locks {
        &self.locks
    }

    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The queue of that name; the same one each time. It takes at most `limit` jobs (the first caller's limit holds in this process).
    #[must_use]
    pub fn queue(&self, name: &str, limit: u64) -> Queue {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || match &self.link {
            Some(link) => Queue::on_redis(link.clone(), self.bus.clone(), name, limit),
            None => Queue::in_process(self.bus.clone(), name, limit),
        };
        queues.entry(name.to_owned()).or_insert_with(make).clone()
    }

    /// Whether the other side answers; for `/readyz`.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn ping(&self) -> Result<(), CoordinationError> {
        if let Some(link) = &self.link {
            let () = redis::cmd("PING").exec_async(&mut link.connection()).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests;
