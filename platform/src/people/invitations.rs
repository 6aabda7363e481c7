//! Who was asked in and has not answered yet. Written with the events that speak of it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::invitation::Seat;
use domain::{AccountId, InvitationId, Role};
use futures_util::future::BoxFuture;

use crate::{
    db::{Db, DbError, Tx, from_micros, micros, statements, with_db, with_tx},
    log::Rows,
    views::ViewError,
};

statements! {
    one {
        ADD = "INSERT INTO invitations (id, hash, email, account, role, until, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
        BY_HASH = "SELECT id, email, account, role, until, created_at FROM invitations WHERE hash = $1";
        OF_ACCOUNT = "SELECT id, email, account, role, until, created_at FROM invitations
                      WHERE account = $1 AND until > $2 ORDER BY created_at DESC, id LIMIT 500";
        OF_ALL = "SELECT id, email, account, role, until, created_at FROM invitations
                  WHERE until > $1 ORDER BY created_at DESC, id LIMIT 500";
        TAKE = "DELETE FROM invitations WHERE id = $1";
        EXPIRE = "DELETE FROM invitations WHERE until <= $1";
    }
}

#[derive(Clone)]
pub struct Invited {
    pub id: InvitationId,
    pub email: String,
    pub seat: Option<Seat>,
    pub until: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
}

/// It names a person: not for the log.
impl std::fmt::Debug for Invited {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Invited").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A change that belongs to an event, for its append.
#[derive(Debug, Clone)]
pub enum Change {
    Add {
        invited: Invited,
        hash: String,
    },
    /// Refused when somebody was faster.
    Take {
        id: InvitationId,
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
                Self::Add { invited, hash } => {
                    let (account, role) = invited.seat.map(|seat| (seat.account.to_string(), seat.role.word())).unzip();
                    with_tx!(tx, conn => {
                        sqlx::query(EXPIRE).bind(micros(invited.created_at)).execute(&mut *conn).await?;
                        sqlx::query(ADD).bind(invited.id.to_string()).bind(hash).bind(&invited.email).bind(account)
                            .bind(role).bind(micros(invited.until)).bind(micros(invited.created_at))
                            .execute(conn).await.map(drop)
                    })?;
                }
                Self::Take { id } => {
                    let gone = with_tx!(tx, conn => sqlx::query(TAKE).bind(id.to_string())
                        .execute(conn).await.map(|done| done.rows_affected()))?;
                    if gone == 0 {
                        return Err(ViewError::Refused("the invitation was answered already".to_owned()));
                    }
                }
            }
            Ok(())
        })
    }
}

type Columns = (String, String, Option<String>, Option<String>, i64, i64);

fn invited((id, email, account, role, until, created_at): Columns) -> Option<Invited> {
    let seat = match (account, role) {
        (Some(account), Some(role)) => Some(Seat {
            account: account.parse().ok()?,
            role: Role::ALL.into_iter().find(|known| known.word() == role)?,
        }),
        _ => None,
    };
    let (until, created_at) = (from_micros(until), from_micros(created_at));
    Some(Invited { id: id.parse().ok()?, email, seat, until, created_at })
}

/// # Errors
/// When the database can't be read.
pub async fn by_hash(db: &Db, hash: &str) -> Result<Option<Invited>, DbError> {
    let row: Option<Columns> = with_db!(db, pool => sqlx::query_as(BY_HASH).bind(hash).fetch_optional(pool).await)?;
    Ok(row.and_then(invited))
}

/// Those that are open; of all accounts when none is named.
///
/// # Errors
/// When the database can't be read.
pub async fn open(db: &Db, account: Option<AccountId>, now: DateTime<Utc>) -> Result<Vec<Invited>, DbError> {
    let now = micros(now);
    let rows: Vec<Columns> = match account.map(|id| id.to_string()) {
        Some(id) => with_db!(db, pool => sqlx::query_as(OF_ACCOUNT).bind(&id).bind(now).fetch_all(pool).await)?,
        None => with_db!(db, pool => sqlx::query_as(OF_ALL).bind(now).fetch_all(pool).await)?,
    };
    Ok(rows.into_iter().filter_map(invited).collect())
}
