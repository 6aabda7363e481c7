//! Appends per second, against the database's plain autocommit insert of the same row: no order, no chain, no versions.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a bench fails by panicking, and its counts fit"
)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use domain::{Meta, NewEvent, StreamId, Version};
use futures_util::future::join_all;
use platform::{
    clock::{self, Clock},
    db::{Db, Options},
    log::{Append, Expected, Log},
};
use serde_json::json;
use sqlx::{Executor as _, postgres::PgPoolOptions};
use uuid::Uuid;
use xtask::{
    bench::{Aim, Figure, median},
    servers,
};

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(1200);
const INSERT: &str = "INSERT INTO plain (stream, version, kind, kind_version, data, meta, recorded_at, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const COLUMNS: &str = "stream TEXT NOT NULL, version BIGINT NOT NULL, kind TEXT NOT NULL, kind_version BIGINT NOT NULL, data TEXT NOT NULL,
    meta TEXT NOT NULL, recorded_at BIGINT NOT NULL, UNIQUE (stream, version)";

fn event(n: i64) -> NewEvent {
    let data = json!({ "step": "copy-files", "attempt": n, "intent": { "vmid": 4711, "node": "pve1", "storage": "local-lvm",
        "hostname": "web-4711.example.org", "template": "nginx", "bridge": "vmbr0", "note": "x".repeat(120) } });
    NewEvent { kind: "operation.step_started".into(), kind_version: 1, data }
}

/// Runs the clients for one round; says how many they did in a second.
async fn round<F: Future<Output = ()> + Send + 'static>(
    clients: usize,
    client: impl Fn(Arc<AtomicBool>, Arc<AtomicI64>) -> F,
) -> f64 {
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicI64::new(0)));
    let running: Vec<_> = (0..clients).map(|_| tokio::spawn(client(stop.clone(), done.clone()))).collect();
    let started = Instant::now();
    tokio::time::sleep(ROUND).await;
    stop.store(true, Ordering::Relaxed);
    join_all(running).await.into_iter().for_each(Result::unwrap);
    done.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64()
}

async fn appends(log: &Log, clients: usize) -> f64 {
    round(clients, |stop, done| {
        let log = log.clone();
        async move {
            let stream = StreamId::new("operation", Uuid::now_v7());
            let mut expected = Expected::New;
            for n in 1.. {
                let append = Append::new(Meta::system("bench")).stream(stream.clone(), expected, vec![event(n)]);
                log.append(append).await.unwrap();
                expected = Expected::Version(Version(n));
                done.fetch_add(1, Ordering::Relaxed);
                if stop.load(Ordering::Relaxed) {
                    return;
                }
            }
        }
    })
    .await
}

/// The plain insert; a macro because each database has its own types.
macro_rules! plain {
    ($pool:expr, $clients:expr) => {
        round($clients, |stop, done| {
            let pool = $pool.clone();
            async move {
                let stream = format!("operation-{}", Uuid::now_v7());
                let meta = serde_json::to_string(&Meta::system("bench")).unwrap();
                for n in 1_i64.. {
                    let data = event(n).data.to_string();
                    let insert = sqlx::query(INSERT).bind(&stream).bind(n).bind("operation.step_started").bind(1_i64);
                    insert
                        .bind(data)
                        .bind(&meta)
                        .bind(clock::now().timestamp_micros())
                        .bind(&[7_u8; 32][..])
                        .execute(&pool)
                        .await
                        .unwrap();
                    done.fetch_add(1, Ordering::Relaxed);
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                }
            }
        })
        .await
    };
}

async fn measure(engine: &'static str, db: &Db, plain_postgres: Option<&sqlx::PgPool>) {
    db.migrate(clock::now()).await.unwrap();
    match db {
        Db::Postgres(server) => {
            let table = format!(
                "CREATE TABLE plain (position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, hash BYTEA NOT NULL, {COLUMNS})"
            );
            server.pool.execute(sqlx::AssertSqlSafe(table)).await.map(drop).unwrap();
        }
        Db::Sqlite(lite) => {
            let table = format!("CREATE TABLE plain (position INTEGER PRIMARY KEY, hash BLOB NOT NULL, {COLUMNS})");
            lite.write.execute(sqlx::AssertSqlSafe(table)).await.map(drop).unwrap();
        }
    }
    let log = Log::open(db.clone(), Vec::new(), Clock::system()).await.unwrap();
    for clients in [1, 16, 64] {
        let (mut ours, mut plain) = (Vec::new(), Vec::new());
        for turn in 0..=ROUNDS {
            let (one, other) = (
                match (db, plain_postgres) {
                    (Db::Sqlite(lite), _) => plain!(lite.write, clients),
                    (Db::Postgres(_), Some(pool)) => plain!(pool, clients),
                    (Db::Postgres(server), None) => plain!(server.pool, clients),
                },
                appends(&log, clients).await,
            );
            // The first turn warms up.
            if turn > 0 {
                plain.push(one);
                ours.push(other);
            }
        }
        let figure = Figure::new("log", format!("{engine}, {clients} clients"), median(&ours), "appends/s")
            .limit(median(&plain));
        match (engine, clients) {
            ("sqlite", 16) => figure.aim(Aim::RatioAtLeast(3.0)),
            ("sqlite", 64) => figure.aim(Aim::RatioAtLeast(5.0)),
            ("postgres", 16) => figure.aim(Aim::RatioAtLeast(1.0)),
            ("postgres", 64) => figure.aim(Aim::RatioAtLeast(1.3)),
            _ => figure,
        }
        .print();
    }
    log.verify().await.unwrap();
}

#[tokio::main]
async fn main() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", directory.path().join("gantry.db").display());
    measure("sqlite", &Db::connect(&url, &Options::default()).await.unwrap(), None).await;

    let server = servers::Postgres::start().unwrap();
    let db = Db::connect(&server.url(), &Options::default()).await.unwrap();
    let plain = PgPoolOptions::new()
        .max_connections(64)
        .min_connections(64)
        .test_before_acquire(false)
        .connect(&server.url())
        .await
        .unwrap();
    measure("postgres", &db, Some(&plain)).await;
}
