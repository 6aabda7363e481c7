//! What can go wrong with the log.

use std::sync::Arc;

use domain::{DecodeError, Position, StreamId, Version};

use super::Expected;
use crate::{db::DbError, views::ViewError};

#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error("the event at position {} is damaged: {what}; run `gantry log verify`, then restore a backup", position.0)]
    Corrupt { position: Position, what: String },
    #[error("the event at position {} can't be read: {source}", position.0)]
    Event { position: Position, source: DecodeError },
    #[error("positions {} to {} are missing from the log; run `gantry log verify`, then restore a backup", from.0, to.0)]
    Gap { from: Position, to: Position },
    #[error(transparent)]
    View(#[from] ViewError),
}

impl From<sqlx::Error> for LogError {
    fn from(error: sqlx::Error) -> Self {
        Self::Db(error.into())
    }
}

/// Why an append was not done. Nothing of it is in the log then, except after [`AppendError::Unknown`].
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    #[error("{stream} was expected {expected} and is at version {}", actual.0)]
    Conflict { stream: StreamId, expected: Expected, actual: Version },
    /// Another version than the one that was to be changed.
    #[error("it is at version {} by now", actual.0)]
    Stale { actual: Version },
    #[error("the idempotency key {key} was used for another request")]
    KeyReused { key: String },
    /// A read model or another row of the same transaction refused, e.g. because its key is taken.
    #[error("{0}")]
    Refused(#[source] Arc<ViewError>),
    #[error("the event can't be written as JSON: {0}")]
    Encode(#[source] Arc<serde_json::Error>),
    #[error("the log can't be written: {0}")]
    Db(#[source] Arc<DbError>),
    #[error("the database went away while it was to confirm an append; ask again with the same idempotency key: {0}")]
    Unknown(#[source] Arc<DbError>),
    #[error("the log is closed, this process is shutting down")]
    Closed,
}

impl AppendError {
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }

    /// A row of the same append said no, in its own words: what it stands for was taken by somebody else.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Refused(why) if matches!(**why, ViewError::Refused(_)))
    }

    /// The limits of the account's quota that would be passed.
    #[must_use]
    pub fn over_quota(&self) -> Option<&[domain::quota::Over]> {
        match self {
            Self::Refused(why) => match &**why {
                ViewError::OverQuota(over) => Some(over),
                _ => None,
            },
            _ => None,
        }
    }

    /// An operation is at work on a container that it wants too.
    #[must_use]
    pub fn at_work(&self) -> bool {
        matches!(self, Self::Refused(why) if matches!(**why, ViewError::AtWork { .. }))
    }

    /// Another row has what must be unique: a host name or an address in use, a container with an operation at work.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        match self {
            Self::Refused(why) => match &**why {
                ViewError::Db(error) => error.is_unique_violation(),
                ViewError::AddressTaken(_) | ViewError::AtWork { .. } => true,
                _ => false,
            },
            _ => false,
        }
    }
}

impl From<serde_json::Error> for AppendError {
    fn from(error: serde_json::Error) -> Self {
        Self::Encode(Arc::new(error))
    }
}
