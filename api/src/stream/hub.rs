//! One reader for each operation that is watched; it reads a record once for all of its watchers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::OperationId;
use platform::bus::Bus;
use platform::db::Db;
use platform::series::records;
use tokio::runtime::Handle;
use tokio::sync::broadcast;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::frame::{Event, Frame};
use crate::topics;

/// Frames that a watcher may be behind; one that is further behind reads them from the records.
const BUFFER: usize = 64;
/// A look without being called: a notice may have been lost with the process that was to send it.
const LOOK: Duration = Duration::from_secs(5);
/// Every so many looks the watchers hear that we are still here.
const BEAT: u32 = 3;
pub(super) const PAGE: u32 = 200;

/// Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    db: Db,
    bus: Bus,
    watched: Mutex<HashMap<OperationId, broadcast::Sender<Frame>>>,
    /// Readers outlive the thread of the request that needed them first.
    runtime: Handle,
    stop: CancellationToken,
}

impl Hub {
    /// Streams end when `stop` is cancelled; their watchers come back to another process. Called inside of a runtime.
    #[must_use]
    pub fn new(db: Db, bus: Bus, stop: CancellationToken) -> Self {
        Self(Arc::new(Inner { db, bus, watched: Mutex::default(), runtime: Handle::current(), stop }))
    }

    pub(super) fn db(&self) -> &Db {
        &self.0.db
    }

    pub(super) fn stop(&self) -> &CancellationToken {
        &self.0.stop
    }

    /// How many operations are being watched.
    #[must_use]
    pub fn watched(&self) -> usize {
        self.map().len()
    }

    /// Subscribe first, then read what is there, then take what comes.
    pub(super) fn subscribe(&self, id: OperationId) -> broadcast::Receiver<Frame> {
        let mut watched = self.map();
        if let Some(frames) = watched.get(&id) {
            return frames.subscribe();
        }
        let (frames, receiver) = broadcast::channel(BUFFER);
        watched.insert(id, frames.clone());
        self.0.runtime.spawn(self.clone().read(id, frames));
        receiver
    }

    async fn read(self, id: OperationId, frames: broadcast::Sender<Frame>) {
        let series = records::of_operation(id);
        let mut news = self.0.bus.subscribe(&topics::progress(id));
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut at, mut tick) = (None, 0);
        loop {
            tokio::select! {
                () = self.0.stop.cancelled() => break,
                _ = news.next() => {}
                _ = looks.tick() => {
                    tick += 1;
                    if tick % BEAT == 0 {
                        // Nobody listening is found out below.
                        let _ = frames.send(Frame::Beat);
                    }
                }
            }
            if self.is_left(id, &frames) {
                return;
            }
            if let Err(error) = self.pass_on(&series, &mut at, &frames).await {
                tracing::warn!(operation.id = %id, %error, "progress can't be read, trying again");
            }
        }
        self.map().remove(&id);
    }

    async fn pass_on(
        &self,
        series: &str,
        at: &mut Option<i64>,
        frames: &broadcast::Sender<Frame>,
    ) -> Result<(), records::RecordError> {
        let mut from = match *at {
            Some(from) => from,
            None => {
                let last = records::last(self.db(), series).await?;
                // Whoever read before this number was there would otherwise wait for the next one.
                let _ = frames.send(Frame::At(last));
                last
            }
        };
        loop {
            *at = Some(from);
            let page = records::read(self.db(), series, from, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            from = last.seq;
            for record in page {
                let _ = frames.send(Frame::Event(Event::from(record)));
            }
        }
    }

    /// Forgets the operation when its last watcher has gone.
    fn is_left(&self, id: OperationId, frames: &broadcast::Sender<Frame>) -> bool {
        let mut watched = self.map();
        let left = frames.receiver_count() == 0;
        if left {
            watched.remove(&id);
        }
        left
    }

    fn map(&self) -> MutexGuard<'_, HashMap<OperationId, broadcast::Sender<Frame>>> {
        self.0.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub").field("watched", &self.watched()).finish_non_exhaustive()
    }
}
