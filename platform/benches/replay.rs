//! Events folded per second from SQLite: what a restart of a follower, a time travel or a rebuild is made of.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a bench fails by panicking, and its counts fit"
)]

mod history;

use std::{collections::HashMap, time::Instant};

use domain::{
    Aggregate as _, Position, Version,
    operation::{Operation, OperationEvent},
};
use platform::{
    clock::{self, Clock},
    db::{Db, Options},
    log::{Log, Replaying},
    views,
};
use xtask::bench::{Aim, Figure, median};

const STREAMS: usize = 10_000;
const ROUNDS: usize = 5;

/// Reads all of the log and folds every stream's state.
async fn fold(log: &Log, end: i64) -> usize {
    let mut states: HashMap<String, Operation> = HashMap::new();
    log.scan(Position(0), Position(end), |recorded| {
        let event = recorded.event::<OperationEvent>().unwrap();
        let state = states.entry(recorded.stream.as_str().to_owned()).or_default();
        *state = std::mem::take(state).evolve(&event);
        Ok(())
    })
    .await
    .unwrap();
    states.len()
}

#[tokio::main]
async fn main() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", directory.path().join("gantry.db").display());
    let db = Db::connect(&url, &Options::default()).await.unwrap();
    db.migrate(clock::now()).await.unwrap();
    let log = Log::open(db, views::all(), Clock::system()).await.unwrap();
    let end = history::fill(&log, STREAMS).await;

    let mut rates = Vec::new();
    for round in 0..=ROUNDS {
        let started = Instant::now();
        assert_eq!(fold(&log, end).await, STREAMS);
        if round > 0 {
            rates.push(end as f64 / started.elapsed().as_secs_f64());
        }
    }
    Figure::new("replay", "folded from sqlite", median(&rates), "events/s").aim(Aim::AtLeast(200_000.0)).print();

    let started = Instant::now();
    assert!(log.replay(Replaying::Compare).await.unwrap().agrees());
    Figure::new("replay", "read models rebuilt and compared", end as f64 / started.elapsed().as_secs_f64(), "events/s")
        .print();

    let one = log.read(Position(0), 1).await.unwrap().remove(0).stream;
    let started = Instant::now();
    for _ in 0..1000 {
        log.stream(&one, Version(0)).await.unwrap();
    }
    Figure::new("replay", "a stream of 20 loaded", started.elapsed().as_secs_f64() * 1000.0, "µs").print();
}
