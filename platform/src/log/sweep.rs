//! Idempotency keys are kept for a while only.

use chrono::{DateTime, Utc};

use super::Log;
use crate::db::{DbError, micros, statements, with_tx};

statements! {
    one {
        FORGET = "DELETE FROM idempotency WHERE created_at < $1";
    }
}

impl Log {
    /// Forgets the idempotency keys from before; says how many.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn forget_keys(&self, before: DateTime<Utc>) -> Result<u64, DbError> {
        let mut tx = self.db().begin().await?;
        let forgotten = with_tx!(&mut tx, conn => sqlx::query(FORGET).bind(micros(before)).execute(conn).await.map(|r| r.rows_affected()))?;
        tx.commit().await?;
        Ok(forgotten)
    }
}
