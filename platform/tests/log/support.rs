//! A database of its own for each test, and an aggregate to fill it with.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::container::{Container, ContainerCommand, Request};
use domain::{AccountId, Aggregate, ContainerId, Event, Meta, NewEvent, OperationId, StreamId};
use platform::{
    clock::{self, Clock},
    db::{Db, Options},
    log::{Append, Expected, Log},
    views::View,
};
use serde::{Deserialize, Serialize};
use sqlx::Connection as _;
use uuid::Uuid;

/// Generates each test for SQLite, and for Postgres where there is one.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::support::Base::sqlite().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs Postgres: cargo xtask test"]
            async fn $name() {
                super::$name($crate::support::Base::postgres().await).await;
            })+
        }
    };
}
pub(crate) use on_both;

/// An empty database.
pub(crate) struct Base {
    pub(crate) url: String,
    _directory: Option<tempfile::TempDir>,
}

impl Base {
    pub(crate) async fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("gantry.db").display());
        Self { url, _directory: Some(directory) }
    }

    #[expect(clippy::disallowed_methods, reason = "xtask tells the tests where its servers are")]
    pub(crate) async fn postgres() -> Self {
        let server = std::env::var("GANTRY_TEST_POSTGRES_URL")
            .expect("run by `cargo xtask test`, which sets GANTRY_TEST_POSTGRES_URL");
        Self::on_postgres(&server).await
    }

    pub(crate) async fn on_postgres(server: &str) -> Self {
        let name = format!("log_{}", Uuid::now_v7().simple());
        let mut admin = sqlx::PgConnection::connect(server).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut admin).await.unwrap();
        let (front, _) = server.rsplit_once('/').filter(|(front, _)| !front.ends_with('/')).unwrap_or((server, ""));
        Self { url: format!("{front}/{name}"), _directory: None }
    }

    pub(crate) async fn db(&self) -> Db {
        Db::connect(&self.url, &Options::default()).await.unwrap()
    }

    pub(crate) async fn log(&self) -> Log {
        self.log_with(Vec::new()).await
    }

    pub(crate) async fn log_with(&self, views: Vec<Arc<dyn View>>) -> Log {
        let db = self.db().await;
        db.migrate(clock::now()).await.unwrap();
        Log::open(db, views, ticking()).await.unwrap()
    }
}

/// A second for each look, from a fixed begin.
pub(crate) fn ticking() -> Clock {
    let ticks = std::sync::atomic::AtomicI64::new(0);
    Clock::from_fn(move || at(ticks.fetch_add(1, std::sync::atomic::Ordering::Relaxed)))
}

pub(crate) fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap() + TimeDelta::seconds(second)
}

pub(crate) fn meta() -> Meta {
    Meta::system("test")
}

/// Changes a table behind the log's back.
pub(crate) async fn tamper(db: &Db, sql: &str) {
    let sql = sqlx::AssertSqlSafe(sql.to_owned());
    match db {
        Db::Postgres(server) => sqlx::raw_sql(sql).execute(&server.pool).await.map(drop).unwrap(),
        Db::Sqlite(lite) => sqlx::raw_sql(sql).execute(&lite.write).await.map(drop).unwrap(),
    }
}

/// Counts, and refuses to go over ten.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Counter(pub(crate) i64);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub(crate) enum Counted {
    #[serde(rename = "counter.added")]
    Added { amount: i64, note: String },
}

impl Event for Counted {}

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("that would be over ten")]
pub(crate) struct OverTen;

impl Aggregate for Counter {
    const CATEGORY: &'static str = "counter";
    type Id = Uuid;
    type Command = i64;
    type Event = Counted;
    type Rejection = OverTen;
    type Given = ();

    fn decide(&self, add: i64, (): &()) -> Result<Vec<Counted>, OverTen> {
        match add {
            0 => Ok(Vec::new()),
            _ if self.0 + add > 10 => Err(OverTen),
            _ => Ok(vec![Counted::Added { amount: add, note: "ü \"quoted\" \\ 1e300".into() }]),
        }
    }

    fn evolve(self, Counted::Added { amount, .. }: &Counted) -> Self {
        Self(self.0 + amount)
    }
}

pub(crate) fn added(amount: i64) -> NewEvent {
    Counted::Added { amount, note: "test".into() }.encode().unwrap()
}

pub(crate) fn counter() -> StreamId {
    Counter::stream(Uuid::now_v7())
}

/// One append of so many events to one stream.
pub(crate) fn append(stream: &StreamId, expected: Expected, events: i64) -> Append {
    Append::new(meta()).stream(stream.clone(), expected, (1..=events).map(added).collect())
}

/// A container that was asked for, with the operation that is to make it.
pub(crate) fn requested(account: AccountId) -> (ContainerId, OperationId, Vec<NewEvent>) {
    let (container, operation) = (ContainerId::new(Uuid::now_v7()), OperationId::new(Uuid::now_v7()));
    let spec = serde_json::json!({ "hostname": format!("c{container}"), "source": { "template": "plain" },
        "cores": 1, "memory_mb": 512, "swap_mb": 0, "disk_gb": 8 });
    let request = Request {
        spec: serde_json::from_value(spec).unwrap(),
        operation,
        account: Some(account),
        placement: None,
        template: None,
        root_password: None,
        inputs: None,
    };
    let events = Container::default().decide(ContainerCommand::Request(Box::new(request)), &()).unwrap();
    (container, operation, events.iter().map(|event| event.encode().unwrap()).collect())
}
