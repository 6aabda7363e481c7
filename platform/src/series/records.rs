//! Records with a number of their own in each series, gapless from 1: an operation's progress and log lines.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::OperationId;
use serde_json::{Map, Value, json};

use crate::db::{Db, DbError, Tx, from_micros, micros, statements, with_db, with_tx};

statements! {
    one {
        // The row's lock makes the order of commits the order of numbers; a higher fence shuts lower ones out for good.
        TAKE = "INSERT INTO record_heads (series, seq, fence) VALUES ($1, $2, COALESCE(CAST($3 AS BIGINT), 0))
                ON CONFLICT (series) DO UPDATE SET seq = record_heads.seq + $2,
                    fence = CASE WHEN excluded.fence > record_heads.fence THEN excluded.fence ELSE record_heads.fence END
                WHERE CAST($3 AS BIGINT) IS NULL OR record_heads.fence <= excluded.fence
                RETURNING seq";
        FENCE = "SELECT fence FROM record_heads WHERE series = $1";
        READ = "SELECT seq, at, body FROM records WHERE series = $1 AND seq > $2 ORDER BY seq LIMIT $3";
        LAST = "SELECT seq FROM record_heads WHERE series = $1";
        FORGET = "DELETE FROM records WHERE at < $1";
    }
    two {
        WRITE =
            "INSERT INTO records (series, seq, at, body)
             SELECT $1, $2 + n, $3, value FROM json_array_elements_text(CAST($4 AS JSON)) WITH ORDINALITY AS asked(value, n)",
            "INSERT INTO records (series, seq, at, body) SELECT $1, $2 + key + 1, $3, value FROM json_each($4)";
        TAKE_ALL =
            "INSERT INTO record_heads (series, seq, fence)
             SELECT key, CAST(value AS BIGINT), 0 FROM json_each_text(CAST($1 AS JSON)) AS asked(key, value)
             ON CONFLICT (series) DO UPDATE SET seq = record_heads.seq + excluded.seq RETURNING series, seq",
            "INSERT INTO record_heads (series, seq, fence) SELECT key, value, 0 FROM json_each($1) WHERE true
             ON CONFLICT (series) DO UPDATE SET seq = record_heads.seq + excluded.seq RETURNING series, seq";
        WRITE_ALL =
            "INSERT INTO records (series, seq, at, body)
             SELECT value ->> 0, CAST(value ->> 1 AS BIGINT), $2, value ->> 2 FROM json_array_elements(CAST($1 AS JSON)) AS asked(value)",
            "INSERT INTO records (series, seq, at, body) SELECT value ->> 0, value ->> 1, $2, value ->> 2 FROM json_each($1)";
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub seq: i64,
    pub at: DateTime<Utc>,
    pub body: Value,
}

/// The numbers that a batch got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbered {
    pub first: i64,
    pub last: i64,
}

#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Somebody took over: what this writer does is nobody's business any more.
    #[error("{series} is written under fence {held} by now, {offered} is over")]
    Fenced { series: String, held: i64, offered: i64 },
    #[error("record {seq} of {series} is no JSON: {source}")]
    Damaged { series: String, seq: i64, source: serde_json::Error },
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<sqlx::Error> for RecordError {
    fn from(error: sqlx::Error) -> Self {
        Self::Db(error.into())
    }
}

/// The series of an operation's progress.
#[must_use]
pub fn of_operation(id: OperationId) -> String {
    format!("operation-{id}")
}

/// Writes a batch at once. A fence is held against the highest that the series has seen, and becomes it.
///
/// # Errors
/// When the fence is over, or the database can't be written; nothing was written then.
pub async fn append(
    db: &Db,
    series: &str,
    fence: Option<i64>,
    bodies: &[Value],
    now: DateTime<Utc>,
) -> Result<Numbered, RecordError> {
    let mut tx = db.begin().await?;
    let numbered = append_in(&mut tx, series, fence, bodies, now).await?;
    tx.commit().await?;
    Ok(numbered)
}

