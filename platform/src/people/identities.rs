//! Who signs in by an identity at another provider, and sign-ins of that kind that are under way.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::UserId;
use futures_util::future::BoxFuture;

use crate::{
    db::{Db, DbError, Tx, micros, statements, with_db, with_tx},
    log::Rows,
    views::ViewError,
};

statements! {
    one {
        FIND = "SELECT person FROM identities WHERE issuer = $1 AND subject = $2";
        LINK = "INSERT INTO identities (issuer, subject, person) VALUES ($1, $2, $3)";
        FORGET = "DELETE FROM identities WHERE person = $1";
        BEGIN = "INSERT INTO oidc_attempts (hash, nonce, verifier, redirect, until) VALUES ($1, $2, $3, $4, $5)";
        TAKE = "DELETE FROM oidc_attempts WHERE hash = $1 AND until > $2 RETURNING nonce, verifier, redirect";
        EXPIRE = "DELETE FROM oidc_attempts WHERE until <= $1";
    }
}

/// A sign-in under way.
#[derive(Clone)]
pub struct Attempt {
    pub nonce: String,
    /// Of the proof key: whoever has the provider's answer needs it too.
    pub verifier: String,
    pub redirect: String,
}

impl std::fmt::Debug for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attempt").field("redirect", &self.redirect).finish_non_exhaustive()
    }
}

/// # Errors
/// When the database can't be written.
pub async fn begin(
    db: &Db,
    hash: &str,
    attempt: &Attempt,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<(), DbError> {
    let mut tx = db.begin().await?;
    with_tx!(&mut tx, conn => {
        sqlx::query(EXPIRE).bind(micros(now)).execute(&mut *conn).await?;
        sqlx::query(BEGIN).bind(hash).bind(&attempt.nonce).bind(&attempt.verifier).bind(&attempt.redirect)
            .bind(micros(until)).execute(conn).await.map(drop)
    })?;
    tx.commit().await
}

/// Takes it: it is good once.
///
/// # Errors
/// When the database can't be written.
pub async fn take(db: &Db, hash: &str, now: DateTime<Utc>) -> Result<Option<Attempt>, DbError> {
    let mut tx = db.begin().await?;
    let found: Option<(String, String, String)> =
        with_tx!(&mut tx, conn => sqlx::query_as(TAKE).bind(hash).bind(micros(now)).fetch_optional(conn).await)?;
    tx.commit().await?;
    Ok(found.map(|(nonce, verifier, redirect)| Attempt { nonce, verifier, redirect }))
}

/// # Errors
/// When the database can't be read.
pub async fn find(db: &Db, issuer: &str, subject: &str) -> Result<Option<UserId>, DbError> {
    let found: Option<String> =
        with_db!(db, pool => sqlx::query_scalar(FIND).bind(issuer).bind(subject).fetch_optional(pool).await)?;
    Ok(found.and_then(|id| id.parse().ok()))
}

/// A change that belongs to an event, for its append.
#[derive(Clone)]
pub enum Change {
    Link { user: UserId, issuer: String, subject: String },
    Forget { user: UserId },
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
                Self::Link { user, issuer, subject } => {
                    with_tx!(tx, conn => sqlx::query(LINK).bind(issuer).bind(subject).bind(user.to_string())
                        .execute(conn).await.map(drop))?;
                }
                Self::Forget { user } => {
                    with_tx!(tx, conn => sqlx::query(FORGET).bind(user.to_string()).execute(conn).await.map(drop))?;
                }
            }
            Ok(())
        })
    }
}
