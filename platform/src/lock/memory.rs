//! Locks within one process, by the same rules as the scripts.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::holder::{Held, Inspection};
use super::{Ask, Reply};

#[derive(Default)]
struct State {
    locks: HashMap<String, Lock>,
    token: u64,
}

#[derive(Default)]
struct Lock {
    held: Vec<(Uuid, Instant, Held)>,
    /// In order of arrival.
    line: Vec<(Uuid, Instant)>,
}

#[derive(Default)]
pub(super) struct Memory(Mutex<State>);

impl Memory {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn acquire(&self, ask: &Ask) -> Reply {
        let state = &mut *self.state();
        let now = Instant::now();
        let lock = state.locks.entry(ask.key.clone()).or_default();
        lock.held.retain(|(_, until, _)| *until > now);
        lock.line.retain(|(_, until)| *until > now);
        let free = ask.limit.saturating_sub(lock.held.len());
        let before = lock.line.iter().position(|(id, _)| *id == ask.id).unwrap_or(lock.line.len());
        if before < free {
            lock.line.retain(|(id, _)| *id != ask.id);
            let since = crate::clock::now();
            // As on Redis the time is the floor, so that fences rise over a restart too.
            state.token = state.token.max(u64::try_from(since.timestamp_micros()).unwrap_or(0)) + 1;
            let held = Held { holder: ask.holder.clone(), since, fence: state.token };
            lock.held.push((ask.id, now + ask.lease, held));
            return Reply::Yours { fence: state.token };
        }
        if !ask.patience.is_zero() {
            match lock.line.iter_mut().find(|(id, _)| *id == ask.id) {
                Some((_, until)) => *until = now + ask.patience,
                None => lock.line.push((ask.id, now + ask.patience)),
            }
        }
        let frees_in = lock.held.iter().map(|(_, until, _)| *until - now).min().unwrap_or_default();
        let holders = lock.held.iter().map(|(_, _, held)| held.clone()).collect();
        Reply::Wait { ahead: before as u64, frees_in, holders }
    }

    pub(super) fn renew(&self, key: &str, id: Uuid, lease: Duration) -> bool {
        let mut state = self.state();
        let held = state.locks.get_mut(key).and_then(|lock| lock.held.iter_mut().find(|(holder, ..)| *holder == id));
        held.map(|(_, until, _)| *until = Instant::now() + lease).is_some()
    }

    pub(super) fn leave(&self, key: &str, id: Uuid) -> bool {
        let mut state = self.state();
        let Some(lock) = state.locks.get_mut(key) else { return false };
        let before = lock.held.len();
        lock.held.retain(|(holder, ..)| *holder != id);
        lock.line.retain(|(waiter, _)| *waiter != id);
        let left = lock.held.len() < before;
        if lock.held.is_empty() && lock.line.is_empty() {
            state.locks.remove(key);
        }
        left
    }

    pub(super) fn list(&self, prefix: &str) -> Vec<Inspection> {
        let state = self.state();
        let now = Instant::now();
        let wanted = state.locks.iter().filter(|(key, _)| key.starts_with(prefix));
        let seen = wanted.map(|(key, lock)| Inspection {
            key: key.clone(),
            holders: lock.held.iter().filter(|(_, until, _)| *until > now).map(|(.., held)| held.clone()).collect(),
            waiting: lock.line.iter().filter(|(_, until)| *until > now).count() as u64,
        });
        seen.filter(|seen| !seen.holders.is_empty() || seen.waiting > 0).collect()
    }
}
