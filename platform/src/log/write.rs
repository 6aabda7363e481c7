//! The statements of an append's transaction.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use domain::StreamId;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use super::plan::{Head, Known, Placed, Plan, UsedKey};
use crate::db::{DbError, Tx, server::answered, statements, with_tx};

statements! {
    one {
        LOCK_HEAD = "UPDATE log_head SET position = position WHERE id = 1 RETURNING position, hash, recorded_at";
        HASH_AT = "SELECT hash FROM log WHERE position = $1";
    }
    two {
        // The notification travels with the update: it costs no round trip, and nobody hears of what was not committed.
        MOVE_HEAD =
            "UPDATE log_head SET position = $1, hash = $2, recorded_at = $3 WHERE id = 1 AND position = $4 AND hash = $5
             RETURNING CAST(pg_notify('gantry_log', CAST(position AS TEXT)) AS TEXT)",
            "UPDATE log_head SET position = $1, hash = $2, recorded_at = $3 WHERE id = 1 AND position = $4 AND hash = $5 RETURNING ''";
        VERSIONS =
            "SELECT value, (SELECT version FROM log WHERE stream = value ORDER BY version DESC LIMIT 1)
             FROM json_array_elements_text(CAST($1 AS JSON)) AS asked(value)",
            "SELECT value, (SELECT version FROM log WHERE stream = value ORDER BY version DESC LIMIT 1) FROM json_each($1)";
        KEYS =
            "SELECT key, fingerprint, answer, first_position, last_position FROM idempotency
             WHERE key = ANY (ARRAY (SELECT json_array_elements_text(CAST($1 AS JSON))))",
            "SELECT key, fingerprint, answer, first_position, last_position FROM idempotency WHERE key IN (SELECT value FROM json_each($1))";
        KEEP_KEYS =
            "INSERT INTO idempotency (key, fingerprint, answer, first_position, last_position, created_at)
             SELECT value ->> 0, value ->> 1, value ->> 2, CAST(value ->> 3 AS BIGINT), CAST(value ->> 4 AS BIGINT), $2
             FROM json_array_elements(CAST($1 AS JSON)) AS asked(value)",
            "INSERT INTO idempotency (key, fingerprint, answer, first_position, last_position, created_at)
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, $2 FROM json_each($1)";
        // SQLite's is for one row; `insert` writes it for more.
        INSERT =
            "INSERT INTO log (position, stream, version, kind, kind_version, data, meta, recorded_at, hash)
             SELECT * FROM UNNEST(CAST($1 AS BIGINT[]), CAST($2 AS TEXT[]), CAST($3 AS BIGINT[]), CAST($4 AS TEXT[]), CAST($5 AS BIGINT[]),
                                  CAST($6 AS TEXT[]), CAST($7 AS TEXT[]), CAST($8 AS BIGINT[]), CAST($9 AS BYTEA[]))",
            "INSERT INTO log (position, stream, version, kind, kind_version, data, meta, recorded_at, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    }
}

/// Takes the head's lock; until the commit nobody else appends.
pub(super) async fn lock_head(tx: &mut Tx) -> Result<Head, DbError> {
    let (position, hash, recorded_at): (i64, Vec<u8>, i64) =
        with_tx!(tx, conn => sqlx::query_as(LOCK_HEAD).fetch_one(conn).await)?;
    Ok(Head { position, hash: fixed(&hash), recorded_at })
}

/// Moves the head, if it still is where it was thought to be; takes its lock by that.
pub(super) async fn move_head(tx: &mut Tx, from: &Head, to: &Head) -> Result<bool, DbError> {
    let sql = MOVE_HEAD.in_tx(tx);
    let moved = with_tx!(tx, conn => sqlx::query(sql)
        .bind(to.position).bind(&to.hash[..]).bind(to.recorded_at).bind(from.position).bind(&from.hash[..])
        .fetch_optional(conn).await.map(|row| row.is_some()))?;
    Ok(moved)
}

pub(super) async fn hash_at(tx: &mut Tx, position: i64) -> Result<Option<Vec<u8>>, DbError> {
    Ok(with_tx!(tx, conn => sqlx::query_scalar(HASH_AT).bind(position).fetch_optional(conn).await)?)
}

/// Looks up the versions of these streams, and what became of these idempotency keys.
pub(super) async fn known(tx: &mut Tx, streams: &HashSet<&StreamId>, keys: &HashSet<&str>) -> Result<Known, DbError> {
    let mut known = Known::default();
    if !streams.is_empty() {
        let (sql, asked) = (VERSIONS.in_tx(tx), as_json(streams.iter().map(|s| s.as_str())));
        let rows: Vec<(String, Option<i64>)> =
            with_tx!(tx, conn => sqlx::query_as(sql).bind(asked).fetch_all(conn).await)?;
        known.versions =
            rows.into_iter().map(|(stream, version)| (StreamId::from_stored(stream), version.unwrap_or(0))).collect();
    }
    if !keys.is_empty() {
        let (sql, asked) = (KEYS.in_tx(tx), as_json(keys.iter().copied()));
        let rows: Vec<(String, String, String, i64, i64)> =
            with_tx!(tx, conn => sqlx::query_as(sql).bind(asked).fetch_all(conn).await)?;
        for (key, fingerprint, answer, first, last) in rows {
            let answer = serde_json::from_str(&answer).unwrap_or_default();
            known.keys.insert(key, UsedKey { fingerprint, answer, first, last });
        }
    }
    Ok(known)
}

fn as_json<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    Value::from_iter(texts).to_string()
}

