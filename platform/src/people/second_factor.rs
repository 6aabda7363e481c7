//! A person's second factor: where its secret is sealed, which code was used last, and the codes for who lost it. Written
//! with the events that speak of it.

use std::sync::Arc;

use domain::{SealedId, UserId};
use futures_util::future::BoxFuture;

use crate::{
    db::{Db, DbError, Tx, statements, with_db, with_tx},
    log::Rows,
    views::ViewError,
};

statements! {
    one {
        FIND = "SELECT sealed, confirmed, last_step FROM second_factors WHERE person = $1";
        LEFT = "SELECT COUNT(*) FROM recovery_codes WHERE person = $1";
        BEGIN = "INSERT INTO second_factors (person, sealed, confirmed, last_step) VALUES ($1, $2, 0, 0)
                 ON CONFLICT (person) DO UPDATE SET sealed = excluded.sealed, last_step = 0
                 WHERE second_factors.confirmed = 0";
        CONFIRM = "UPDATE second_factors SET confirmed = 1, last_step = $2 WHERE person = $1 AND confirmed = 0";
        USE = "UPDATE second_factors SET last_step = $2 WHERE person = $1 AND confirmed = 1 AND last_step < $2";
        END = "DELETE FROM second_factors WHERE person = $1";
        ADD_CODE = "INSERT INTO recovery_codes (hash, person) VALUES ($1, $2)";
        TAKE_CODE = "DELETE FROM recovery_codes WHERE hash = $1 AND person = $2";
        END_CODES = "DELETE FROM recovery_codes WHERE person = $1";
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Factor {
    pub sealed: SealedId,
    /// Its holder has shown that they have it: from then on it is asked for.
    pub confirmed: bool,
    /// Codes up to here were used, or passed.
    pub last_step: i64,
}

/// A change that belongs to an event, for its append. Each is refused when somebody was faster.
#[derive(Clone)]
pub enum Change {
    Begin {
        user: UserId,
        sealed: SealedId,
    },
    Confirm {
        user: UserId,
        step: i64,
        codes: Vec<String>,
    },
    /// A code is good for one use.
    Use {
        user: UserId,
        step: i64,
    },
    TakeCode {
        user: UserId,
        hash: String,
    },
    End {
        user: UserId,
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
            let changed = match self {
                Self::Begin { user, sealed } => {
                    with_tx!(tx, conn => sqlx::query(BEGIN).bind(user.to_string()).bind(sealed.to_string())
                        .execute(conn).await.map(|done| done.rows_affected()))?
                }
                Self::Confirm { user, step, codes } => {
                    let user = user.to_string();
                    with_tx!(tx, conn => {
                        for code in codes {
                            sqlx::query(ADD_CODE).bind(code).bind(&user).execute(&mut *conn).await?;
                        }
                        sqlx::query(CONFIRM).bind(&user).bind(*step).execute(conn).await.map(|done| done.rows_affected())
                    })?
                }
                Self::Use { user, step } => with_tx!(tx, conn => sqlx::query(USE).bind(user.to_string()).bind(*step)
                        .execute(conn).await.map(|done| done.rows_affected()))?,
                Self::TakeCode { user, hash } => {
                    with_tx!(tx, conn => sqlx::query(TAKE_CODE).bind(hash).bind(user.to_string())
                        .execute(conn).await.map(|done| done.rows_affected()))?
                }
                Self::End { user } => {
                    let user = user.to_string();
                    with_tx!(tx, conn => {
                        sqlx::query(END_CODES).bind(&user).execute(&mut *conn).await?;
                        sqlx::query(END).bind(&user).execute(conn).await.map(drop)
                    })?;
                    1
                }
            };
            if changed == 0 { Err(ViewError::Refused("it was used already".to_owned())) } else { Ok(()) }
        })
    }
}

/// # Errors
/// When the database can't be read.
pub async fn find(db: &Db, user: UserId) -> Result<Option<Factor>, DbError> {
    let row: Option<(String, i64, i64)> =
        with_db!(db, pool => sqlx::query_as(FIND).bind(user.to_string()).fetch_optional(pool).await)?;
    Ok(row.and_then(|(sealed, confirmed, last_step)| {
        Some(Factor { sealed: sealed.parse().ok()?, confirmed: confirmed != 0, last_step })
    }))
}

/// How many codes for who lost it are left.
///
/// # Errors
/// When the database can't be read.
pub async fn codes_left(db: &Db, user: UserId) -> Result<u64, DbError> {
    let left: i64 = with_db!(db, pool => sqlx::query_scalar(LEFT).bind(user.to_string()).fetch_one(pool).await)?;
    Ok(left.unsigned_abs())
}
