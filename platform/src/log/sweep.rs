//! Idempotency keys are kept for a while only.

use chrono::{DateTime, Utc};

use super::{Idempotency, Log};
use crate::db::{DbError, micros, statements, with_db, with_tx};

statements! {
    one {
        FORGET = "DELETE FROM idempotency WHERE created_at < $1";
        USED = "SELECT fingerprint FROM idempotency WHERE key = $1";
    }
}

impl Log {
    /// Whether the same was appended before under the same key.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn has_answered(&self, asked: &Idempotency) -> Result<bool, DbError> {
        let used: Option<String> =
            with_db!(self.db(), pool => sqlx::query_scalar(USED).bind(&asked.key).fetch_optional(pool).await)?;
        Ok(used.is_some_and(|fingerprint| fingerprint == asked.fingerprint))
    }

    /// Forgets the idempotency keys from before; says how many.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn forget_keys(&self, before: DateTime<Utc>) -> Result<u64, DbError> {
        let mut tx = self.db().begin_long().await?;
        let forgotten = with_tx!(&mut tx, conn => sqlx::query(FORGET).bind(micros(before)).execute(conn).await.map(|r| r.rows_affected()))?;
        tx.commit().await?;
        Ok(forgotten)
    }
}
