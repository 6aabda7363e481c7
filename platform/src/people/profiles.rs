//! What names a person, and their password's hash. Written with the events that speak of them; deleted to forget them.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::UserId;
use futures_util::future::BoxFuture;

use crate::{
    db::{Db, DbError, Tx, from_micros, micros, statements, with_db, with_tx},
    log::Rows,
    views::ViewError,
};

statements! {
    one {
        ADD = "INSERT INTO people (id, login, password, created_at, name) VALUES ($1, $2, $3, $4, $5)";
        BY_LOGIN = "SELECT id, login, password FROM people WHERE login = $1";
        BY_ID = "SELECT id, login, password FROM people WHERE id = $1";
        SET_PASSWORD = "UPDATE people SET password = $2 WHERE id = $1";
        FORGET = "DELETE FROM people WHERE id = $1";
        ADD_LINK = "INSERT INTO password_links (hash, person, until) VALUES ($1, $2, $3)";
        LINK = "SELECT person, until FROM password_links WHERE hash = $1";
        TAKE_LINK = "DELETE FROM password_links WHERE hash = $1";
        DROP_LINKS = "DELETE FROM password_links WHERE person = $1 OR until < $2";
    }
}

/// A person as kept.
#[derive(Clone)]
pub struct Person {
    pub id: UserId,
    pub login: String,
    /// As argon2 writes it; none until they set one.
    pub password: Option<String>,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A change that belongs to an event, for its append.
#[derive(Clone)]
pub enum Change {
    Add {
        id: UserId,
        login: String,
        /// How they want to be called.
        name: Option<String>,
        password: Option<String>,
        at: DateTime<Utc>,
    },
    SetPassword {
        id: UserId,
        hash: String,
    },
    Forget {
        id: UserId,
    },
    /// A link that sets a password once.
    AddLink {
        hash: String,
        id: UserId,
        until: DateTime<Utc>,
    },
    /// Refused when somebody was faster.
    TakeLink {
        hash: String,
    },
    DropLinks {
        id: UserId,
        now: DateTime<Utc>,
    },
}

impl Change {
    #[must_use]
    pub fn rows(self) -> Arc<dyn Rows> {
        Arc::new(self)
    }
}

impl Rows for Change {
    fn write<'a>(&'a self, tx: &'a mut Tx) -> BoxFuture<'a, Result<(), ViewError>> {
        Box::pin(async move {
            match self {
                Self::Add { id, login, name, password, at } => {
                    with_tx!(tx, conn => sqlx::query(ADD).bind(id.to_string()).bind(login).bind(password).bind(micros(*at))
                        .bind(name).execute(conn).await.map(drop))?;
                }
                Self::SetPassword { id, hash } => {
                    with_tx!(tx, conn => sqlx::query(SET_PASSWORD).bind(id.to_string()).bind(hash)
                        .execute(conn).await.map(drop))?;
                }
                Self::Forget { id } => {
                    with_tx!(tx, conn => sqlx::query(FORGET).bind(id.to_string()).execute(conn).await.map(drop))?;
                }
                Self::AddLink { hash, id, until } => {
                    with_tx!(tx, conn => sqlx::query(ADD_LINK).bind(hash).bind(id.to_string()).bind(micros(*until))
                        .execute(conn).await.map(drop))?;
                }
                Self::TakeLink { hash } => {
                    let gone = with_tx!(tx, conn => sqlx::query(TAKE_LINK).bind(hash)
                        .execute(conn).await.map(|done| done.rows_affected()))?;
                    if gone == 0 {
                        return Err(ViewError::Refused("the link was used already".to_owned()));
                    }
                }
                Self::DropLinks { id, now } => {
                    with_tx!(tx, conn => sqlx::query(DROP_LINKS).bind(id.to_string()).bind(micros(*now))
                        .execute(conn).await.map(drop))?;
                }
            }
            Ok(())
        })
    }
}

type Columns = (String, String, Option<String>);

fn person((id, login, password): Columns) -> Option<Person> {
    Some(Person { id: id.parse().ok()?, login, password })
}

/// # Errors
/// When the database can't be read.
pub async fn by_login(db: &Db, login: &str) -> Result<Option<Person>, DbError> {
    let row: Option<Columns> = with_db!(db, pool => sqlx::query_as(BY_LOGIN).bind(login).fetch_optional(pool).await)?;
    Ok(row.and_then(person))
}

/// # Errors
/// When the database can't be read.
pub async fn by_id(db: &Db, id: UserId) -> Result<Option<Person>, DbError> {
    let row: Option<Columns> =
        with_db!(db, pool => sqlx::query_as(BY_ID).bind(id.to_string()).fetch_optional(pool).await)?;
    Ok(row.and_then(person))
}

/// Whose password the link sets, and until when.
///
/// # Errors
/// When the database can't be read.
pub async fn link(db: &Db, hash: &str) -> Result<Option<(UserId, DateTime<Utc>)>, DbError> {
    let row: Option<(String, i64)> = with_db!(db, pool => sqlx::query_as(LINK).bind(hash).fetch_optional(pool).await)?;
    Ok(row.and_then(|(id, until)| Some((id.parse().ok()?, from_micros(until)))))
}
