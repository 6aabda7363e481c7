//! Slower read models: they follow the log in their own transactions, and remember how far they came.

use std::sync::Arc;

use domain::{Position, Recorded};
use futures_util::StreamExt as _;
use tokio_util::sync::CancellationToken;

use super::{Log, LogError};
use crate::{
    db::{statements, with_db, with_tx},
    views::{self, View},
};

statements! {
    one {
        REACHED = "SELECT position FROM followers WHERE name = $1";
        START = "INSERT INTO followers (name, position) VALUES ($1, 0) ON CONFLICT (name) DO NOTHING";
        ADVANCE = "UPDATE followers SET position = $2 WHERE name = $1 AND position = $3";
    }
}

const BATCH: usize = 500;

impl Log {
    /// Keeps a read model up to date until told to stop. When several processes do so, each batch is still projected once.
    ///
    /// # Errors
    /// When an event can't be read or projected; outages are waited out where the log is read.
    pub async fn follow(&self, view: Arc<dyn View>, stop: CancellationToken) -> Result<(), LogError> {
        let mut at = self.reached(view.name()).await?;
        let mut batches = Box::pin(self.tail(at).ready_chunks(BATCH));
        loop {
            let batch = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                batch = batches.next() => match batch { Some(batch) => batch, None => return Ok(()) },
            };
            let events: Vec<Recorded> = batch.into_iter().collect::<Result<_, _>>()?;
            let Some(to) = events.last().map(|event| event.position) else { continue };
            if !self.follow_batch(&*view, at, to, &events).await? {
                // Another process was faster: go on from where it is.
                at = self.reached(view.name()).await?;
                batches = Box::pin(self.tail(at).ready_chunks(BATCH));
                continue;
            }
            at = to;
        }
    }

    async fn follow_batch(
        &self,
        view: &dyn View,
        from: Position,
        to: Position,
        events: &[Recorded],
    ) -> Result<bool, LogError> {
        let mut tx = self.db().begin().await?;
        let moved = with_tx!(&mut tx, conn => sqlx::query(ADVANCE).bind(view.name()).bind(to.0).bind(from.0)
            .execute(conn).await.map(|done| done.rows_affected()))?;
        if moved == 0 {
            tx.rollback().await?;
            return Ok(false);
        }
        views::project(view, &mut tx, events).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// How far the follower of this name has come.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn reached(&self, name: &str) -> Result<Position, LogError> {
        let found: Option<i64> =
            with_db!(self.db(), pool => sqlx::query_scalar(REACHED).bind(name).fetch_optional(pool).await)?;
        if found.is_none() {
            let mut tx = self.db().begin().await?;
            with_tx!(&mut tx, conn => sqlx::query(START).bind(name).execute(conn).await.map(drop))?;
            tx.commit().await?;
        }
        Ok(Position(found.unwrap_or(0)))
    }
}
