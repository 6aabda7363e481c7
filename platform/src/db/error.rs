//! What can go wrong with the database, and what to do about it.

#[derive(Debug, thiserror::Error)]
pub enum DbError {
    #[error(
        "DATABASE_URL must start with `sqlite:` (sqlite:/var/lib/gantry/gantry.db) or `postgres:` (postgres://user@host/gantry)"
    )]
    Scheme,
    #[error("DATABASE_URL can't be read: {0}")]
    Url(#[source] sqlx::Error),
    #[error("the database at {place} can't be reached: {source}; see that it runs and that DATABASE_URL is right")]
    Unreachable { place: String, source: sqlx::Error },
    #[error(
        "the database has schema {found}, this program knows up to {known}: run the newer gantry that made it, or restore the backup from before"
    )]
    NewerSchema { found: i64, known: i64 },
    #[error("the database has schema {found}, this program needs {known}: run `gantry migrate`")]
    OlderSchema { found: i64, known: i64 },
    #[error("migration {number} ({name}) is not the one that this database was made with: run the gantry that made it")]
    ChangedMigration { number: i64, name: String },
    #[error("migration {number} ({name}) failed, nothing was changed: {source}")]
    Migration { number: i64, name: &'static str, source: sqlx::Error },
    #[error("database: {0}")]
    Sqlx(#[from] sqlx::Error),
}

impl DbError {
    /// Another row has the key already.
    #[must_use]
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Sqlx(sqlx::Error::Database(e)) if e.is_unique_violation())
    }

    /// Whether the same may succeed later, because the way to the database was broken rather than the request.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Sqlx(sqlx::Error::Database(e)) => {
                // Postgres: connection trouble (08), shutdown and start (57P), too many connections or a full disk (53), a
                // statement that was too slow (57014), a transaction that nobody went on with for too long (25P03).
                // SQLite: busy, locked, I/O, a full disk, no file to be opened.
                let code = e.code().unwrap_or_default();
                code.starts_with("08")
                    || code.starts_with("57P")
                    || code.starts_with("53")
                    || matches!(&*code, "57014" | "25P03")
                    || code.parse::<i32>().is_ok_and(|n| code.len() < 5 && matches!(n & 0xff, 5 | 6 | 10 | 13 | 14))
            }
            Self::Sqlx(e) => matches!(
                e,
                sqlx::Error::Io(_)
                    | sqlx::Error::PoolTimedOut
                    | sqlx::Error::WorkerCrashed
                    | sqlx::Error::Tls(_)
                    | sqlx::Error::Protocol(_)
            ),
            _ => false,
        }
    }
}
