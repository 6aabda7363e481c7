//! When a key was used last, and from where. A measurement: it is not in the log.

use chrono::{DateTime, Utc};
use domain::KeyId;

use crate::db::{Db, DbError, from_micros, micros, statements, with_db, with_tx};

statements! {
    one {
        USE = "INSERT INTO api_key_uses (id, used_at, address) VALUES ($1, $2, $3)
               ON CONFLICT (id) DO UPDATE SET used_at = excluded.used_at, address = excluded.address";
        LAST = "SELECT used_at, address FROM api_key_uses WHERE id = $1";
    }
}

/// # Errors
/// When the database can't be written.
pub async fn used(db: &Db, id: KeyId, at: DateTime<Utc>, address: Option<&str>) -> Result<(), DbError> {
    let mut tx = db.begin().await?;
    with_tx!(&mut tx, conn => sqlx::query(USE).bind(id.to_string()).bind(micros(at)).bind(address)
        .execute(conn).await.map(drop))?;
    tx.commit().await
}

/// # Errors
/// When the database can't be read.
pub async fn last_use(db: &Db, id: KeyId) -> Result<Option<(DateTime<Utc>, Option<String>)>, DbError> {
    let row: Option<(i64, Option<String>)> =
        with_db!(db, pool => sqlx::query_as(LAST).bind(id.to_string()).fetch_optional(pool).await)?;
    Ok(row.map(|(at, address)| (from_micros(at), address)))
}
