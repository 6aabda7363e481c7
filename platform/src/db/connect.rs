//! The shape of the URL chooses the database; nothing else asks which it is.

use std::{str::FromStr as _, time::Duration};

use sqlx::{
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{Db, DbError, Lite};

#[derive(Debug, Clone)]
pub struct Options {
    /// Connections to Postgres, or for reading from SQLite.
    pub connections: u32,
    /// How long to wait for a free connection, and for another process's write on SQLite.
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { connections: 10, patience: Duration::from_secs(10) }
    }
}

impl Db {
    /// Connects, and makes SQLite's file when there is none. Does not touch the schema.
    ///
    /// # Errors
    /// When the URL is neither kind, or nothing answers there.
    pub async fn connect(url: &str, options: &Options) -> Result<Self, DbError> {
        if url.starts_with("sqlite:") {
            sqlite(url, options).await
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            postgres(url, options).await
        } else {
            Err(DbError::Scheme)
        }
    }

    /// The same database for the appender alone: it tries again by itself, and saves the question whether the connection still lives.
    pub(crate) fn for_appending(&self) -> Self {
        match self {
            Self::Postgres(pool) => {
                let options = PgPoolOptions::new()
                    .max_connections(1)
                    .test_before_acquire(false)
                    .acquire_timeout(Duration::from_secs(5));
                Self::Postgres(options.connect_lazy_with(PgConnectOptions::clone(&pool.connect_options())))
            }
            Self::Sqlite(lite) => Self::Sqlite(lite.clone()),
        }
    }
}

async fn postgres(url: &str, options: &Options) -> Result<Db, DbError> {
    let target = PgConnectOptions::from_str(url).map_err(DbError::Url)?.application_name("gantry");
    let place = format!("postgres {}:{}", target.get_host(), target.get_port());
    let pool = PgPoolOptions::new()
        .max_connections(options.connections.max(2))
        .acquire_timeout(options.patience)
        .connect_with(target)
        .await
        .map_err(|source| DbError::Unreachable { place, source })?;
    Ok(Db::Postgres(pool))
}

async fn sqlite(url: &str, options: &Options) -> Result<Db, DbError> {
    let target = SqliteConnectOptions::from_str(url)
        .map_err(DbError::Url)?
        .create_if_missing(true)
        .busy_timeout(options.patience)
        .journal_mode(SqliteJournalMode::Wal)
        // FULL: what was answered with "accepted" survives a power cut.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("temp_store", "memory")
        .pragma("cache_size", "-32768");
    let place = target.get_filename().display().to_string();
    let unreachable = |source| DbError::Unreachable { place: place.clone(), source };
    // A connection to a file does not break while it waits in the pool.
    let pool = |most| {
        SqlitePoolOptions::new().max_connections(most).acquire_timeout(options.patience).test_before_acquire(false)
    };
    let write = pool(1).connect_with(target.clone()).await.map_err(unreachable)?;
    let read =
        pool(options.connections.max(1)).connect_with(target.create_if_missing(false)).await.map_err(unreachable)?;
    Ok(Db::Sqlite(Lite { read, write }))
}
