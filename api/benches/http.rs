//! What an answer costs beside the cheapest one that the same server gives, `/livez`; and whether it costs more when
//! there are a hundred times as many containers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_precision_loss,
    dead_code,
    reason = "a bench fails by panicking, its counts fit, and it stands on a part of what the tests stand on"
)]

#[path = "../tests/http/backend.rs"]
mod backend;
#[path = "../tests/http/support.rs"]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use domain::container::{Container, ContainerCommand, Request};
use domain::{Actor, Aggregate as _, ContainerId, Event as _, Meta, OperationId};
use futures_util::future::join_all;
use platform::log::{Append, Expected, Log};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::TcpStream;
use uuid::Uuid;
use xtask::bench::{Aim, Figure, percentile};

use support::{How, TestApp};

/// Containers there, when it is asked.
const SIZES: [usize; 4] = [100, 1_000, 10_000, 100_000];
/// What more of them are held against.
const FEW: usize = 1_000;
/// In one append.
const BATCH: usize = 200;
const WARMING_UP: Duration = Duration::from_millis(500);
const ROUND: Duration = Duration::from_secs(2);
const CONNECTIONS: [usize; 3] = [1, 16, 64];
static NUMBER: AtomicU64 = AtomicU64::new(0);

fn hostname() -> String {
    format!("c{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

fn requested(append: Append) -> (Append, ContainerId) {
    let (container, operation) = (ContainerId::new(Uuid::now_v7()), OperationId::new(Uuid::now_v7()));
    let spec = json!({
        "hostname": hostname(), "source": { "template": "plain" }, "cores": 1, "memory_mb": 512, "swap_mb": 512, "disk_gb": 8,
    });
    let request = Request {
        spec: serde_json::from_value(spec).unwrap(),
        operation,
        account: None,
        placement: None,
        template: None,
        root_password: None,
        inputs: None,
    };
    let events = Container::default().decide(ContainerCommand::Request(Box::new(request)), &()).unwrap();
    let events = events.iter().map(|event| event.encode().unwrap()).collect();
    (append.stream(Container::stream(container), Expected::New, events), container)
}

/// So many containers more; one of them.
async fn fill(log: &Log, containers: usize) -> ContainerId {
    let mut one = None;
    for batch in 0..containers.div_ceil(BATCH) {
        let mut append = Append::new(Meta::by(Actor::Bootstrap));
        for _ in 0..BATCH.min(containers - batch * BATCH) {
            let (more, container) = requested(append);
            append = more;
            one = Some(container);
        }
        log.append(append).await.unwrap();
    }
    one.unwrap()
}

type Asked = Arc<dyn Fn() -> String + Send + Sync>;

/// What is asked, by its name and how much dearer than `/livez` it may be.
fn questions(app: &TestApp, container: ContainerId) -> Vec<(&'static str, Option<f64>, Asked)> {
    let head = format!("host: bench\r\nauthorization: Bearer {}\r\n", app.token);
    let get = |path: String| -> Asked {
        let text = format!("GET {path} HTTP/1.1\r\n{head}\r\n");
        Arc::new(move || text.clone())
    };
    let create: Asked = {
        let head = head.clone();
        Arc::new(move || {
            let wish = json!({ "hostname": hostname(), "template": "plain" }).to_string();
            let kind = "content-type: application/json";
            format!("POST /v1/containers HTTP/1.1\r\n{head}{kind}\r\ncontent-length: {}\r\n\r\n{wish}", wish.len())
        })
    };
    vec![
        ("livez", None, get("/livez".to_owned())),
        ("detail", Some(3.0), get(format!("/v1/containers/{container}"))),
        ("list of 50", Some(6.0), get("/v1/containers?limit=50".to_owned())),
        ("create", None, create),
    ]
}

/// One client with a connection of its own: how long each answer took, in milliseconds.
async fn ask(address: String, asked: Asked, began: Instant) -> Vec<f64> {
    let mut connection = BufStream::new(TcpStream::connect(&address).await.unwrap());
    connection.get_ref().set_nodelay(true).unwrap();
    let mut took = Vec::new();
    while began.elapsed() < WARMING_UP + ROUND {
        let request = asked();
        let from = Instant::now();
        connection.write_all(request.as_bytes()).await.unwrap();
        connection.flush().await.unwrap();
        answered(&mut connection).await;
        if began.elapsed() > WARMING_UP {
            took.push(from.elapsed().as_secs_f64() * 1000.0);
        }
    }
    took
}

async fn answered(connection: &mut BufStream<TcpStream>) {
    let (mut line, mut head, mut length) = (String::new(), String::new(), 0);
    while line != "\r\n" {
        line.clear();
        connection.read_line(&mut line).await.unwrap();
        head.push_str(&line);
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).await.unwrap();
    assert!(head.starts_with("HTTP/1.1 20"), "{head}{}", String::from_utf8_lossy(&body));
}

async fn times(app: &TestApp, asked: &Asked, connections: usize) -> Vec<f64> {
    let (address, began) = (app.url.trim_start_matches("http://").to_owned(), Instant::now());
    let clients = (0..connections).map(|_| tokio::spawn(ask(address.clone(), asked.clone(), began)));
    join_all(clients).await.into_iter().flat_map(Result::unwrap).collect()
}

/// Up to the most containers, asking on the way; one of them.
async fn grow(app: &TestApp) -> ContainerId {
    let container = fill(&app.app.log, SIZES[0]).await;
    let mut few = Vec::new();
    for size in SIZES {
        let there = usize::try_from(NUMBER.load(Ordering::Relaxed)).unwrap();
        if there < size {
            fill(&app.app.log, size - there).await;
        }
        for (n, (name, _, asked)) in questions(app, container).into_iter().enumerate() {
            let p50 = percentile(&times(app, &asked, 1).await, 50.0);
            let figure = Figure::new("http", format!("{name}, by the containers there"), p50, "ms").at(size as f64);
            match few.get(n) {
                Some(few) if size > FEW => figure.limit(*few).aim(Aim::RatioAtMost(1.3)).print(),
                _ => figure.print(),
            }
            if size == FEW {
                few.push(p50);
            }
        }
    }
    container
}

#[tokio::main]
async fn main() {
    let app = TestApp::how(How { queue_limit: 10_000_000, ..How::default() }).await;
    let container = grow(&app).await;
    for connections in CONNECTIONS {
        let mut livez = f64::NAN;
        for (name, most, asked) in questions(&app, container) {
            let took = times(&app, &asked, connections).await;
            let [p50, p99] = [50.0, 99.0].map(|percent| percentile(&took, percent));
            let figure = |what: &str, value| {
                Figure::new("http", format!("{name}, {connections} connections, {what}"), value, "ms")
            };
            if name == "livez" {
                livez = p50;
                figure("p50", p50).print();
            } else {
                let figure = figure("p50", p50).limit(livez);
                most.map_or(figure.clone(), |most| figure.aim(Aim::RatioAtMost(most))).print();
            }
            figure("p99", p99).print();
        }
    }
}
