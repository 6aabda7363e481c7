//! Watchers: how long from a record to who watches, and what each of them costs. The server is a process of its own,
//! this same program called again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench fails by panicking, its server tells its address, and its counts fit"
)]

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::access::Access;
use api::live::LiveStates;
use api::{App, Settings};
use domain::operation::{Accepted, Command as Asked, Given, Operation, OperationCommand};
use domain::{Aggregate as _, ContainerId, Event as _, Meta, OperationId};
use platform::catalogue::Catalogue;
use platform::clock::{self, Clock};
use platform::coordination::Coordination;
use platform::db::{Db, Options};
use platform::log::{Append, Expected, Log};
use platform::series::records;
use platform::vault::{Keys, Vault};
use platform::{bootstrap, views};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use xtask::bench::{Aim, Figure, percentile};
use xtask::servers::{Postgres, Redis};

const WATCHERS: usize = 2000;
/// Operations that are watched, by ten each.
const WATCHED: usize = 200;
const RECORDS_PER_SECOND: u32 = 200;
const FOR: Duration = Duration::from_secs(10);
const SERVER: &str = "GANTRY_BENCH_SERVER";

async fn log(database: &str) -> Log {
    let db = Db::connect(database, &Options::default()).await.unwrap();
    db.migrate(clock::now()).await.unwrap();
    Log::open(db, views::all(), Clock::system()).await.unwrap()
}

/// Serves until its standard input ends.
async fn serve(database: &str, redis: &str) {
    let log = log(database).await;
    let db = log.db().clone();
    let settled = bootstrap::token(&db).await.unwrap();
    let coordination = Coordination::connect(Some(redis), "bench:").await.unwrap();
    let app = App {
        queue: coordination.queue("operations", 1000),
        queue_limit: 1000,
        vault: Vault::new(db.clone(), Keys::parse(&"ab".repeat(32)).unwrap(), Clock::system()),
        catalogue: Catalogue::new("none", db),
        access: Access::with_token_hash(settled.hash),
        live: LiveStates::default(),
        metrics: Arc::new(String::new),
        coordination,
        log,
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{} {}", listener.local_addr().unwrap(), settled.fresh.unwrap());
    let stop = CancellationToken::new();
    let served = tokio::spawn(api::serve(app, listener, Settings::default(), stop.clone()));
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    ended.await.unwrap().unwrap();
    stop.cancel();
    served.await.unwrap().unwrap();
}

struct Server {
    child: Child,
    address: String,
    token: String,
}

impl Server {
    fn start(database: &str, redis: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .env(SERVER, format!("{database} {redis}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut told).unwrap();
        let (address, token) = told.trim().split_once(' ').unwrap();
        Self { child, address: address.to_owned(), token: token.to_owned() }
    }

    fn kibibytes(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
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

async fn measure() {
    let (postgres, redis) = (Postgres::start().unwrap(), Redis::start().unwrap());
    let log = log(&postgres.url()).await;
    let coordination = Coordination::connect(Some(&redis.url()), "bench:").await.unwrap();
    let mut watched = Vec::new();
    for _ in 0..WATCHED {
        watched.push(operation(&log).await);
    }
    let server = Server::start(&postgres.url(), &redis.url());
    let (took, mut delays) = mpsc::unbounded_channel();
    // The first watchers also pay for what is there once: pools, threads, caches.
    for id in watched.iter().take(50) {
        watch(&server, *id, took.clone()).await;
    }
    let before = server.kibibytes();
    for n in 0..WATCHERS {
        watch(&server, watched[n % WATCHED], took.clone()).await;
    }
    let each = (server.kibibytes() - before) / WATCHERS as f64;
    Figure::new("sse", format!("memory of each of {WATCHERS} idle watchers"), each, "KiB")
        .aim(Aim::AtMost(16.0))
        .print();

    let began = Instant::now();
    let mut tick = tokio::time::interval(Duration::from_secs(1) / RECORDS_PER_SECOND);
    let mut written = 0_usize;
    while began.elapsed() < FOR {
        tick.tick().await;
        let id = watched[written % WATCHED];
        written += 1;
        let (db, bus) = (log.db().clone(), coordination.bus().clone());
        tokio::spawn(async move {
            let now = clock::now();
            let line = json!({ "type": "log", "source": "bench", "stream": "stdout", "message": "x".repeat(80), "sent": now.timestamp_micros() });
            let stored = records::append(&db, &records::of_operation(id), None, &[line], now).await.unwrap();
            bus.publish(&format!("operation:{id}"), stored.last.unsigned_abs()).await;
        });
    }
    let expected = written * (WATCHERS / WATCHED) + written.min(50) * (written / WATCHED);
    let mut heard: Vec<f64> = Vec::with_capacity(expected);
    while let Ok(Some(micros)) = tokio::time::timeout(Duration::from_secs(1), delays.recv()).await {
        heard.push(micros as f64 / 1000.0);
    }
    let rate = heard.len() as f64 / began.elapsed().as_secs_f64();
    assert!(heard.len() >= written * (WATCHERS / WATCHED), "{} of {written} records were heard", heard.len());
    Figure::new("sse", "deliveries", rate, "/s").print();
    for (percent, aim) in [(50.0, None), (99.0, Some(Aim::AtMost(10.0)))] {
        let figure = Figure::new("sse", format!("record to watcher, p{percent}"), percentile(&heard, percent), "ms");
        aim.map_or(figure.clone(), |aim| figure.aim(aim)).print();
    }
}

#[tokio::main]
async fn main() {
    match std::env::var(SERVER) {
        Ok(told) => {
            let (database, redis) = told.split_once(' ').unwrap();
            serve(database, redis).await;
        }
        Err(_) => measure().await,
    }
}
