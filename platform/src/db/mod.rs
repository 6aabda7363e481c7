//! The database: SQLite alone, or Postgres. SQL is written once and dispatched here.
//!
//! Conventions that keep one text honest: `$1` parameters, `RETURNING`, `ON CONFLICT`; every integer column is BIGINT
//! (INTEGER where SQLite's row id wants it), ids are TEXT, times are BIGINT microseconds since 1970 ([`micros`]),
//! JSON is TEXT, so that what was hashed is what is read.

mod connect;
mod error;
pub(crate) mod migrate;
pub(crate) mod server;
mod sqlite;
mod text;

use chrono::{DateTime, Utc};
use sqlx::{Sqlite, Transaction};

pub use connect::Options;
pub use error::DbError;
pub use migrate::{LATEST, Migrated};
pub use server::{Server, ServerTx};
pub use sqlite::Lite;
pub use text::Text;
pub(crate) use text::statements;

/// A pool of connections. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Db {
    Postgres(Server),
    Sqlite(Lite),
}

/// A transaction that may write.
#[derive(Debug)]
pub enum Tx {
    Postgres(ServerTx),
    Sqlite(Transaction<'static, Sqlite>),
}

/// Runs the body on the pool for reading; the body is checked against each engine's types.
macro_rules! with_db {
    ($db:expr, $pool:ident => $body:expr) => {
        match $db {
            $crate::db::Db::Postgres(server) => {
                let $pool = &server.pool;
                $crate::db::server::answered(server.answer(), async { $body }).await
            }
            $crate::db::Db::Sqlite(lite) => {
                let $pool = &lite.read;
                $body
            }
        }
    };
}
pub(crate) use with_db;

/// Runs the body on the transaction's connection: a `&mut PgConnection` or a `&mut SqliteConnection`.
macro_rules! with_tx {
    ($tx:expr, $conn:ident => $body:expr) => {
        match $tx {
            $crate::db::Tx::Postgres(server) => {
                let answer = server.answer;
                let $conn = &mut *server.tx;
                $crate::db::server::answered(answer, async { $body }).await
            }
            $crate::db::Tx::Sqlite(tx) => {
                let $conn = &mut **tx;
                $body
            }
        }
    };
}
pub(crate) use with_tx;

impl Db {
    /// A transaction that holds SQLite's write lock from its first moment: no upgrade that could fail half way.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn begin(&self) -> Result<Tx, DbError> {
        Ok(match self {
            Self::Postgres(server) => Tx::Postgres(server.begin().await?),
            Self::Sqlite(lite) => Tx::Sqlite(lite.begin().await?),
        })
    }

    /// The same for work on a whole table, which may take as long as it takes.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn begin_long(&self) -> Result<Tx, DbError> {
        Ok(match self {
            Self::Postgres(server) => Tx::Postgres(server.begin_long().await?),
            Self::Sqlite(lite) => Tx::Sqlite(lite.begin().await?),
        })
    }

    /// For readiness: the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), DbError> {
        with_db!(self, pool => sqlx::query("SELECT 1").execute(pool).await.map(drop))?;
        Ok(())
    }

    pub async fn close(&self) {
        match self {
            Self::Postgres(server) => server.pool.close().await,
            Self::Sqlite(lite) => {
                lite.read.close().await;
                lite.write.close().await;
            }
        }
    }

    #[must_use]
    pub fn engine(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "postgres",
            Self::Sqlite(_) => "sqlite",
        }
    }
}

impl Tx {
    /// # Errors
    /// When the database did not confirm: whether it took the changes is then unknown.
    pub async fn commit(self) -> Result<(), DbError> {
        match self {
            Self::Postgres(tx) => tx.commit().await?,
            Self::Sqlite(tx) => tx.commit().await?,
        }
        Ok(())
    }

    /// # Errors
    /// When the database can't be reached; the changes are gone then too.
    pub async fn rollback(self) -> Result<(), DbError> {
        match self {
            Self::Postgres(tx) => tx.rollback().await?,
            Self::Sqlite(tx) => tx.rollback().await?,
        }
        Ok(())
    }
}

/// A time as the tables keep it.
#[must_use]
pub fn micros(time: DateTime<Utc>) -> i64 {
    time.timestamp_micros()
}

/// A time as it was kept. Out of chrono's range only after tampering; the epoch then.
#[must_use]
pub fn from_micros(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}
