//! How long tasks of a kind have taken on this host: what tells when to ask again.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Enough to see the spread, few enough to forget a slow day.
const RUNS: usize = 16;
/// Proxmox knows some sixty kinds.
const KINDS: usize = 96;

/// What is remembered of a kind of task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Runs {
    pub(crate) known: u32,
    pub(crate) shortest: Duration,
    pub(crate) longest: Duration,
}

#[derive(Debug, Default)]
pub(crate) struct History(Mutex<HashMap<String, VecDeque<Duration>>>);

impl History {
    pub(crate) fn learn(&self, kind: &str, took: Duration) {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kinds.len() >= KINDS && !kinds.contains_key(kind) {
            return;
        }
        let runs = kinds.entry(kind.to_owned()).or_default();
        if runs.len() == RUNS {
            runs.pop_front();
        }
        runs.push_back(took);
    }

    pub(crate) fn of(&self, kind: &str) -> Option<Runs> {
        let kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let runs = kinds.get(kind)?;
        let known = u32::try_from(runs.len()).unwrap_or(u32::MAX);
        Some(Runs { known, shortest: *runs.iter().min()?, longest: *runs.iter().max()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_what_is_long_ago() {
        let history = History::default();
        assert_eq!(history.of("vzstart"), None);
        for seconds in 0..100 {
            history.learn("vzstart", Duration::from_secs(seconds));
        }
        assert_eq!(
            history.of("vzstart"),
            Some(Runs { known: 16, shortest: Duration::from_secs(84), longest: Duration::from_secs(99) })
        );
        for kind in 0..1000 {
            history.learn(&kind.to_string(), Duration::ZERO);
        }
        assert_eq!(history.0.lock().unwrap().len(), KINDS);
    }
}
