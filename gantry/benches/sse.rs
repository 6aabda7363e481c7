//! Watchers: how long from a record to who watches, and what each of them costs the API's process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_precision_loss,
    dead_code,
    reason = "a bench fails by panicking, its counts fit, and it stands on a part of what the tests stand on"
)]

#[path = "../tests/processes/cluster.rs"]
mod cluster;
#[path = "../tests/processes/ground.rs"]
mod ground;
#[path = "../tests/processes/processes.rs"]
mod processes;
#[path = "../tests/run/mod.rs"]
mod run;
#[path = "../../worker/tests/pipeline/tiny.rs"]
mod tiny;
#[path = "../tests/processes/wire.rs"]
mod wire;

use std::time::{Duration, Instant};

use domain::operation::{Accepted, Command as Asked, Given, Operation, OperationCommand};
use domain::{Aggregate as _, ContainerId, Event as _, Meta, OperationId};
use platform::clock;
use platform::coordination::Coordination;
use platform::log::{Append, Expected, Log};
use platform::series::records;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use uuid::Uuid;
use xtask::bench::{Aim, Figure, percentile};

use ground::{Backend, Ground};
use processes::Process;

const SIZES: [usize; 5] = [10, 100, 1_000, 2_000, 10_000];
/// At which the aims are.
const AIMED: usize = 2_000;
/// Operations that are watched.
const WATCHED: usize = 200;
const DELIVERIES_PER_SECOND: usize = 2_000;
const MOST_RECORDS_PER_SECOND: usize = 200;
const FOR: Duration = Duration::from_secs(6);

/// The server's process, and what is needed to ask it.
struct Server {
    process: Process,
    address: String,
    token: String,
}

impl Server {
    async fn start(ground: &Ground) -> Self {
        let (process, url) = Process::api(ground).await;
        Self { process, address: url.trim_start_matches("http://").to_owned(), token: ground.token.clone() }
    }

    fn kibibytes(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse().unwrap()
    }
}

/// Tells how long ago each record that it reads was begun to be written, in microseconds.
async fn watch(server: &Server, id: OperationId, took: mpsc::UnboundedSender<i64>) {
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    let request = format!(
        "GET /v1/operations/{id}/events HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {}\r\n\r\n",
        server.token
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut buffer = vec![0; 4096];
    let mut text = String::new();
    // The first event tells that the watcher is in.
    while !text.contains("event: snapshot") {
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "{text}");
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    tokio::spawn(async move {
        loop {
            let read = stream.read(&mut buffer).await.unwrap_or(0);
            if read == 0 {
                return;
            }
            let now = clock::now().timestamp_micros();
            let text = String::from_utf8_lossy(&buffer[..read]);
            for (at, mark) in text.match_indices("\"sent\":") {
                let digits: String = text[at + mark.len()..].chars().take_while(char::is_ascii_digit).collect();
                let _ = took.send(now - digits.parse::<i64>().unwrap());
            }
        }
    });
}

async fn operation(log: &Log) -> OperationId {
    let id = OperationId::new(Uuid::now_v7());
    let command = Asked::CreateContainer { container: ContainerId::new(Uuid::now_v7()), keep_on_failure: false };
    let accept = OperationCommand::Accept(Accepted::new(command, None, None));
    let events = Operation::default().decide(accept, &Given { now: clock::now() }).unwrap();
    let events = events.iter().map(|event| event.encode().unwrap()).collect();
    log.append(Append::new(Meta::system("bench")).stream(Operation::stream(id), Expected::New, events)).await.unwrap();
    id
}

#[tokio::main]
async fn main() {
    let ground =
        Ground::with(Backend::Postgres, &[], sim::Options { dry_shell: true, ..sim::Options::default() }).await;
    let (log, coordination) = (ground.log().await, ground.coordination().await);
    let mut watched = Vec::new();
    for _ in 0..WATCHED {
        watched.push(operation(&log).await);
    }
    let server = Server::start(&ground).await;
    let (took, mut delays) = mpsc::unbounded_channel();
    // The first watchers also pay for what is there once: pools, threads, caches.
    for id in watched.iter().take(50) {
        watch(&server, *id, took.clone()).await;
    }
    let before = server.kibibytes();
    let mut there = 0;
    for size in SIZES {
        while there < size {
            watch(&server, watched[there % WATCHED], took.clone()).await;
            there += 1;
        }
        // Who comes late is told of what was before.
        while let Ok(Some(_)) = tokio::time::timeout(Duration::from_secs(1), delays.recv()).await {}
        let each = (server.kibibytes() - before) / size as f64;
        let figure = Figure::new("sse", "memory of each watcher", each, "KiB").at(size as f64);
        if size == AIMED { figure.aim(Aim::AtMost(16.0)) } else { figure }.print();
        let heard = deliver(&log, &coordination, &watched[..WATCHED.min(size)], size, &mut delays).await;
        for percent in [50.0, 99.0] {
            let figure =
                Figure::new("sse", format!("record to watcher, p{percent}"), percentile(&heard, percent), "ms");
            let figure = figure.at(size as f64);
            if size == AIMED && percent > 50.0 { figure.aim(Aim::AtMost(10.0)) } else { figure }.print();
        }
    }
}

/// Writes records for a while, and says how long each took to each watcher, in milliseconds.
async fn deliver(
    log: &Log,
    coordination: &Coordination,
    watched: &[OperationId],
    watchers: usize,
    delays: &mut mpsc::UnboundedReceiver<i64>,
) -> Vec<f64> {
    let of_each = watchers / watched.len();
    let records = (DELIVERIES_PER_SECOND / of_each).min(MOST_RECORDS_PER_SECOND);
    let began = Instant::now();
    let mut tick = tokio::time::interval(Duration::from_secs(1) / u32::try_from(records).unwrap());
    let mut written = 0_usize;
    while began.elapsed() < FOR {
        tick.tick().await;
        let id = watched[written % watched.len()];
        written += 1;
        let (db, bus) = (log.db().clone(), coordination.bus().clone());
        tokio::spawn(async move {
            let now = clock::now();
            let line = json!({ "type": "log", "source": "bench", "stream": "stdout", "message": "x".repeat(80), "sent": now.timestamp_micros() });
            let stored = records::append(&db, &records::of_operation(id), None, &[line], now).await.unwrap();
            bus.publish(&format!("operation:{id}"), stored.last.unsigned_abs()).await;
        });
    }
    let mut heard = Vec::new();
    while let Ok(Some(micros)) = tokio::time::timeout(Duration::from_secs(1), delays.recv()).await {
        heard.push(micros as f64 / 1000.0);
    }
    assert!(heard.len() >= written * of_each, "{} of {written} records were heard", heard.len());
    heard
}
