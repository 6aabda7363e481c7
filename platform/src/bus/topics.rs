//! The watchers in this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::Signal;

#[derive(Debug, Default, Clone, Copy)]
struct Latest {
    up_to: u64,
    resyncs: u64,
}

#[derive(Default)]
pub(super) struct Topics(Mutex<HashMap<Arc<str>, watch::Sender<Latest>>>);

impl Topics {
    pub(super) fn subscribe(topics: &Arc<Self>, topic: &str) -> Subscription {
        let mut map = topics.map();
        let receiver = match map.get(topic) {
            Some(sender) => sender.subscribe(),
            None => map.entry(topic.into()).or_insert_with(|| watch::Sender::new(Latest::default())).subscribe(),
        };
        let resyncs = receiver.borrow().resyncs;
        Subscription { topic: topic.into(), receiver: Some(receiver), resyncs, topics: Arc::clone(topics) }
    }

    pub(super) fn signal(&self, topic: &str, up_to: u64) {
        if let Some(sender) = self.map().get(topic) {
            sender.send_modify(|latest| latest.up_to = latest.up_to.max(up_to));
        }
    }

    pub(super) fn resync(&self) {
        for sender in self.map().values() {
            sender.send_modify(|latest| latest.resyncs += 1);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.map().len()
    }

    fn map(&self) -> MutexGuard<'_, HashMap<Arc<str>, watch::Sender<Latest>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub struct Subscription {
    topic: Box<str>,
    /// Always there until the drop, which must count the receivers without this one.
    receiver: Option<watch::Receiver<Latest>>,
    resyncs: u64,
    topics: Arc<Topics>,
}

impl Subscription {
    /// Waits for the next signal; several that came meanwhile are one. Cancel safe.
    pub async fn next(&mut self) -> Signal {
        let Some(receiver) = &mut self.receiver else { return std::future::pending().await };
        if receiver.changed().await.is_err() {
            // The sender lives in the map as long as one of us does.
            return std::future::pending().await;
        }
        let latest = *receiver.borrow_and_update();
        if latest.resyncs == self.resyncs {
            return Signal::More(latest.up_to);
        }
        self.resyncs = latest.resyncs;
        Signal::Resync
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut map = self.topics.map();
        self.receiver = None;
        if map.get(&*self.topic).is_some_and(|sender| sender.receiver_count() == 0) {
            map.remove(&*self.topic);
        }
    }
}
