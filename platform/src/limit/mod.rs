//! Counting in windows of time: how often somebody asked, how often somebody guessed. In this process, or on Redis for
//! several. A hint like all coordination: when Redis is away, each process counts for itself.

mod memory;
mod redis;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use crate::coordination::Link;
use memory::Memory;

/// How often something happened in its window, and when the window ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    pub times: u64,
    pub ends_in: Duration,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Counters {
    memory: Arc<Memory>,
    link: Option<Link>,
}

impl Counters {
    pub(crate) fn in_process() -> Self {
        Self { memory: Arc::default(), link: None }
    }

    pub(crate) fn on_redis(link: Link) -> Self {
        Self { memory: Arc::default(), link: Some(link) }
    }

    /// Counts it once more; the window begins with the first.
    pub async fn hit(&self, key: &str, window: Duration) -> Count {
        self.add(key, window, 1).await
    }

    /// As it is.
    pub async fn look(&self, key: &str, window: Duration) -> Count {
        self.add(key, window, 0).await
    }

    pub async fn forget(&self, key: &str) {
        self.memory.forget(key);
        if let Some(link) = &self.link
            && let Err(error) = redis::forget(link, key).await
        {
            tracing::warn!(%error, "a counter was not forgotten; it ends by itself");
        }
    }

    async fn add(&self, key: &str, window: Duration, times: u64) -> Count {
        if let Some(link) = &self.link {
            match redis::add(link, key, window, times).await {
                Ok(count) => return count,
                Err(error) => tracing::warn!(%error, "Redis does not count, this process counts for itself"),
            }
        }
        self.memory.add(key, window, times)
    }
}

impl std::fmt::Debug for Counters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Counters").field("shared", &self.link.is_some()).finish_non_exhaustive()
    }
}
