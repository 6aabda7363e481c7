//! The shape of the URL chooses the database; nothing else asks which it is.

use std::{str::FromStr as _, time::Duration};

use sqlx::{
    Connection as _, PgConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use tokio::time::{Instant, timeout_at};

use super::{Db, DbError, sqlite::Lite};

/// How long a Postgres that does not answer is waited for when we come to it first.
const REACH: Duration = Duration::from_secs(3);

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
            Lite::connect(url, options).await.map(Self::Sqlite)
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
    reach(&target).await.map_err(|source| DbError::Unreachable { place, source })?;
    let pool = PgPoolOptions::new().max_connections(options.connections.max(2)).acquire_timeout(options.patience);
    Ok(Db::Postgres(pool.connect_lazy_with(target)))
}

/// The first connection. A server that is just starting gets a moment; a person at a terminal does not wait for long,
/// and hears the reason instead of the pool's "timed out".
async fn reach(target: &PgConnectOptions) -> Result<(), sqlx::Error> {
    let deadline = Instant::now() + REACH;
    let mut pause = Duration::from_millis(50);
    loop {
        let error = match timeout_at(deadline, PgConnection::connect_with(target)).await {
            Ok(Ok(connection)) => return connection.close().await,
            Ok(Err(error)) => error,
            Err(_) => {
                let words = format!("it did not answer within {} s", REACH.as_secs());
                return Err(std::io::Error::new(std::io::ErrorKind::TimedOut, words).into());
            }
        };
        let starting = match &error {
            sqlx::Error::Io(_) => true,
            sqlx::Error::Database(error) => error.code().is_some_and(|code| code == "57P03"),
            _ => false,
        };
        if !starting || Instant::now() + pause >= deadline {
            return Err(error);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(500));
    }
}
