use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Count;

/// Windows kept at most; those that ended are dropped when there are more, then all.
const MOST: usize = 100_000;

#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<HashMap<String, (u64, Instant)>>);

impl Memory {
    pub(super) fn add(&self, key: &str, window: Duration, times: u64) -> Count {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if windows.len() >= MOST {
            windows.retain(|_, (_, until)| *until > now);
        }
        if windows.len() >= MOST {
            windows.clear();
        }
        let there = windows.get(key).copied().filter(|(_, until)| *until > now);
        let (before, until) = there.unwrap_or((0, now + window));
        if times > 0 {
            windows.insert(key.to_owned(), (before + times, until));
        }
        Count { times: before + times, ends_in: until - now }
    }

    pub(super) fn forget(&self, key: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}
