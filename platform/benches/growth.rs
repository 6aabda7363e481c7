//! Whether what is done every moment gets slower as the log gets longer. It may not: everything goes by an index.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a bench fails by panicking, and its counts fit"
)]

mod history;

use std::time::Instant;

use domain::{
    Aggregate as _, Event as _, Meta, OperationId, Position, Version,
    operation::{Operation, OperationEvent, Status},
};
use platform::{
    clock::{self, Clock},
    db::{Db, Options},
    log::{Append, Expected, Log},
    views::{self, OperationFilter, OperationRow, Page},
};
use uuid::Uuid;
use xtask::bench::{Aim, Figure, median};
use xtask::servers;

/// Events in the log. Ten millions are measured too when the bench is given `--full`: that takes minutes and gigabytes.
const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];
const FULL: usize = 10_000_000;
const ROUNDS: usize = 200;
/// How much slower the largest may be than the smallest.
const MOST: f64 = 1.3;

async fn milliseconds<F: Future>(mut once: impl FnMut() -> F) -> f64 {
    let mut took = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let from = Instant::now();
        once().await;
        took.push(from.elapsed().as_secs_f64() * 1000.0);
    }
    median(&took)
}

/// Name and milliseconds of each thing that is done all the time.
async fn measured(log: &Log) -> Vec<(&'static str, f64)> {
    let append = milliseconds(|| async {
        log.append(history::operation(Append::new(Meta::system("bench")))).await.unwrap();
    });
    let there = Operation::stream(OperationId::new(Uuid::now_v7()));
    let begun = history::history()[0].encode().unwrap();
    log.append(Append::new(Meta::system("bench")).stream(there.clone(), Expected::New, vec![begun])).await.unwrap();
    let more = milliseconds(|| async {
        let claimed = OperationEvent::Claimed { worker: "worker-1".into() }.encode().unwrap();
        let event = Append::new(Meta::system("bench")).stream(there.clone(), Expected::Any, vec![claimed]);
        log.append(event).await.unwrap();
    });
    let newest = Page { limit: 50, ..Page::default() };
    let list = milliseconds(|| async {
        views::page::<OperationRow>(log.db(), &OperationFilter::default(), &newest).await.unwrap();
    });
    let none = OperationFilter { status: vec![Status::Failed], ..OperationFilter::default() };
    let filtered = milliseconds(|| async {
        views::page::<OperationRow>(log.db(), &none, &newest).await.unwrap();
    });
    let stream = log.read(Position(0), 1).await.unwrap().remove(0).stream;
    let load = milliseconds(|| async {
        log.stream(&stream, Version(0)).await.unwrap();
    });
    vec![
        ("an operation appended", append.await),
        ("an event appended to an operation", more.await),
        ("the newest 50 operations listed", list.await),
        ("the failed operations listed, of which there are none", filtered.await),
        ("a stream loaded", load.await),
    ]
}

#[tokio::main]
async fn main() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", directory.path().join("gantry.db").display());
    grow("sqlite", &url).await;
    let server = servers::Postgres::start().unwrap();
    grow("postgres", &server.url()).await;
}

async fn grow(backend: &str, url: &str) {
    let db = Db::connect(url, &Options::default()).await.unwrap();
    db.migrate(clock::now()).await.unwrap();
    let log = Log::open(db, views::all(), Clock::system()).await.unwrap();
    let full = std::env::args().any(|argument| argument == "--full");
    let mut first: Vec<(&str, f64)> = Vec::new();
    let mut end = 0;
    for size in SIZES.into_iter().chain(full.then_some(FULL)) {
        let missing = size.saturating_sub(usize::try_from(end).unwrap());
        end = history::fill(&log, missing / history::history().len()).await;
        let now = measured(&log).await;
        for (n, (name, value)) in now.iter().enumerate() {
            let figure = Figure::new("growth", format!("{backend}: {name}"), *value, "ms").at(size as f64);
            match first.get(n) {
                Some((_, small)) => figure.limit(*small).aim(Aim::RatioAtMost(MOST)).print(),
                None => figure.print(),
            }
        }
        if first.is_empty() {
            first = now;
        }
    }
}
