//! One watcher: what is stored, then what comes; each number once and none left out.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use domain::OperationId;
use futures_util::Stream;
use platform::series::records;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use super::frame::{BEAT, Event, Frame};
use super::hub::{Hub, PAGE};

/// A watcher that does not take an event for so long is cut off; it comes back with the number it has.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where a watcher begins.
#[derive(Debug)]
pub struct Begin {
    pub snapshot: Bytes,
    /// The number of the last event that the watcher has.
    pub after: i64,
    /// That was the last event of all.
    pub ended: bool,
}

/// Ends after the operation's last event.
pub fn watch(hub: Hub, id: OperationId, begin: Begin) -> impl Stream<Item = Result<Bytes, Infallible>> {
    async_stream::stream! {
        let series = records::of_operation(id);
        let mut live = hub.subscribe(id);
        let Begin { snapshot, after: mut last, mut ended } = begin;
        yield Ok(snapshot);
        'stored: loop {
            loop {
                // Boxed: a watcher is idle nearly always, and is not to carry the room that a question to the database needs.
                let page = match Box::pin(records::read(hub.db(), &series, last, PAGE)).await {
                    Ok(page) => page,
                    Err(error) => {
                        tracing::warn!(operation.id = %id, %error, "progress can't be read, the watcher has to come back");
                        return;
                    }
                };
                if page.is_empty() {
                    break;
                }
                for record in page {
                    let event = Event::from(record);
                    (last, ended) = (event.seq, event.ends);
                    let given = Instant::now();
                    yield Ok(event.bytes);
                    if given.elapsed() > PATIENCE {
                        return;
                    }
                }
            }
            if ended {
                return;
            }
            loop {
                let frame = tokio::select! {
                    () = hub.stop().cancelled() => return,
                    frame = live.recv() => frame,
                };
                match frame {
                    Ok(Frame::Event(event)) if event.seq <= last => {}
                    Ok(Frame::Event(event)) if event.seq == last + 1 => {
                        last = event.seq;
                        let given = Instant::now();
                        yield Ok(event.bytes);
                        if given.elapsed() > PATIENCE {
                            return;
                        }
                        if event.ends {
                            // Somebody may have retried already: the records know whether more follows.
                            ended = true;
                            continue 'stored;
                        }
                    }
                    Ok(Frame::At(number)) if number <= last => {}
                    Ok(Frame::Event(_) | Frame::At(_)) | Err(RecvError::Lagged(_)) => continue 'stored,
                    Ok(Frame::Beat) => yield Ok(BEAT),
                    Err(RecvError::Closed) => return,
                }
            }
        }
    }
}
