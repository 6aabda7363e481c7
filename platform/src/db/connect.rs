//! The shape of the URL chooses the database; nothing else asks which it is.

use std::time::Duration;

use super::{Db, DbError, server::Server, sqlite::Lite};

#[derive(Debug, Clone)]
pub struct Options {
    /// Connections to Postgres, or for reading from SQLite.
    pub connections: u32,
    /// How long to wait for a free connection, and for another process's write on SQLite.
    pub patience: Duration,
    /// How long to wait for what Postgres was asked; work on a whole table may take as long as it takes.
    pub answer: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { connections: 10, patience: Duration::from_secs(10), answer: Duration::from_secs(10) }
    }
}

impl Db {
    /// Connects, and makes SQLite's file when there is none. Does not touch the schema.
    ///
    /// # Errors
    /// When the URL is neither kind, or nothing answers there.
    pub async fn connect(url: &str, options: &Options) -> Result<Self, DbError> {
        if url.starts_with("sqlite:") {
            Lite::connect(url, options).await.map(Self::Sqlite)
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Server::connect(url, options).await.map(Self::Postgres)
        } else {
            Err(DbError::Scheme)
        }
    }

    /// The same database for the appender alone: it tries again by itself, and saves the question whether the connection still lives.
    pub(crate) fn for_appending(&self) -> Self {
        match self {
            Self::Postgres(server) => Self::Postgres(server.for_appending()),
            Self::Sqlite(lite) => Self::Sqlite(lite.clone()),
        }
    }
}
