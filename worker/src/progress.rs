//! What steps tell their watchers: stored in small batches, then published. A watcher never sees what a crash could
//! unsay, and a worker that was replaced can say nothing any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use domain::OperationId;
use domain::progress::{Progress, ProgressKind};
use platform::bus::Bus;
use platform::log::{Log, LogError};
use platform::series::records::{self, RecordError};
use platform::views::ViewError;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// Lines that wait to be stored; a script that says more has to wait, so that memory stays bounded.
const WAITING: usize = 1024;
/// How long the first line of a batch waits for others.
const GATHER: Duration = Duration::from_millis(30);
const AGAIN: Duration = Duration::from_millis(500);

/// Tells the watchers of one operation. Cheap to clone.
#[derive(Clone)]
pub struct Reporter {
    items: mpsc::Sender<Item>,
    /// The highest percentage told so far: a step that runs again begins behind it.
    shown: Arc<AtomicU8>,
}

enum Item {
    Tell(Progress),
    Flush(oneshot::Sender<()>),
}

impl Reporter {
    /// `fence` is the version of our claim; `lost` is cancelled when a later claim has been told of.
    pub(crate) fn start(
        log: Log,
        bus: Bus,
        operation: OperationId,
        fence: i64,
        shown: u8,
        lost: CancellationToken,
    ) -> Self {
        let (items, waiting) = mpsc::channel(WAITING);
        tokio::spawn(Writer { log, bus, operation, fence, lost }.run(waiting));
        Self { items, shown: Arc::new(AtomicU8::new(shown)) }
    }

    pub(crate) async fn tell(&self, mut progress: Progress) {
        if let ProgressKind::Step { percent: Some(percent), .. } = &mut progress.kind {
            *percent = self.shown.fetch_max(*percent, Ordering::Relaxed).max(*percent);
        }
        // The writer ends only when it was fenced off; then nobody is to hear of it.
        let _ = self.items.send(Item::Tell(progress)).await;
    }

    /// Returns when all that was told before is stored: what follows in the log comes after it.
    pub(crate) async fn flush(&self) {
        let (done, stored) = oneshot::channel();
        if self.items.send(Item::Flush(done)).await.is_ok() {
            let _ = stored.await;
        }
    }
}

struct Writer {
    log: Log,
    bus: Bus,
    operation: OperationId,
    fence: i64,
    lost: CancellationToken,
}

impl Writer {
    async fn run(self, mut waiting: mpsc::Receiver<Item>) {
        let mut batch = Vec::new();
        while let Some(first) = waiting.recv().await {
            batch.push(first);
            if !matches!(batch[0], Item::Flush(_)) {
                tokio::time::sleep(GATHER).await;
            }
            while batch.len() < WAITING {
                match waiting.try_recv() {
                    Ok(item) => batch.push(item),
                    Err(_) => break,
                }
            }
            if !self.store(&mut batch).await {
                self.lost.cancel();
                return;
            }
        }
    }

    /// False when this worker has been replaced.
    async fn store(&self, batch: &mut Vec<Item>) -> bool {
        let mut bodies: Vec<Value> = Vec::new();
        let mut flushed = Vec::new();
        for item in batch.drain(..) {
            match item {
                Item::Tell(progress) => bodies.extend(serde_json::to_value(&progress).ok()),
                Item::Flush(done) => flushed.push(done),
            }
        }
        while !bodies.is_empty() {
            let series = records::of_operation(self.operation);
            let now = self.log.clock().now();
            match records::append(self.log.db(), &series, Some(self.fence), &bodies, now).await {
                Ok(numbered) => {
                    self.bus.publish(&topic(self.operation), numbered.last.unsigned_abs()).await;
                    break;
                }
                Err(RecordError::Fenced { .. }) => return false,
                Err(error) => {
                    tracing::warn!(operation.id = %self.operation, %error, "progress can't be stored, trying again");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
        for done in flushed {
            let _ = done.send(());
        }
        true
    }
}

/// Where watchers hear that there is more.
#[must_use]
pub fn topic(operation: OperationId) -> String {
    format!("operation:{operation}")
}

/// Where the worker hears that something was asked of the operation.
#[must_use]
pub fn command_topic(operation: OperationId) -> String {
    format!("asked:{operation}")
}

/// The highest percentage that watchers were told.
///
/// # Errors
/// When the records can't be read.
pub(crate) async fn highest_percent(log: &Log, operation: OperationId) -> Result<u8, LogError> {
    let mut highest = 0;
    for_each(log, operation, |kind| {
        if let ProgressKind::Step { percent: Some(percent), .. } = kind {
            highest = highest.max(percent);
        }
    })
    .await
    .map_err(|error| match error {
        RecordError::Db(error) => LogError::Db(error),
        other => LogError::View(ViewError::Refused(other.to_string())),
    })?;
    Ok(highest)
}

/// Where a run went on after its last stored line: what a worker that takes over begins with.
///
/// # Errors
/// When the records can't be read.
pub(crate) async fn offset_of(log: &Log, operation: OperationId, run: &str) -> Result<u64, RecordError> {
    let mut offset = 0;
    for_each(log, operation, |kind| match kind {
        ProgressKind::Log { next: Some(next), .. } if next.run == run => offset = next.offset,
        _ => {}
    })
    .await?;
    Ok(offset)
}

async fn for_each(log: &Log, operation: OperationId, mut see: impl FnMut(ProgressKind)) -> Result<(), RecordError> {
    let series = records::of_operation(operation);
    let mut after = 0;
    loop {
        let page = records::read(log.db(), &series, after, 1000).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.seq;
        for record in page {
            if let Ok(progress) = serde_json::from_value::<Progress>(record.body) {
                see(progress.kind);
            }
        }
    }
}
