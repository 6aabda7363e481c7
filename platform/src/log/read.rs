//! Reading the log: a stream, or everything from a position on.

use domain::{Meta, Position, Recorded, StreamId, Version};
use sqlx::postgres::PgListener;
use tokio::sync::mpsc;

use super::{Log, LogError, hash::Hash};
use crate::db::{Db, DbError, from_micros, statements, with_db};

statements! {
    one {
        STREAM = "SELECT position, stream, version, kind, kind_version, data, meta, recorded_at, hash
                  FROM log WHERE stream = $1 AND version > $2 ORDER BY version LIMIT $3";
        READ = "SELECT position, stream, version, kind, kind_version, data, meta, recorded_at, hash
                FROM log WHERE position > $1 ORDER BY position LIMIT $2";
        HEAD = "SELECT position, hash, recorded_at FROM log_head WHERE id = 1";
    }
}

/// Events per question when a whole stream is read.
const PAGE: i64 = 1000;
/// Events per question when all of them are read.
const CHUNK: i64 = 2000;

pub(crate) type Row = (i64, String, i64, String, i64, String, String, i64, Vec<u8>);

/// The end of the log, for a person to note: a log that was cut off or made anew does not have this hash at this position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    pub position: Position,
    pub hash: String,
}

impl Log {
    /// The stream's events after the version, all of them.
    ///
    /// # Errors
    /// When the database can't be read, or an event in it.
    pub async fn stream(&self, stream: &StreamId, after: Version) -> Result<Vec<Recorded>, LogError> {
        let mut events = Vec::new();
        let mut at = after.0;
        loop {
            let rows: Vec<Row> = with_db!(self.db(), pool =>
                sqlx::query_as(STREAM).bind(stream.as_str()).bind(at).bind(PAGE).fetch_all(pool).await)?;
            let last = (rows.len() as i64) < PAGE;
            for row in rows {
                let event = recorded(row)?;
                if event.version.0 != at + 1 {
                    let what = format!("{stream} goes from version {at} to {}", event.version);
                    return Err(LogError::Corrupt { position: event.position, what });
                }
                at += 1;
                events.push(event);
            }
            if last {
                return Ok(events);
            }
        }
    }

    /// Up to `limit` events after the position.
    ///
    /// # Errors
    /// When the database can't be read, an event in it, or positions are missing.
    pub async fn read(&self, after: Position, limit: u32) -> Result<Vec<Recorded>, LogError> {
        let mut expected = after.0;
        let rows = rows_after(self.db(), after.0, i64::from(limit)).await?;
        rows.into_iter()
            .map(|row| {
                expected += 1;
                if row.0 != expected {
                    return Err(LogError::Gap { from: Position(expected), to: Position(row.0 - 1) });
                }
                recorded(row)
            })
            .collect()
    }

    /// Hands every event after one position and up to another to `each`, in order; reads the next chunk meanwhile.
    ///
    /// # Errors
    /// When the database can't be read, an event in it, positions are missing, or `each` says so.
    pub async fn scan(
        &self,
        after: Position,
        until: Position,
        mut each: impl FnMut(&Recorded) -> Result<(), LogError>,
    ) -> Result<(), LogError> {
        let mut at = after.0;
        let mut chunks = ahead(self.db().clone(), after.0, until.0);
        while let Some(chunk) = chunks.recv().await {
            for event in chunk? {
                if event.position.0 != at + 1 {
                    return Err(LogError::Gap { from: Position(at + 1), to: Position(event.position.0 - 1) });
                }
                at += 1;
                each(&event)?;
            }
        }
        if at < until.0 {
            return Err(LogError::Gap { from: Position(at + 1), to: until });
        }
        Ok(())
    }

    /// # Errors
    /// When the database can't be read.
    pub async fn end(&self) -> Result<End, LogError> {
        let (position, hash, _) = head_row(self.db()).await?;
        Ok(End { position: Position(position), hash: hex::encode(hash) })
    }
}

/// Chunks of events, read and decoded ahead of whoever takes them: one task reads, another decodes what it read.
pub(super) fn ahead(db: Db, after: i64, until: i64) -> mpsc::Receiver<Result<Vec<Recorded>, LogError>> {
    let (raw, mut read) = mpsc::channel(2);
    let (chunks, taken) = mpsc::channel(4);
    tokio::spawn(async move {
        let mut at = after;
        while at < until {
            let rows = rows_after(&db, at, CHUNK.min(until - at)).await;
            // Positions are gapless: the next chunk's place is known, and a hole is the taker's to find.
            at += CHUNK;
            if raw.send(rows).await.is_err() {
                return;
            }
        }
    });
    tokio::spawn(async move {
        while let Some(rows) = read.recv().await {
            if chunks.send(rows.map_err(LogError::from).and_then(all_recorded)).await.is_err() {
                return;
            }
        }
    });
    taken
}

pub(super) async fn head_row(db: &Db) -> Result<(i64, Vec<u8>, i64), DbError> {
    Ok(with_db!(db, pool => sqlx::query_as(HEAD).fetch_one(pool).await)?)
}

/// The head's position, asked on the connection on which appends are heard of.
pub(super) async fn head_by(listener: &mut PgListener) -> Result<i64, sqlx::Error> {
    let (position, ..): (i64, Vec<u8>, i64) = sqlx::query_as(HEAD).fetch_one(listener).await?;
    Ok(position)
}

pub(super) async fn rows_after(db: &Db, after: i64, limit: i64) -> Result<Vec<Row>, DbError> {
    Ok(with_db!(db, pool => sqlx::query_as(READ).bind(after).bind(limit).fetch_all(pool).await)?)
}

pub(crate) fn recorded(row: Row) -> Result<Recorded, LogError> {
    let meta = meta(Position(row.0), &row.6)?;
    with_meta(row, meta)
}

/// The same for many. Events of one append lie side by side and have the same meta, which is read once.
fn all_recorded(rows: Vec<Row>) -> Result<Vec<Recorded>, LogError> {
    let mut last: Option<(String, Meta)> = None;
    let mut events = Vec::with_capacity(rows.len());
    for row in rows {
        let known = match last.take().filter(|(text, _)| *text == row.6) {
            Some(known) => known,
            None => (row.6.clone(), meta(Position(row.0), &row.6)?),
        };
        events.push(with_meta(row, known.1.clone())?);
        last = Some(known);
    }
    Ok(events)
}

fn meta(position: Position, text: &str) -> Result<Meta, LogError> {
    serde_json::from_str(text).map_err(|e| LogError::Corrupt { position, what: format!("meta has not its shape: {e}") })
}

fn with_meta(row: Row, meta: Meta) -> Result<Recorded, LogError> {
    let (position, stream, version, kind, kind_version, data, _, recorded_at, hash) = row;
    let position = Position(position);
    let corrupt = |what: String| LogError::Corrupt { position, what };
    Ok(Recorded {
        position,
        stream: StreamId::from_stored(stream),
        version: Version(version),
        kind,
        kind_version: u16::try_from(kind_version).map_err(|_| corrupt(format!("kind_version {kind_version}")))?,
        data: serde_json::from_str(&data).map_err(|e| corrupt(format!("data is not JSON: {e}")))?,
        meta,
        recorded_at: from_micros(recorded_at),
        hash: hex::encode(Hash::try_from(hash).map_err(|_| corrupt("hash has not 32 bytes".to_owned()))?),
    })
}
