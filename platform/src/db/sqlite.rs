//! One file, one writer at a time.

use std::{str::FromStr as _, time::Duration};

use sqlx::{
    Sqlite, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::time::Instant;

use super::{DbError, Options};

/// SQLite has one writer at a time: a pool of one connection lets writers queue in order instead of colliding.
#[derive(Debug, Clone)]
pub struct Lite {
    pub read: SqlitePool,
    pub write: SqlitePool,
}

impl Lite {
    pub(super) async fn connect(url: &str, options: &Options) -> Result<Self, DbError> {
        let target = SqliteConnectOptions::from_str(url)
            .map_err(DbError::Url)?
            .create_if_missing(true)
            .busy_timeout(options.patience)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: what was answered with "accepted" survives a power cut.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            // A reader that takes many rows is woken for many at once, not for each fifty.
            .row_buffer_size(1024)
            .pragma("temp_store", "memory")
            .pragma("cache_size", "-32768");
        let place = target.get_filename().display().to_string();
        let unreachable = |source| DbError::Unreachable { place: place.clone(), source };
        // A connection to a file does not break while it waits in the pool.
        let pool = |most| {
            SqlitePoolOptions::new().max_connections(most).acquire_timeout(options.patience).test_before_acquire(false)
        };
        let deadline = Instant::now() + options.patience;
        let write = loop {
            match pool(1).connect_with(target.clone()).await {
                Ok(write) => break write,
                // Of several that make the file, one alone may choose its journal, and SQLite lets the others not wait for it.
                Err(error) if is_busy(&error) && Instant::now() < deadline => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(error) => return Err(unreachable(error)),
            }
        };
        let read = pool(options.connections.max(1))
            .connect_with(target.create_if_missing(false))
            .await
            .map_err(unreachable)?;
        Ok(Self { read, write })
    }

    /// SQLite takes a transaction back by itself when the disk is full or fails. The connection does not hear of it and
    /// would refuse every other one for ever: there is a new one then.
    pub(super) async fn begin(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        const BEGIN: &str = "BEGIN IMMEDIATE";
        match self.write.begin_with(BEGIN).await {
            Err(sqlx::Error::InvalidSavePointStatement) => {
                self.write.acquire().await?.close().await?;
                self.write.begin_with(BEGIN).await
            }
            other => other,
        }
    }
}

fn is_busy(error: &sqlx::Error) -> bool {
    // The low byte is the reason, the rest its kind: BUSY is 5.
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == 5)
}
