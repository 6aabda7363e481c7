//! Events folded per second from SQLite: what a restart of a follower, a time travel or a rebuild is made of.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a bench fails by panicking, and its counts fit"
)]

use std::{collections::HashMap, time::Instant};

use domain::{
    Aggregate as _, ContainerId, Event as _, Meta, OperationId, Position, Version,
    operation::{Accepted, Command, Operation, OperationEvent},
};
use platform::{
    clock::{self, Clock},
    db::{Db, Options},
    log::{Append, Expected, Log, Replaying},
    views,
};
use uuid::Uuid;
use xtask::bench::{Aim, Figure, median};

const STREAMS: usize = 10_000;
const ROUNDS: usize = 5;

fn history() -> Vec<OperationEvent> {
    let accepted = Accepted::new(Command::StartContainer { container: ContainerId::new(Uuid::now_v7()) }, None, None);
    let steps: Vec<_> = accepted.pipeline.table().steps().map(|step| step.name).collect();
    let mut events = vec![OperationEvent::Accepted(accepted), OperationEvent::Claimed { worker: "worker-1".into() }];
    for step in steps.iter().cycle().take(9) {
        events.push(OperationEvent::StepStarted {
            step: *step,
            attempt: 1,
            intent: serde_json::json!({ "vmid": 4711, "node": "pve1" }),
        });
        events.push(OperationEvent::StepSucceeded {
            step: *step,
            fact: serde_json::json!({ "upid": "UPID:pve1:00001234" }),
        });
    }
    events
}

async fn filled(log: &Log) -> i64 {
    for _ in 0..STREAMS / 100 {
        let mut append = Append::new(Meta::system("bench"));
        for _ in 0..100 {
            let events = history().iter().map(|event| event.encode().unwrap()).collect();
            append = append.stream(Operation::stream(OperationId::new(Uuid::now_v7())), Expected::New, events);
        }
        log.append(append).await.unwrap();
    }
    log.end().await.unwrap().position.0
}

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
    let end = filled(&log).await;

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
