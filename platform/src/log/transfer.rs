//! The log as JSON lines: out of one database, into another, with every position and hash.

use chrono::{DateTime, Utc};
use domain::Recorded;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::{
    Log, LogError,
    plan::Head,
    read::{self, Row},
    verify::{Damage, Walk},
    write::{self, NewRow},
};
use crate::{
    db::{DbError, from_micros, micros},
    views::{self, ViewError},
};

const CHUNK: i64 = 1000;

/// A [`Recorded`] whose texts are carried over untouched: they are what the hash covers.
#[derive(Serialize, Deserialize)]
struct Line {
    position: i64,
    stream: String,
    version: i64,
    kind: String,
    kind_version: u16,
    data: Box<RawValue>,
    meta: Box<RawValue>,
    recorded_at: DateTime<Utc>,
    hash: String,
}

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(
        "the log has {0} events already; import wants an empty one, so that positions and hashes stay as they were"
    )]
    NotEmpty(i64),
    #[error("line {number} is no event: {source}; nothing was imported")]
    Line { number: u64, source: serde_json::Error },
    #[error("line {number}: {damage}; nothing was imported")]
    Damaged { number: u64, damage: Damage },
    #[error("line {number}: {source}; nothing was imported")]
    Event { number: u64, source: Box<LogError> },
    #[error("the file can't be read: {0}")]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    View(#[from] ViewError),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Log {
    /// Writes every event up to the present end, one JSON object a line; says how many.
    ///
    /// # Errors
    /// When the database can't be read, an event is damaged, or the output can't be written.
    pub async fn export(&self, mut out: impl AsyncWrite + Unpin) -> Result<u64, ExportError> {
        let (end, ..) = read::head_row(self.db()).await?;
        let mut at = 0;
        while at < end {
            let rows = read::rows_after(self.db(), at, CHUNK.min(end - at)).await?;
            let Some(last) = rows.last().map(|row| row.0) else { break };
            let mut text = Vec::new();
            for row in rows {
                let position = row.0;
                let line = Line::of(row).map_err(|e| ExportError::Damaged { position, what: e.to_string() })?;
                serde_json::to_writer(&mut text, &line).map_err(std::io::Error::from)?;
                text.push(b'\n');
            }
            out.write_all(&text).await?;
            at = last;
        }
        out.flush().await?;
        Ok(u64::try_from(at).unwrap_or_default())
    }

    /// Fills an empty log from exported lines, in one transaction, read models too. Verifies while it reads.
    ///
    /// # Errors
    /// When the log is not empty, or a line is damaged; nothing was imported then.
    pub async fn import(&self, input: impl AsyncBufRead + Unpin) -> Result<u64, ImportError> {
        let mut tx = self.db().begin_long().await?;
        let empty = write::lock_head(&mut tx).await?;
        if empty.position != 0 {
            return Err(ImportError::NotEmpty(empty.position));
        }
        let mut walk = Walk::default();
        let (mut lines, mut number, mut chunk) = (input.lines(), 0, Vec::new());
        loop {
            let line = lines.next_line().await?;
            let ended = line.is_none();
            if let Some(line) = line.filter(|line| !line.trim().is_empty()) {
                number += 1;
                let line: Line = serde_json::from_str(&line).map_err(|source| ImportError::Line { number, source })?;
                let row = line.into_row();
                walk.step(&row).map_err(|damage| ImportError::Damaged { number, damage })?;
                chunk.push(row);
            }
            if chunk.len() as i64 == CHUNK || ended {
                let rows: Vec<_> = chunk.iter().map(NewRow::from).collect();
                write::insert_rows(&mut tx, &rows).await?;
                let first = number - chunk.len() as u64 + 1;
                let events: Vec<Recorded> = chunk
                    .drain(..)
                    .zip(first..)
                    .map(|(row, number)| {
                        read::recorded(row).map_err(|e| ImportError::Event { number, source: e.into() })
                    })
                    .collect::<Result<_, _>>()?;
                views::project_all(self.views(), &mut tx, &events).await?;
            }
            if ended {
                break;
            }
        }
        let end = Head { position: walk.position, hash: walk.hash, recorded_at: walk.recorded_at };
        write::move_head(&mut tx, &empty, &end).await?;
        tx.commit().await?;
        super::tail::advance(&self.0.head, end.position);
        Ok(number)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("the event at position {position} is damaged: {what}; run `gantry log verify`")]
    Damaged { position: i64, what: String },
    #[error("the output can't be written: {0}")]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Line {
    fn of(row: Row) -> Result<Self, serde_json::Error> {
        let (position, stream, version, kind, kind_version, data, meta, recorded_at, hash) = row;
        Ok(Self {
            position,
            stream,
            version,
            kind,
            kind_version: u16::try_from(kind_version).map_err(serde::de::Error::custom)?,
            data: RawValue::from_string(data)?,
            meta: RawValue::from_string(meta)?,
            recorded_at: from_micros(recorded_at),
            hash: hex::encode(hash),
        })
    }

    fn into_row(self) -> Row {
        (
            self.position,
            self.stream,
            self.version,
            self.kind,
            i64::from(self.kind_version),
            self.data.get().to_owned(),
            self.meta.get().to_owned(),
            micros(self.recorded_at),
            // What is no hex is no hash either: the chain refuses it.
            hex::decode(self.hash).unwrap_or_default(),
        )
    }
}

impl<'a> From<&'a Row> for NewRow<'a> {
    fn from(row: &'a Row) -> Self {
        let (position, stream, version, kind, kind_version, data, meta, recorded_at, hash) = row;
        Self {
            position: *position,
            stream,
            version: *version,
            kind,
            kind_version: *kind_version,
            data,
            meta,
            recorded_at: *recorded_at,
            hash,
        }
    }
}
