//! What an append asks for, made ready before it meets the head's lock.

use std::{fmt, sync::Arc};

use chrono::{DateTime, Utc};
use domain::{Meta, NewEvent, Position, StreamId, Version};
use futures_util::future::BoxFuture;
use serde_json::Value;

use super::{
    AppendError,
    hash::{self, Hash},
};
use crate::{
    db::{Text, Tx},
    views::ViewError,
};

/// One or more streams' events, all or none.
#[derive(Clone)]
pub struct Append {
    pub streams: Vec<StreamAppend>,
    pub meta: Meta,
    pub idempotency: Option<Idempotency>,
    /// Rows that belong to the events and are no part of them, like sealed secrets; written in the same transaction.
    pub rows: Vec<Arc<dyn Rows>>,
}

/// Without events it only holds the stream to the expected version.
#[derive(Debug, Clone)]
pub struct StreamAppend {
    pub stream: StreamId,
    pub expected: Expected,
    pub events: Vec<NewEvent>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// The stream does not exist yet.
    New,
    Version(Version),
    Any,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New => f.write_str("not to exist"),
            Self::Version(version) => write!(f, "at version {version}"),
            Self::Any => f.write_str("at any version"),
        }
    }
}

/// The same key with the same fingerprint gets the first answer again; with another fingerprint it is refused.
#[derive(Debug, Clone)]
pub struct Idempotency {
    pub key: String,
    /// A digest of what was asked.
    pub fingerprint: String,
    pub answer: Value,
}

/// Something to write in an append's transaction. May be called again when the transaction has to be made anew.
pub trait Rows: Send + Sync {
    /// What it looks at, when it only looks: of those in a batch that look at the same, one does.
    fn looks_at(&self) -> Option<String> {
        None
    }

    /// What is more than one more row: it is looked at first, or changes something.
    fn write<'a>(&'a self, _: &'a mut Tx) -> BoxFuture<'a, Result<(), ViewError>> {
        Box::pin(async { Err(ViewError::Refused("neither a row nor how it is written".to_owned())) })
    }

    /// When it is one more row for a statement whose only parameter is an array of such rows: the statement and the row.
    /// All of a batch are then written at once, and `write` is not called.
    fn row(&self) -> Option<(Text, Value)> {
        None
    }
}

/// What came of an append.
#[derive(Debug, Clone, PartialEq)]
pub struct Appended {
    /// The positions of its events; `first` is one more than `last` when there were none.
    pub first: Position,
    pub last: Position,
    /// When it was recorded; of a repetition, when that was found out.
    pub at: DateTime<Utc>,
    /// The versions of its streams, in the order asked for; empty when it was a repetition.
    pub versions: Vec<Version>,
    /// The stored answer, when the idempotency key was known already and nothing was appended now.
    pub repeated: Option<Value>,
}

impl Append {
    #[must_use]
    pub fn new(meta: Meta) -> Self {
        Self { streams: Vec::new(), meta, idempotency: None, rows: Vec::new() }
    }

    #[must_use]
    pub fn stream(mut self, stream: StreamId, expected: Expected, events: Vec<NewEvent>) -> Self {
        self.streams.push(StreamAppend { stream, expected, events });
        self
    }

    #[must_use]
    pub fn once(mut self, idempotency: Option<Idempotency>) -> Self {
        self.idempotency = idempotency;
        self
    }

    #[must_use]
    pub fn with(mut self, rows: Arc<dyn Rows>) -> Self {
        self.rows.push(rows);
        self
    }
}

impl fmt::Debug for Append {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Append").field("streams", &self.streams).field("meta", &self.meta).finish_non_exhaustive()
    }
}

/// An append with its texts and digests made.
pub(super) struct Prepared {
    pub streams: Vec<PreparedStream>,
    pub meta: Meta,
    pub meta_text: Arc<str>,
    pub idempotency: Option<Idempotency>,
    pub rows: Vec<Arc<dyn Rows>>,
}

pub(super) struct PreparedStream {
    pub stream: StreamId,
    pub expected: Expected,
    pub events: Vec<PreparedEvent>,
}

pub(super) struct PreparedEvent {
    pub event: NewEvent,
    pub data: String,
    pub body: Hash,
}

impl Prepared {
    pub(super) fn new(append: Append) -> Result<Self, AppendError> {
        let meta_text: Arc<str> = serde_json::to_string(&append.meta)?.into();
        let streams = append.streams.into_iter().map(|asked| {
            let events = asked.events.into_iter().map(|event| {
                let data = serde_json::to_string(&event.data)?;
                let body = hash::body(asked.stream.as_str(), &event.kind, event.kind_version, &data, &meta_text);
                Ok(PreparedEvent { event, data, body })
            });
            Ok(PreparedStream {
                stream: asked.stream.clone(),
                expected: asked.expected,
                events: events.collect::<Result<_, AppendError>>()?,
            })
        });
        let streams = streams.collect::<Result<_, AppendError>>()?;
        Ok(Self { streams, meta: append.meta, meta_text, idempotency: append.idempotency, rows: append.rows })
    }
}
