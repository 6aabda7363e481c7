//! Holding an account to its quota: in the transaction that appends what takes of it, so that two can't both take the
//! last place.

use std::sync::Arc;

use domain::{
    AccountId,
    quota::{Quota, Takes, Usage},
};
use futures_util::future::BoxFuture;

use crate::sabotage::{Safeguard, is_off};
use crate::{
    db::{Db, Tx, statements, with_db, with_tx},
    log::Rows,
    views::{AccountRow, ViewError},
};

statements! {
    one {
        // A copy that is being made counts as one until it is one that is kept, or none.
        USED = "SELECT COUNT(*), COALESCE(CAST(SUM(CAST(cores AS BIGINT)) AS BIGINT), 0),
                       COALESCE(CAST(SUM(CAST(memory_mb AS BIGINT)) AS BIGINT), 0),
                       COALESCE(CAST(SUM(CAST(disk_gb AS BIGINT)) AS BIGINT), 0)
                FROM reservations WHERE account = $1";
        KEPT = "SELECT COALESCE(CAST(SUM(CAST(snapshots AS BIGINT)) AS BIGINT), 0),
                       COALESCE(CAST(SUM(CAST(backups AS BIGINT)) AS BIGINT), 0)
                FROM copies_kept WHERE account = $1";
        MAKING = "SELECT COALESCE(SUM(CASE WHEN making = 'snapshot' THEN 1 ELSE 0 END), 0),
                         COALESCE(SUM(CASE WHEN making = 'backup' THEN 1 ELSE 0 END), 0)
                  FROM operations WHERE account = $1 AND making IS NOT NULL";
        ACCOUNT = "SELECT document FROM accounts WHERE id = $1";
    }
}

type Sums = (i64, i64, i64, i64);
type Copies = (i64, i64);

/// To go with an append that takes of the account's quota: it is refused when the quota would be passed.
#[must_use]
pub fn held(account: AccountId, takes: Takes) -> Arc<dyn Rows> {
    Arc::new(Held(account, takes))
}

struct Held(AccountId, Takes);

impl Rows for Held {
    fn looks_at(&self) -> Option<String> {
        Some(format!("{:?} of {}", self.1, self.0))
    }

    fn write<'a>(&'a self, tx: &'a mut Tx) -> BoxFuture<'a, Result<(), ViewError>> {
        Box::pin(async move {
            let id = self.0.to_string();
            let found: Option<String> =
                with_tx!(&mut *tx, conn => sqlx::query_scalar(ACCOUNT).bind(&id).fetch_optional(conn).await)?;
            let Some(document) = found else { return Err(ViewError::Refused("the account is closed".to_owned())) };
            let account: AccountRow = serde_json::from_str(&document).map_err(|source| ViewError::Row {
                view: "accounts",
                id: id.clone(),
                source,
            })?;
            // The sums grow with what the account has; who has no limit does not wait for them.
            if account.quota == Quota::default() {
                return Ok(());
            }
            let sums: Sums = with_tx!(&mut *tx, conn => sqlx::query_as(USED).bind(&id).fetch_one(conn).await)?;
            let kept: Copies = with_tx!(&mut *tx, conn => sqlx::query_as(KEPT).bind(&id).fetch_one(conn).await)?;
            let making: Copies = with_tx!(tx, conn => sqlx::query_as(MAKING).bind(&id).fetch_one(conn).await)?;
            match account.quota.passed_by(&usage(sums, kept, making), self.1) {
                over if over.is_empty() || is_off(Safeguard::Reservation) => Ok(()),
                over => Err(ViewError::OverQuota(over)),
            }
        })
    }
}

/// What the account has taken of its quota.
///
/// # Errors
/// When the database can't be read.
pub async fn used(db: &Db, account: AccountId) -> Result<Usage, ViewError> {
    let id = account.to_string();
    let sums: Sums = with_db!(db, pool => sqlx::query_as(USED).bind(&id).fetch_one(pool).await)?;
    let kept: Copies = with_db!(db, pool => sqlx::query_as(KEPT).bind(&id).fetch_one(pool).await)?;
    let making: Copies = with_db!(db, pool => sqlx::query_as(MAKING).bind(&id).fetch_one(pool).await)?;
    Ok(usage(sums, kept, making))
}

fn usage((containers, cores, memory_mb, disk_gb): Sums, kept: Copies, making: Copies) -> Usage {
    let [containers, cores, memory_mb, disk_gb] = [containers, cores, memory_mb, disk_gb].map(i64::unsigned_abs);
    let [snapshots, backups] = [kept.0 + making.0, kept.1 + making.1].map(i64::unsigned_abs);
    Usage { containers, cores, memory_mb, disk_gb, snapshots, backups }
}
