//! Who vanishes without a word is given up: by Postgres, which would otherwise keep locks for a process that is not any
//! more, and by us.

use std::time::Duration;

use platform::db::{Db, DbError, Options, Tx};
use platform::log::Expected;

use crate::support::{Base, append, counter};

/// Postgres ends a statement after 4/5 of it, and a transaction that nobody goes on with after half.
const ANSWER: Duration = Duration::from_millis(1500);

async fn impatient(base: &Base) -> Db {
    Db::connect(&base.url, &Options { answer: ANSWER, ..Options::default() }).await.unwrap()
}

#[tokio::test]
#[ignore = "needs Postgres: cargo xtask test"]
async fn a_transaction_that_nobody_goes_on_with_gives_up_its_locks() {
    let base = Base::postgres().await;
    let log = base.log().await;
    let mut vanished = impatient(&base).await.begin().await.unwrap();
    let Tx::Postgres(held) = &mut vanished else { panic!("this is Postgres") };
    sqlx::query("UPDATE log_head SET position = position").execute(&mut *held.tx).await.unwrap();
    // It waits for the lock that the other holds; without its end it would give up.
    log.append(append(&counter(), Expected::New, 1)).await.unwrap();
    let error = vanished.commit().await.unwrap_err();
    assert!(error.is_outage(), "{error}");
}

#[tokio::test]
#[ignore = "needs Postgres: cargo xtask test"]
async fn what_is_too_slow_is_ended_unless_it_may_be() {
    let base = Base::postgres().await;
    let db = impatient(&base).await;
    let Db::Postgres(server) = &db else { panic!("this is Postgres") };
    let error = DbError::from(sqlx::query("SELECT pg_sleep(60)").execute(&server.pool).await.unwrap_err());
    assert!(error.is_outage(), "{error}");
    db.ping().await.unwrap();

    let mut long = db.begin_long().await.unwrap();
    let Tx::Postgres(held) = &mut long else { panic!("this is Postgres") };
    sqlx::query("SELECT pg_sleep(2)").execute(&mut *held.tx).await.unwrap();
    long.commit().await.unwrap();
}
