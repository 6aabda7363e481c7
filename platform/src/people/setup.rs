//! The link of the first start: whoever has it becomes the first administrator. There is none once there is anybody.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::BoxFuture;

use super::token;
use crate::{
    db::{Db, DbError, Tx, from_micros, micros, statements, with_db, with_tx},
    log::Rows,
    vault::SecretText,
    views::ViewError,
};

statements! {
    one {
        ANYBODY = "SELECT COUNT(*) FROM people";
        READ = "SELECT value FROM settled WHERE name = 'setup_link'";
        OFFER = "INSERT INTO settled (name, value) VALUES ('setup_link', $1)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        TAKE = "DELETE FROM settled WHERE name = 'setup_link' AND value = $1";
    }
}

/// It is good for so long; a later start makes another.
const HOURS: i64 = 24;

/// A new link in place of an older one, while there is nobody.
///
/// # Errors
/// When the database can't be read or written.
pub async fn offer(db: &Db, now: DateTime<Utc>) -> Result<Option<SecretText>, DbError> {
    let people: i64 = with_db!(db, pool => sqlx::query_scalar(ANYBODY).fetch_one(pool).await)?;
    if people > 0 {
        return Ok(None);
    }
    let link = token::make("");
    let value = format!("{} {}", token::hash(link.expose()), micros(now + TimeDelta::hours(HOURS)));
    let mut tx = db.begin().await?;
    with_tx!(&mut tx, conn => sqlx::query(OFFER).bind(value).execute(conn).await.map(drop))?;
    tx.commit().await?;
    Ok(Some(link))
}

/// A link that is good, for the append that makes the first administrator.
#[derive(Debug, Clone)]
pub struct Good(String);

/// None for one that is not ours, was used, or has expired.
///
/// # Errors
/// When the database can't be read.
pub async fn look(db: &Db, link: &str, now: DateTime<Utc>) -> Result<Option<Good>, DbError> {
    let found: Option<String> = with_db!(db, pool => sqlx::query_scalar(READ).fetch_optional(pool).await)?;
    let asked = token::hash(link);
    Ok(found
        .filter(|value| {
            let (hash, until) = value.split_once(' ').unwrap_or_default();
            hash == asked && until.parse().is_ok_and(|until| from_micros(until) > now)
        })
        .map(Good))
}

impl Good {
    /// Refused when somebody was faster.
    #[must_use]
    pub fn take(self) -> Arc<dyn Rows> {
        Arc::new(self)
    }
}

impl Rows for Good {
    fn write<'a>(&'a self, tx: &'a mut Tx) -> BoxFuture<'a, Result<(), ViewError>> {
        Box::pin(async move {
            let gone = with_tx!(tx, conn => sqlx::query(TAKE).bind(&self.0)
                .execute(conn).await.map(|done| done.rows_affected()))?;
            if gone == 0 { Err(ViewError::Refused("the link was used already".to_owned())) } else { Ok(()) }
        })
    }
}