/// An event as its row.
pub(super) struct NewRow<'a> {
    pub position: i64,
    pub stream: &'a str,
    pub version: i64,
    pub kind: &'a str,
    pub kind_version: i64,
    pub data: &'a str,
    pub meta: &'a str,
    pub recorded_at: i64,
    pub hash: &'a [u8],
}

impl<'a> NewRow<'a> {
    fn of(placed: &'a Placed<'_>, recorded_at: i64) -> Self {
        let event = &placed.event.event;
        Self {
            position: placed.position,
            stream: placed.stream.as_str(),
            version: placed.version,
            kind: &event.kind,
            kind_version: event.kind_version.into(),
            data: &placed.event.data,
            meta: &placed.append.meta_text,
            recorded_at,
            hash: &placed.hash,
        }
    }
}

/// The events and the idempotency keys of a plan.
pub(super) async fn insert(tx: &mut Tx, plan: &Plan<'_>) -> Result<(), DbError> {
    let recorded_at = plan.head.recorded_at;
    let rows: Vec<_> = plan.events.iter().map(|placed| NewRow::of(placed, recorded_at)).collect();
    insert_rows(tx, &rows).await?;
    let kept = plan.done.iter().filter_map(|(append, first, last)| {
        let asked = append.idempotency.as_ref()?;
        Some(json!([asked.key, asked.fingerprint, asked.answer.to_string(), first, last]))
    });
    let kept: Vec<Value> = kept.collect();
    if !kept.is_empty() {
        let (sql, kept) = (KEEP_KEYS.in_tx(tx), Value::from(kept).to_string());
        with_tx!(tx, conn => sqlx::query(sql).bind(kept).bind(recorded_at).execute(conn).await.map(drop))?;
    }
    Ok(())
}

pub(super) async fn insert_rows(tx: &mut Tx, rows: &[NewRow<'_>]) -> Result<(), DbError> {
    if rows.is_empty() {
        return Ok(());
    }
    match tx {
        Tx::Postgres(tx) => {
            let query = sqlx::query(INSERT.postgres)
                .bind(rows.iter().map(|r| r.position).collect::<Vec<_>>())
                .bind(rows.iter().map(|r| r.stream).collect::<Vec<_>>())
                .bind(rows.iter().map(|r| r.version).collect::<Vec<_>>())
                .bind(rows.iter().map(|r| r.kind).collect::<Vec<_>>())
                .bind(rows.iter().map(|r| r.kind_version).collect::<Vec<_>>())
                .bind(rows.iter().map(|r| r.data).collect::<Vec<_>>())
                .bind(rows.iter().map(|r| r.meta).collect::<Vec<_>>())
                .bind(rows.iter().map(|r| r.recorded_at).collect::<Vec<_>>())
                .bind(rows.iter().map(|r| r.hash).collect::<Vec<_>>());
            answered(tx.answer, query.execute(&mut *tx.tx)).await?;
        }
        Tx::Sqlite(tx) => {
            let mut rest = rows;
            while !rest.is_empty() {
                let (now, later) = rest.split_at(chunk(rest.len()));
                let sql = INSERTS.get(&now.len()).map_or(INSERT.sqlite, String::as_str);
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for r in now {
                    query = query.bind(r.position).bind(r.stream).bind(r.version).bind(r.kind).bind(r.kind_version);
                    query = query.bind(r.data).bind(r.meta).bind(r.recorded_at).bind(r.hash);
                }
                query.execute(&mut **tx).await?;
                rest = later;
            }
        }
    }
    Ok(())
}

/// A batch of ordinary size is one statement, whatever its size; only so many different ones that SQLite finds its
/// prepared statement again.
fn chunk(rows: usize) -> usize {
    if rows >= LARGE { LARGE } else { rows.min(SMALL) }
}

const SMALL: usize = 16;
const LARGE: usize = 64;

/// The statements of the lengths that `chunk` gives.
static INSERTS: LazyLock<HashMap<usize, String>> =
    LazyLock::new(|| (1..=SMALL).chain([LARGE]).map(|rows| (rows, insert_sql(rows))).collect());

fn insert_sql(rows: usize) -> String {
    let mut sql = INSERT.sqlite.to_owned();
    for row in 1..rows {
        sql.push_str(", (");
        for column in 1..=9 {
            sql.push_str(if column == 1 { "$" } else { ", $" });
            sql.push_str(&(row * 9 + column).to_string());
        }
        sql.push(')');
    }
    sql
}

fn fixed(stored: &[u8]) -> [u8; 32] {
    // A head of another length is damage; the chain will say so, as no hash continues from zeros.
    stored.try_into().unwrap_or_default()
}