/// The same inside a transaction, so that a read model writes records with the events that they tell of.
///
/// # Errors
/// As for [`append`].
pub async fn append_in(
    tx: &mut Tx,
    series: &str,
    fence: Option<i64>,
    bodies: &[Value],
    now: DateTime<Utc>,
) -> Result<Numbered, RecordError> {
    let count = bodies.len() as i64;
    let taken: Option<i64> = with_tx!(&mut *tx, conn => sqlx::query_scalar(TAKE).bind(series).bind(count).bind(fence).fetch_optional(conn).await)?;
    let Some(last) = taken else {
        let held = with_tx!(&mut *tx, conn => sqlx::query_scalar(FENCE).bind(series).fetch_one(conn).await)?;
        return Err(RecordError::Fenced { series: series.to_owned(), held, offered: fence.unwrap_or(0) });
    };
    let before = last - count;
    if count > 0 {
        // Texts of JSON in an array of JSON: SQLite would otherwise take objects apart.
        let texts = Value::from_iter(bodies.iter().map(Value::to_string)).to_string();
        let sql = WRITE.in_tx(tx);
        with_tx!(tx, conn => sqlx::query(sql).bind(series).bind(before).bind(micros(now)).bind(texts).execute(conn).await.map(drop))?;
    }
    Ok(Numbered { first: before + 1, last })
}

/// What is told in many series at once, by nobody who could be shut out. Two statements, however many they are.
///
/// # Errors
/// When the database can't be written.
pub async fn append_all_in(
    tx: &mut Tx,
    told: &BTreeMap<String, Vec<Value>>,
    now: DateTime<Utc>,
) -> Result<(), RecordError> {
    let counts: Map<String, Value> = told
        .iter()
        .filter(|(_, bodies)| !bodies.is_empty())
        .map(|(name, all)| (name.clone(), all.len().into()))
        .collect();
    if counts.is_empty() {
        return Ok(());
    }
    let (sql, counts) = (TAKE_ALL.in_tx(tx), Value::from(counts).to_string());
    let heads: Vec<(String, i64)> = with_tx!(&mut *tx, conn => sqlx::query_as(sql).bind(counts).fetch_all(conn).await)?;
    let rows = heads.into_iter().flat_map(|(series, last)| {
        let bodies = told.get(&series).map_or(&[][..], Vec::as_slice);
        let before = last - bodies.len() as i64;
        // Texts of JSON in an array of JSON, as above.
        (before + 1..).zip(bodies).map(move |(seq, body)| json!([series, seq, body.to_string()]))
    });
    let (sql, rows) = (WRITE_ALL.in_tx(tx), Value::from_iter(rows).to_string());
    with_tx!(tx, conn => sqlx::query(sql).bind(rows).bind(micros(now)).execute(conn).await.map(drop))?;
    Ok(())
}

/// Up to `limit` records after the number.
///
/// # Errors
/// When the database can't be read, or a record in it.
pub async fn read(db: &Db, series: &str, after: i64, limit: u32) -> Result<Vec<Record>, RecordError> {
    let rows: Vec<(i64, i64, String)> = with_db!(db, pool => sqlx::query_as(READ).bind(series).bind(after).bind(i64::from(limit)).fetch_all(pool).await)?;
    rows.into_iter()
        .map(|(seq, at, body)| {
            let damaged = |source| RecordError::Damaged { series: series.to_owned(), seq, source };
            Ok(Record { seq, at: from_micros(at), body: serde_json::from_str(&body).map_err(damaged)? })
        })
        .collect()
}

/// The last number given in the series, 0 when there is none; stays when records are forgotten.
///
/// # Errors
/// When the database can't be read.
pub async fn last(db: &Db, series: &str) -> Result<i64, RecordError> {
    let last: Option<i64> = with_db!(db, pool => sqlx::query_scalar(LAST).bind(series).fetch_optional(pool).await)?;
    Ok(last.unwrap_or(0))
}

/// Forgets the records from before; says how many. Numbers are never given twice.
///
/// # Errors
/// When the database can't be written.
pub async fn forget(db: &Db, before: DateTime<Utc>) -> Result<u64, RecordError> {
    let mut tx = db.begin_long().await?;
    let gone = with_tx!(&mut tx, conn => sqlx::query(FORGET).bind(micros(before)).execute(conn).await.map(|done| done.rows_affected()))?;
    tx.commit().await?;
    Ok(gone)
}
