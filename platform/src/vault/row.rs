//! The table of sealed secrets.

use chrono::{DateTime, Utc};
use domain::SealedId;
use serde_json::{Value, json};

use super::{VaultError, keys::Sealed};
use crate::{
    db::{Db, Text, Tx, micros, statements, with_db, with_tx},
    log::Rows,
};

statements! {
    one {
        READ = "SELECT id, record, key_id, nonce, ciphertext FROM sealed WHERE id = $1";
        DELETE = "DELETE FROM sealed WHERE id = $1";
        KEYS = "SELECT DISTINCT key_id FROM sealed ORDER BY key_id";
        OTHERS = "SELECT id, record, key_id, nonce, ciphertext FROM sealed WHERE key_id <> $1 AND id > $2 ORDER BY id LIMIT $3";
        // Only what is still as it was read: a row may have been forgotten or rotated by another process.
        RESEAL = "UPDATE sealed SET key_id = $2, nonce = $3, ciphertext = $4 WHERE id = $1 AND nonce = $5";
    }
    two {
        WRITE =
            "INSERT INTO sealed (id, record, key_id, nonce, ciphertext, created_at)
             SELECT value ->> 0, value ->> 1, value ->> 2, decode(value ->> 3, 'hex'), decode(value ->> 4, 'hex'), CAST(value ->> 5 AS BIGINT)
             FROM json_array_elements(CAST($1 AS JSON)) AS asked(value)",
            "INSERT INTO sealed (id, record, key_id, nonce, ciphertext, created_at)
             SELECT value ->> 0, value ->> 1, value ->> 2, unhex(value ->> 3), unhex(value ->> 4), value ->> 5 FROM json_each($1)";
    }
}

/// A row to be written with the events that name it.
pub(super) struct Row {
    pub id: SealedId,
    pub record: String,
    pub sealed: Sealed,
    pub created_at: DateTime<Utc>,
}

impl Rows for Row {
    fn row(&self) -> Option<(Text, Value)> {
        let (nonce, ciphertext) = (hex::encode(&self.sealed.nonce), hex::encode(&self.sealed.ciphertext));
        let at = micros(self.created_at);
        Some((WRITE, json!([self.id, self.record, self.sealed.key, nonce, ciphertext, at])))
    }
}

/// A row as it is kept.
pub(super) struct Kept {
    pub id: String,
    pub record: String,
    pub sealed: Sealed,
}

type Columns = (String, String, String, Vec<u8>, Vec<u8>);

impl From<Columns> for Kept {
    fn from((id, record, key, nonce, ciphertext): Columns) -> Self {
        Self { id, record, sealed: Sealed { key, nonce, ciphertext } }
    }
}

pub(super) async fn read(db: &Db, id: SealedId) -> Result<Option<Kept>, VaultError> {
    let row: Option<Columns> =
        with_db!(db, pool => sqlx::query_as(READ).bind(id.to_string()).fetch_optional(pool).await)?;
    Ok(row.map(Kept::from))
}

pub(super) async fn delete(db: &Db, id: SealedId) -> Result<bool, VaultError> {
    let mut tx = db.begin().await?;
    let gone = with_tx!(&mut tx, conn => sqlx::query(DELETE).bind(id.to_string()).execute(conn).await.map(|done| done.rows_affected()))?;
    tx.commit().await?;
    Ok(gone > 0)
}

pub(super) async fn key_ids(db: &Db) -> Result<Vec<String>, VaultError> {
    Ok(with_db!(db, pool => sqlx::query_scalar(KEYS).fetch_all(pool).await)?)
}

/// The next rows after the id that are not under the key.
pub(super) async fn others(db: &Db, key: &str, after: &str, limit: i64) -> Result<Vec<Kept>, VaultError> {
    let rows: Vec<Columns> =
        with_db!(db, pool => sqlx::query_as(OTHERS).bind(key).bind(after).bind(limit).fetch_all(pool).await)?;
    Ok(rows.into_iter().map(Kept::from).collect())
}

/// False when the row is not any more as it was.
pub(super) async fn reseal(tx: &mut Tx, before: &Kept, sealed: &Sealed) -> Result<bool, VaultError> {
    let changed = with_tx!(tx, conn => sqlx::query(RESEAL)
        .bind(&before.id)
        .bind(&sealed.key)
        .bind(&sealed.nonce)
        .bind(&sealed.ciphertext)
        .bind(&before.sealed.nonce)
        .execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(changed > 0)
}
