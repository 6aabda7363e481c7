//! Tells whoever watches a topic that there is more to read, up to a number. What there is, stands in the log.
//!
//! A receiver holds one number, not a buffer: who is slow finds the newest number, and nothing is ever missed by being
//! late. Only a lost connection can lose a number; then everybody is told to look for themselves (`Resync`).

pub(crate) mod pump;
mod topics;

use std::sync::Arc;

use tokio_util::sync::{CancellationToken, DropGuard};

use crate::coordination::Link;
pub use topics::Subscription;
use topics::Topics;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// There is more, up to this number.
    More(u64),
    /// Something may have been missed: read on from what you have.
    Resync,
}

#[derive(Clone)]
pub struct Bus {
    topics: Arc<Topics>,
    wire: Option<Arc<Wire>>,
}

struct Wire {
    link: Link,
    /// Ends the pump with the last bus.
    _pump: DropGuard,
}

impl Bus {
    pub(crate) fn in_process() -> Self {
        Self { topics: Arc::default(), wire: None }
    }

    pub(crate) fn on_redis(link: Link) -> Self {
        let topics = Arc::<Topics>::default();
        let stop = CancellationToken::new();
        tokio::spawn(pump::run(link.client.clone(), channel(&link.prefix, ""), Arc::clone(&topics), stop.clone()));
        Self { topics, wire: Some(Arc::new(Wire { link, _pump: stop.drop_guard() })) }
    }

    /// A hint: when Redis is away it is lost, and the subscribers are told to resync once it is back.
    pub async fn publish(&self, topic: &str, up_to: u64) {
        let Some(wire) = &self.wire else { return self.topics.signal(topic, up_to) };
        let mut connection = wire.link.connection();
        let channel = channel(&wire.link.prefix, topic);
        if let Err(error) = redis::cmd("PUBLISH").arg(channel).arg(up_to).exec_async(&mut connection).await {
            metrics::counter!("gantry_bus_lost_total").increment(1);
            tracing::warn!(%error, topic, "a notice was not published; subscribers will find out by themselves");
            // Our own watchers at least need not wait for that.
            self.topics.signal(topic, up_to);
        }
    }

    /// Subscribe first, then read what is there, then wait: so nothing falls in between.
    #[must_use]
    pub fn subscribe(&self, topic: &str) -> Subscription {
        Topics::subscribe(&self.topics, topic)
    }

    /// How many topics are being watched in this process.
    #[must_use]
    pub fn watched(&self) -> usize {
        self.topics.len()
    }
}

pub(crate) fn channel(prefix: &str, topic: &str) -> String {
    format!("{prefix}bus:{topic}")
}

#[cfg(test)]
mod tests;
