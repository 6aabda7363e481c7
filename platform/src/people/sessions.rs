//! Who is signed in. An access token that lives for minutes, and a refresh token that is good for one use.

use chrono::{DateTime, Utc};
use domain::UserId;
use uuid::Uuid;

use crate::db::{Db, DbError, from_micros, micros, statements, with_db, with_tx};

statements! {
    one {
        BEGIN = "INSERT INTO sessions (id, person, access_hash, access_until, until, created_at, address)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)";
        ADD_REFRESH = "INSERT INTO refresh_tokens (hash, session, spent) VALUES ($1, $2, 0)";
        BY_ACCESS = "SELECT id, person, access_until, until FROM sessions WHERE access_hash = $1";
        BY_REFRESH = "SELECT s.id, s.person, s.access_until, s.until FROM sessions s JOIN refresh_tokens r ON r.session = s.id
                      WHERE r.hash = $1";
        SPEND = "UPDATE refresh_tokens SET spent = 1 WHERE hash = $1 AND spent = 0";
        RENEW = "UPDATE sessions SET access_hash = $2, access_until = $3 WHERE id = $1";
        KNOWN = "SELECT COUNT(*) FROM sessions WHERE person = $1 AND address = $2";
        END = "DELETE FROM sessions WHERE id = $1";
        END_REFRESH = "DELETE FROM refresh_tokens WHERE session = $1";
        END_ALL_REFRESH = "DELETE FROM refresh_tokens WHERE session IN (SELECT id FROM sessions WHERE person = $1)";
        END_ALL = "DELETE FROM sessions WHERE person = $1";
        EXPIRE_REFRESH = "DELETE FROM refresh_tokens WHERE session IN (SELECT id FROM sessions WHERE until < $1)";
        EXPIRE = "DELETE FROM sessions WHERE until < $1";
    }
}

#[derive(Debug, Clone)]
pub struct Session {
    pub id: Uuid,
    pub user: UserId,
    pub access_until: DateTime<Utc>,
    pub until: DateTime<Utc>,
}

/// Tokens by their hashes.
#[derive(Debug, Clone)]
pub struct Hashes {
    pub access: String,
    pub refresh: String,
}

type Columns = (String, String, i64, i64);

fn session((id, user, access_until, until): Columns) -> Option<Session> {
    Some(Session {
        id: id.parse().ok()?,
        user: user.parse().ok()?,
        access_until: from_micros(access_until),
        until: from_micros(until),
    })
}

/// # Errors
/// When the database can't be written.
pub async fn begin(
    db: &Db,
    session: &Session,
    hashes: &Hashes,
    now: DateTime<Utc>,
    address: Option<&str>,
) -> Result<(), DbError> {
    let (mut tx, id) = (db.begin().await?, session.id.to_string());
    with_tx!(&mut tx, conn => {
        sqlx::query(EXPIRE_REFRESH).bind(micros(now)).execute(&mut *conn).await?;
        sqlx::query(EXPIRE).bind(micros(now)).execute(&mut *conn).await?;
        sqlx::query(BEGIN).bind(&id).bind(session.user.to_string()).bind(&hashes.access)
            .bind(micros(session.access_until)).bind(micros(session.until)).bind(micros(now)).bind(address)
            .execute(&mut *conn).await?;
        sqlx::query(ADD_REFRESH).bind(&hashes.refresh).bind(&id).execute(conn).await.map(drop)
    })?;
    tx.commit().await
}

/// # Errors
/// When the database can't be read.
pub async fn by_access(db: &Db, hash: &str) -> Result<Option<Session>, DbError> {
    let row: Option<Columns> = with_db!(db, pool => sqlx::query_as(BY_ACCESS).bind(hash).fetch_optional(pool).await)?;
    Ok(row.and_then(session))
}

/// Whether somebody is signed in from there.
///
/// # Errors
/// When the database can't be read.
pub async fn is_known(db: &Db, user: UserId, address: &str) -> Result<bool, DbError> {
    let found: i64 =
        with_db!(db, pool => sqlx::query_scalar(KNOWN).bind(user.to_string()).bind(address).fetch_one(pool).await)?;
    Ok(found > 0)
}

/// Whose refresh token it is, or was.
///
/// # Errors
/// When the database can't be read.
pub async fn by_refresh(db: &Db, hash: &str) -> Result<Option<Session>, DbError> {
    let row: Option<Columns> = with_db!(db, pool => sqlx::query_as(BY_REFRESH).bind(hash).fetch_optional(pool).await)?;
    Ok(row.and_then(session))
}

/// New tokens in place of those of one use; false when the refresh token had its use already.
///
/// # Errors
/// When the database can't be written.
pub async fn renew(
    db: &Db,
    session: Uuid,
    spent: &str,
    hashes: &Hashes,
    access_until: DateTime<Utc>,
) -> Result<bool, DbError> {
    let (mut tx, id) = (db.begin().await?, session.to_string());
    let fresh = with_tx!(&mut tx, conn => {
        let fresh = sqlx::query(SPEND).bind(spent).execute(&mut *conn).await?.rows_affected() > 0;
        if fresh {
            sqlx::query(RENEW).bind(&id).bind(&hashes.access).bind(micros(access_until)).execute(&mut *conn).await?;
            sqlx::query(ADD_REFRESH).bind(&hashes.refresh).bind(&id).execute(conn).await?;
        }
        Ok::<_, sqlx::Error>(fresh)
    })?;
    tx.commit().await?;
    Ok(fresh)
}

/// # Errors
/// When the database can't be written.
pub async fn end(db: &Db, session: Uuid) -> Result<(), DbError> {
    let (mut tx, id) = (db.begin().await?, session.to_string());
    with_tx!(&mut tx, conn => {
        sqlx::query(END_REFRESH).bind(&id).execute(&mut *conn).await?;
        sqlx::query(END).bind(&id).execute(conn).await.map(drop)
    })?;
    tx.commit().await
}

/// All sessions of one person.
///
/// # Errors
/// When the database can't be written.
pub async fn end_all(db: &Db, user: UserId) -> Result<(), DbError> {
    let (mut tx, id) = (db.begin().await?, user.to_string());
    with_tx!(&mut tx, conn => {
        sqlx::query(END_ALL_REFRESH).bind(&id).execute(&mut *conn).await?;
        sqlx::query(END_ALL).bind(&id).execute(conn).await.map(drop)
    })?;
    tx.commit().await
}
