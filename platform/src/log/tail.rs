//! Following the log: everything after a position, then whatever is appended, by any process. Never a gap, never twice.

use std::time::Duration;

use domain::{Position, Recorded};
use futures_util::Stream;
use sqlx::postgres::PgListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Log, LogError, read};
use crate::db::{Db, server::answered};

/// Only a safety: an append of this process, and of any on Postgres, wakes its readers at once.
const POLL: Duration = Duration::from_secs(1);
const PAGE: u32 = 500;
/// A listener that hears nothing for so long asks whether there is still somebody who would tell it.
const QUIET: Duration = Duration::from_secs(30);

impl Log {
    /// All events after the position, for ever. Waits out a database that is away; ends with an error only when the log is damaged.
    pub fn tail(&self, after: Position) -> impl Stream<Item = Result<Recorded, LogError>> + Send + use<> {
        let log = self.clone();
        async_stream::stream! {
            let mut at = after;
            let mut woken = log.head();
            let mut pause = Duration::from_millis(20);
            loop {
                let seen = *woken.borrow_and_update();
                match log.read(at, PAGE).await {
                    Ok(events) => {
                        pause = Duration::from_millis(20);
                        let full = events.len() == PAGE as usize;
                        for event in events {
                            at = event.position;
                            yield Ok(event);
                        }
                        if !full && at >= seen {
                            // An error is a closed log, which may still be read.
                            let _ = tokio::time::timeout(POLL, woken.wait_for(|head| *head > at)).await;
                        }
                    }
                    Err(LogError::Db(error)) => {
                        tracing::warn!(%error, "the log can't be read, trying again");
                        tokio::time::sleep(pause).await;
                        pause = (pause * 2).min(Duration::from_secs(2));
                    }
                    Err(damaged) => {
                        yield Err(damaged);
                        return;
                    }
                }
            }
        }
    }
}

/// Hears of other processes' appends and wakes the readers of this one.
pub(super) async fn listen(db: Db, head: watch::Sender<Position>, stop: CancellationToken) {
    let Db::Postgres(server) = &db else { return };
    let mut pause = Duration::from_millis(50);
    while !stop.is_cancelled() {
        let heard = async {
            let mut listener = PgListener::connect_with(&server.for_listening()).await?;
            answered(server.answer(), listener.listen("gantry_log")).await?;
            loop {
                let position = match tokio::time::timeout(QUIET, listener.try_recv()).await {
                    // None is a connection that was lost and made again: anything may have been missed.
                    Ok(told) => match told?.and_then(|note| note.payload().parse().ok()) {
                        Some(position) => position,
                        None => read::head_row(&db).await?.0,
                    },
                    Err(_) => answered(server.answer(), read::head_by(&mut listener)).await?,
                };
                advance(&head, position);
            }
        };
        let ended: Result<std::convert::Infallible, crate::db::DbError> = tokio::select! {
            () = stop.cancelled() => return,
            ended = heard => ended,
        };
        let Err(error) = ended;
        tracing::warn!(%error, "not hearing of other processes' appends, trying again");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(2));
    }
}

pub(super) fn advance(head: &watch::Sender<Position>, position: i64) {
    head.send_if_modified(|at| {
        let ahead = at.0 < position;
        at.0 = at.0.max(position);
        ahead
    });
}
