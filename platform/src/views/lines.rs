//! The lines that operations stand in while there is no place for them: who asked first is first.

use chrono::{DateTime, Utc};
use domain::OperationId;

use super::{OperationFilter, OperationRow, Order, Page, ViewError, page};
use crate::db::{Db, micros, statements, with_db};

statements! {
    one {
        AHEAD = "SELECT COUNT(*) FROM operations WHERE line = $1 AND (created_at, id) < ($2, $3)";
        ALL = "SELECT COUNT(*) FROM operations WHERE line = $1";
    }
}

/// Those who are next.
///
/// # Errors
/// When the database can't be read.
pub async fn next_in_line(db: &Db, line: &str, most: u32) -> Result<Vec<OperationId>, ViewError> {
    let filter = OperationFilter { line: Some(line.to_owned()), ..OperationFilter::default() };
    let first = Page { limit: most, after: None, order: Order::Oldest };
    Ok(page::<OperationRow>(db, &filter, &first).await?.items.into_iter().map(|row| row.id).collect())
}

/// How many stand in line before an operation that was asked for then.
///
/// # Errors
/// When the database can't be read.
pub async fn ahead_in_line(db: &Db, line: &str, id: OperationId, asked: DateTime<Utc>) -> Result<u64, ViewError> {
    let (id, asked) = (id.to_string(), micros(asked));
    let ahead: i64 =
        with_db!(db, pool => sqlx::query_scalar(AHEAD).bind(line).bind(asked).bind(&id).fetch_one(pool).await)?;
    Ok(ahead.unsigned_abs())
}

/// How many stand in line.
///
/// # Errors
/// When the database can't be read.
pub async fn in_line(db: &Db, line: &str) -> Result<u64, ViewError> {
    let all: i64 = with_db!(db, pool => sqlx::query_scalar(ALL).bind(line).fetch_one(pool).await)?;
    Ok(all.unsigned_abs())
}
