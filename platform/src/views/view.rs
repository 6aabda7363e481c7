//! What a read model is to the log.

use domain::{DecodeError, Position, Recorded};
use futures_util::future::BoxFuture;

use crate::db::{DbError, Tx};

/// A read model. Registered when the log is opened; sees the events of its categories in order, each once.
pub trait View: Send + Sync {
    fn name(&self) -> &'static str;

    /// The categories of streams it is made from.
    fn categories(&self) -> &'static [&'static str];

    /// Whether it is to see the events of these streams.
    fn follows(&self, category: &str) -> bool {
        self.categories().contains(&category)
    }

    /// All that it writes; replay empties and compares them.
    fn tables(&self) -> &'static [Table];

    /// False for what writes more than a table made from the log, like numbered progress records: replay leaves it out.
    fn replayed(&self) -> bool {
        true
    }

    /// Brings the tables up to date, inside the transaction that appends the events. Nothing slow.
    fn project<'a>(&'a self, tx: &'a mut Tx, events: &'a [&'a Recorded]) -> BoxFuture<'a, Result<(), ViewError>>;
}

/// A table of a read model, with the columns that replay compares.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    pub name: &'static str,
    /// Its primary key, first of `columns`.
    pub key: &'static str,
    pub columns: &'static [&'static str],
}

#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error("read model {view} can't read the event at position {}: {source}", position.0)]
    Event { view: &'static str, position: Position, source: DecodeError },
    #[error("read model {view} holds a damaged row {id}: {source}; run `gantry log replay`")]
    Row { view: &'static str, id: String, source: serde_json::Error },
    /// A row of the same transaction says no, in its own words.
    #[error("{0}")]
    Refused(String),
    /// Somebody is at work on the container.
    #[error("operation {holder} is at work on container {container}")]
    AtWork { container: String, holder: String },
    /// The account would have more than it may.
    #[error("the account's quota would be passed: {}", .0.iter().map(|over| over.what).collect::<Vec<_>>().join(", "))]
    OverQuota(Vec<domain::quota::Over>),
    #[error("container {0} has the address")]
    AddressTaken(domain::ContainerId),
}

impl From<sqlx::Error> for ViewError {
    fn from(error: sqlx::Error) -> Self {
        Self::Db(error.into())
    }
}
