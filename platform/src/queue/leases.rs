//! The leases of one worker, renewed apart from what the jobs do, also while it drains.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};
use uuid::Uuid;

use super::Queue;
use crate::coordination::Lease;

const AT_ONCE: usize = 500;

/// By job and token.
type Held = HashMap<(Uuid, u64), Arc<Lease>>;

#[derive(Clone, Default)]
pub(super) struct Leases(Arc<Mutex<Held>>);

/// However the worker ends: whatever still runs then learns that nobody renews for it any more.
pub(super) struct LostAtTheEnd(pub(super) Leases);

impl Drop for LostAtTheEnd {
    fn drop(&mut self) {
        self.0.map().values().for_each(|lease| lease.lose());
    }
}

impl Leases {
    fn map(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn hold(&self, id: Uuid, token: u64, until: Instant) -> Arc<Lease> {
        let lease = Arc::new(Lease::new(until));
        self.map().insert((id, token), Arc::clone(&lease));
        lease
    }

    pub(super) fn forget(&self, id: Uuid, token: u64) {
        self.map().remove(&(id, token));
    }

    pub(super) fn is_held(&self, id: Uuid, token: u64) -> bool {
        self.map().get(&(id, token)).is_some_and(|lease| !lease.is_lost())
    }

    /// Runs until dropped.
    pub(super) async fn keep(self, queue: Queue, lease: Duration) {
        // An answer that does not come must not keep the news of a lost lease from its job.
        tokio::join!(self.renew(&queue, lease), self.look_at_the_time(lease));
    }

    async fn renew(&self, queue: &Queue, lease: Duration) {
        let mut tick = every(lease / 3);
        loop {
            tick.tick().await;
            for some in self.held().chunks(AT_ONCE) {
                let asked = Instant::now();
                match queue.renew(some, lease).await {
                    Ok(held) => self.renewed(some, &held, asked + lease),
                    Err(error) => tracing::warn!(%error, "leases of jobs were not renewed; trying again"),
                }
            }
        }
    }

    async fn look_at_the_time(&self, lease: Duration) {
        let mut tick = every(lease / 10);
        loop {
            tick.tick().await;
            self.held();
        }
    }

    fn held(&self) -> Vec<(Uuid, u64)> {
        self.map().iter().filter(|(_, lease)| !lease.is_lost()).map(|(key, _)| *key).collect()
    }

    fn renewed(&self, some: &[(Uuid, u64)], held: &[bool], until: Instant) {
        let map = self.map();
        for (key, held) in some.iter().zip(held) {
            match map.get(key) {
                Some(lease) if *held => lease.extend(until),
                Some(lease) => lease.lose(),
                None => {}
            }
        }
    }
}

fn every(time: Duration) -> tokio::time::Interval {
    let mut tick = tokio::time::interval(time.max(Duration::from_millis(1)));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tick
}
