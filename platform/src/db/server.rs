//! Postgres. One of us and it may vanish without a word to the other (a host that lost its power, a firewall that
//! forgot a connection). TCP tells of that after a quarter of an hour, or never as long as we only wait for an answer;
//! so each side gives the other up by itself: we a question, Postgres a transaction of ours and the locks that it holds.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool, Postgres, Transaction};
use tokio::time::{Instant, timeout, timeout_at};

use super::{DbError, Options};

/// How long a Postgres that does not answer is waited for when we come to it first.
const REACH: Duration = Duration::from_secs(3);
/// For the appender, which uses one: the others are for when that one was given up and is still open.
const APPENDING: u32 = 4;
/// A connection that was used so recently is not asked whether it still lives.
const FRESH: Duration = Duration::from_secs(1);

/// A pool, and how long we wait for what is asked in it.
#[derive(Debug, Clone)]
pub struct Server {
    pub pool: PgPool,
    answer: Duration,
}

#[derive(Debug)]
pub struct ServerTx {
    pub tx: Transaction<'static, Postgres>,
    /// None: as long as it takes.
    pub(crate) answer: Option<Duration>,
}

impl Server {
    pub(super) async fn connect(url: &str, options: &Options) -> Result<Self, DbError> {
        let target = PgConnectOptions::from_str(url).map_err(DbError::Url)?.application_name("gantry");
        let place = format!("postgres {}:{}", target.get_host(), target.get_port());
        reach(&target).await.map_err(|source| DbError::Unreachable { place, source })?;
        let hello = hello(options.answer);
        let pool = pool(options.answer).max_connections(options.connections.max(2)).acquire_timeout(options.patience);
        let pool = pool.before_acquire(move |connection, kept| {
            Box::pin(async move {
                if kept.idle_for >= FRESH {
                    answered(hello, connection.ping()).await?;
                }
                Ok(true)
            })
        });
        Ok(Self { pool: pool.connect_lazy_with(target), answer: options.answer })
    }

    pub(super) fn for_appending(&self) -> Self {
        Self { pool: self.another(APPENDING), answer: self.answer }
    }

    /// For one listener, which may be left behind with it.
    pub(crate) fn for_listening(&self) -> PgPool {
        self.another(1)
    }

    fn another(&self, most: u32) -> PgPool {
        let pool = pool(self.answer).max_connections(most).acquire_timeout(Duration::from_secs(5));
        pool.connect_lazy_with(PgConnectOptions::clone(&self.pool.connect_options()))
    }

    pub(crate) const fn answer(&self) -> Option<Duration> {
        Some(self.answer)
    }

    pub(super) async fn begin(&self) -> Result<ServerTx, sqlx::Error> {
        Ok(ServerTx { tx: answered(self.answer(), self.pool.begin()).await?, answer: self.answer() })
    }

    /// Without limits, on either side.
    pub(super) async fn begin_long(&self) -> Result<ServerTx, sqlx::Error> {
        const LONG: &str = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";
        let mut tx = self.begin().await?;
        answered(tx.answer.take(), sqlx::raw_sql(LONG).execute(&mut *tx.tx)).await?;
        Ok(tx)
    }
}

impl ServerTx {
    pub(super) async fn commit(self) -> Result<(), sqlx::Error> {
        answered(self.answer, self.tx.commit()).await
    }

    pub(super) async fn rollback(self) -> Result<(), sqlx::Error> {
        answered(self.answer, self.tx.rollback()).await
    }
}

/// What Postgres is to do by itself, before we give up: a statement that is too slow, a transaction that nobody goes on
/// with, and a connection with nobody at its other end are over.
fn pool(answer: Duration) -> PgPoolOptions {
    let (statement, idle) = ((answer * 4 / 5).as_millis(), (answer / 2).as_millis());
    let limits = format!(
        "SET statement_timeout = {statement}; SET idle_in_transaction_session_timeout = {idle};
         SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;
         SET tcp_user_timeout = 25000"
    );
    let hello = hello(answer);
    PgPoolOptions::new()
        .after_connect(move |connection, _| {
            let limits = AssertSqlSafe(limits.clone());
            Box::pin(async move { sqlx::raw_sql(limits).execute(connection).await.map(drop) })
        })
        .test_before_acquire(false)
        // One that was left in the middle of a question may never answer, and is not to keep its place for that.
        .after_release(move |connection, _| {
            Box::pin(async move { answered(hello, connection.ping()).await.map(|()| true) })
        })
}

/// How long a connection that is not used has to say that it is there.
fn hello(answer: Duration) -> Option<Duration> {
    Some(answer / 10)
}

/// What is asked, or that there was no answer.
pub(crate) async fn answered<T>(
    within: Option<Duration>,
    asking: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let Some(limit) = within else { return asking.await };
    timeout(limit, asking).await.unwrap_or_else(|_| Err(silent(limit)))
}

fn silent(limit: Duration) -> sqlx::Error {
    let words = format!("it did not answer within {} s", limit.as_secs_f64());
    std::io::Error::new(std::io::ErrorKind::TimedOut, words).into()
}

/// The first connection. A server that is just starting gets a moment; a person at a terminal does not wait for long,
/// and hears the reason instead of the pool's "timed out".
async fn reach(target: &PgConnectOptions) -> Result<(), sqlx::Error> {
    let deadline = Instant::now() + REACH;
    let mut pause = Duration::from_millis(50);
    loop {
        let error = match timeout_at(deadline, PgConnection::connect_with(target)).await {
            Ok(Ok(connection)) => return connection.close().await,
            Ok(Err(error)) => error,
            Err(_) => return Err(silent(REACH)),
        };
        let starting = match &error {
            sqlx::Error::Io(_) => true,
            sqlx::Error::Database(error) => error.code().is_some_and(|code| code == "57P03"),
            _ => false,
        };
        if !starting || Instant::now() + pause >= deadline {
            return Err(error);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(500));
    }
}
