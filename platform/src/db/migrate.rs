//! Numbered SQL, embedded in the program, applied once each and in order.

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, SqlSafeStr as _};

use super::{Db, DbError, Tx, micros, statements, with_db, with_tx};

struct Migration {
    number: i64,
    name: &'static str,
    sql: Sql,
}

enum Sql {
    /// The same text on both databases.
    One(&'static str),
    Two {
        postgres: &'static str,
        sqlite: &'static str,
    },
}

impl Sql {
    fn text(&self, tx: &Tx) -> &'static str {
        match (self, tx) {
            (Self::One(sql), _)
            | (Self::Two { postgres: sql, .. }, Tx::Postgres(_))
            | (Self::Two { sqlite: sql, .. }, Tx::Sqlite(_)) => sql,
        }
    }
}

macro_rules! one {
    ($number:literal, $name:literal, $file:literal) => {
        Migration {
            number: $number,
            name: $name,
            sql: Sql::One(include_str!(concat!("../../../migrations/", $file, ".sql"))),
        }
    };
}

macro_rules! two {
    ($number:literal, $name:literal, $file:literal) => {
        Migration {
            number: $number,
            name: $name,
            sql: Sql::Two {
                postgres: include_str!(concat!("../../../migrations/", $file, ".postgres.sql")),
                sqlite: include_str!(concat!("../../../migrations/", $file, ".sqlite.sql")),
            },
        }
    };
}

/// To add one: the file in `migrations/`, the next number here. Never change one that has been released.
const ALL: &[Migration] = &[
    two!(1, "log", "0001_log"),
    one!(2, "series", "0002_series"),
    one!(3, "views", "0003_views"),
    one!(4, "catalogue", "0004_catalogue"),
    two!(5, "vault", "0005_vault"),
    one!(6, "people", "0006_people"),
    one!(7, "audit", "0007_audit"),
    one!(8, "schedules", "0008_schedules"),
    one!(9, "addresses", "0009_addresses"),
    one!(10, "copies_kept", "0010_copies_kept"),
    one!(11, "drift", "0011_drift"),
    one!(12, "own_templates", "0012_own_templates"),
    one!(13, "invitations", "0013_invitations"),
    one!(14, "second_factors", "0014_second_factors"),
    one!(15, "identities", "0015_identities"),
    two!(16, "template versions", "0016_template_versions"),
    one!(17, "clone_sources", "0017_clone_sources"),
    one!(18, "to_delete", "0018_to_delete"),
    one!(19, "copies in the making", "0019_copies_in_the_making"),
    two!(20, "sorts", "0020_sorts"),
    one!(21, "lines", "0021_lines"),
    one!(22, "lifecycles", "0022_lifecycles"),
];

/// The schema that this program works with.
pub const LATEST: i64 = ALL.len() as i64;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    number BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)";
statements! {
    one {
        APPLIED = "SELECT number, name, checksum FROM schema_migrations ORDER BY number";
        RECORD = "INSERT INTO schema_migrations (number, name, checksum, applied_at) VALUES ($1, $2, $3, $4)";
    }
}
/// Any number, as long as nobody else uses it: "gantry" in ASCII.
const LOCK: &str = "SELECT pg_advisory_xact_lock(113680413848441)";

/// What `migrate` did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    pub applied: Vec<&'static str>,
    pub schema: i64,
}

impl Db {
    /// Brings the schema up to this program's. Several processes may start at once: one migrates, the others wait and find it done.
    ///
    /// # Errors
    /// When the schema is newer or other than this program's, or a statement fails; nothing is changed then.
    pub async fn migrate(&self, now: DateTime<Utc>) -> Result<Migrated, DbError> {
        let mut tx = self.begin_long().await?;
        if let Tx::Postgres(tx) = &mut tx {
            sqlx::query(LOCK).execute(&mut *tx.tx).await?;
        }
        with_tx!(&mut tx, conn => sqlx::query(TABLE).execute(conn).await.map(drop))?;
        let present: Vec<(i64, String, String)> =
            with_tx!(&mut tx, conn => sqlx::query_as(APPLIED).fetch_all(conn).await)?;
        check(&tx, &present)?;
        let mut applied = Vec::new();
        for migration in ALL.iter().skip(present.len()) {
            apply(&mut tx, migration, now).await?;
            applied.push(migration.name);
        }
        tx.commit().await?;
        Ok(Migrated { applied, schema: LATEST })
    }

    /// Refuses a database that this program does not fit.
    ///
    /// # Errors
    /// When the schema is older or newer.
    pub async fn check_schema(&self) -> Result<(), DbError> {
        let found: Result<Vec<(i64, String, String)>, _> =
            with_db!(self, pool => sqlx::query_as(APPLIED).fetch_all(pool).await);
        let found = match found {
            Ok(rows) => rows.last().map_or(0, |row| row.0),
            // No such table: never migrated.
            Err(sqlx::Error::Database(_)) => 0,
            Err(other) => return Err(other.into()),
        };
        match found.cmp(&LATEST) {
            std::cmp::Ordering::Less => Err(DbError::OlderSchema { found, known: LATEST }),
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(DbError::NewerSchema { found, known: LATEST }),
        }
    }
}

fn check(tx: &Tx, present: &[(i64, String, String)]) -> Result<(), DbError> {
    if let Some((found, ..)) = present.last().filter(|last| last.0 > LATEST) {
        return Err(DbError::NewerSchema { found: *found, known: LATEST });
    }
    for (migration, (number, name, checksum)) in ALL.iter().zip(present) {
        if migration.number != *number || checksum_of(migration.sql.text(tx)) != *checksum {
            return Err(DbError::ChangedMigration { number: *number, name: name.clone() });
        }
    }
    Ok(())
}

async fn apply(tx: &mut Tx, migration: &Migration, now: DateTime<Utc>) -> Result<(), DbError> {
    let sql = migration.sql.text(tx);
    with_tx!(tx, conn => sqlx::raw_sql(AssertSqlSafe(sql).into_sql_str()).execute(conn).await.map(drop))
        .map_err(|source| DbError::Migration { number: migration.number, name: migration.name, source })?;
    with_tx!(tx, conn => sqlx::query(RECORD).bind(migration.number).bind(migration.name).bind(checksum_of(sql)).bind(micros(now))
        .execute(conn).await.map(drop))?;
    Ok(())
}

fn checksum_of(sql: &str) -> String {
    hex::encode(Sha256::digest(sql))
}
