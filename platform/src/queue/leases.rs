//! The leases of one worker, renewed apart from what the jobs do, also while it drains.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Queue;
use super::job::Lease;

const AT_ONCE: usize = 500;

#[derive(Clone, Default)]
pub(super) struct Leases(Arc<Mutex<HashMap<(Uuid, u64), Lease>>>);

impl Leases {
    fn map(&self) -> MutexGuard<'_, HashMap<(Uuid, u64), Lease>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn hold(&self, id: Uuid, token: u64, until: Instant) -> CancellationToken {
        let lost = CancellationToken::new();
        self.map().insert((id, token), Lease { until, lost: lost.clone() });
        lost
    }

    pub(super) fn forget(&self, id: Uuid, token: u64) {
        self.map().remove(&(id, token));
    }

    pub(super) fn is_held(&self, id: Uuid, token: u64) -> bool {
        self.map().get(&(id, token)).is_some_and(|lease| !lease.lost.is_cancelled())
    }

    /// Runs until dropped.
    pub(super) async fn renew(self, queue: Queue, lease: Duration) {
        let mut tick = tokio::time::interval(lease / 3);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
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

    /// Those still held. Who slept past the end of a lease (a paused process) has lost it before asking anybody.
    fn held(&self) -> Vec<(Uuid, u64)> {
        let now = Instant::now();
        let map = self.map();
        map.values().filter(|lease| lease.until <= now).for_each(|lease| lease.lost.cancel());
        map.iter().filter(|(_, lease)| !lease.lost.is_cancelled()).map(|(key, _)| *key).collect()
    }

    fn renewed(&self, some: &[(Uuid, u64)], held: &[bool], until: Instant) {
        let mut map = self.map();
        for (key, held) in some.iter().zip(held) {
            match map.get_mut(key) {
                Some(lease) if *held => lease.until = until,
                Some(lease) => lease.lost.cancel(),
                None => {}
            }
        }
    }
}
