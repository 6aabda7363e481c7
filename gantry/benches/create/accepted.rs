//! Accepted creates: answered with 202, in the log and queued. The limit is the bare append of the same events.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use domain::container::{Container, ContainerCommand, Request};
use domain::operation::{Accepted, Command, Given, Operation, OperationCommand};
use domain::{Actor, Aggregate as _, ContainerId, Event as _, Meta, OperationId};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use platform::clock;
use platform::log::{Append, Expected, Log};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::TcpStream;
use uuid::Uuid;
use xtask::bench::{Aim, Figure, median, percentile};

use crate::ground::{Backend, Ground};
use crate::processes::Process;

const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(2);
static NUMBER: AtomicU64 = AtomicU64::new(0);

fn hostname() -> String {
    format!("c{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// What all clients got through in a second, and how long each took in milliseconds.
async fn round(clients: Vec<BoxFuture<'static, Vec<f64>>>) -> (f64, Vec<f64>) {
    let began = Instant::now();
    let running: Vec<_> = clients.into_iter().map(tokio::spawn).collect();
    let took: Vec<f64> = join_all(running).await.into_iter().flat_map(Result::unwrap).collect();
    (took.len() as f64 / began.elapsed().as_secs_f64(), took)
}

/// One client of the API with a connection of its own.
async fn asks(address: String, token: String, until: Instant) -> Vec<f64> {
    let mut connection = BufStream::new(TcpStream::connect(&address).await.unwrap());
    connection.get_ref().set_nodelay(true).unwrap();
    let mut took = Vec::new();
    while Instant::now() < until {
        let asked = Instant::now();
        let wish = json!({ "hostname": hostname(), "template": "tiny" }).to_string();
        let request = format!(
            "POST /v1/containers HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{wish}",
            wish.len()
        );
        connection.write_all(request.as_bytes()).await.unwrap();
        connection.flush().await.unwrap();
        answered(&mut connection).await;
        took.push(asked.elapsed().as_secs_f64() * 1000.0);
    }
    took
}

async fn answered(connection: &mut BufStream<TcpStream>) {
    let (mut line, mut head, mut length) = (String::new(), String::new(), 0);
    loop {
        line.clear();
        connection.read_line(&mut line).await.unwrap();
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).await.unwrap();
    assert!(head.starts_with("HTTP/1.1 202"), "{head}{}", String::from_utf8_lossy(&body));
}

/// The same events into the same log, and nothing else.
async fn appends(log: Log, until: Instant) -> Vec<f64> {
    let mut took = Vec::new();
    while Instant::now() < until {
        let append = append();
        let asked = Instant::now();
        log.append(append).await.unwrap();
        took.push(asked.elapsed().as_secs_f64() * 1000.0);
    }
    took
}

fn append() -> Append {
    let (container, operation) = (ContainerId::new(Uuid::now_v7()), OperationId::new(Uuid::now_v7()));
    let spec = json!({
        "hostname": hostname(), "source": { "template": "tiny" }, "cores": 1, "memory_mb": 512, "swap_mb": 512, "disk_gb": 8,
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
    let requested = Container::default().decide(ContainerCommand::Request(Box::new(request)), &()).unwrap();
    let command = Command::CreateContainer { container, keep_on_failure: false };
    let accept = OperationCommand::Accept(Accepted::new(command, None, None));
    let accepted = Operation::default().decide(accept, &Given { now: clock::now() }).unwrap();
    Append::new(Meta::by(Actor::Bootstrap))
        .stream(Container::stream(container), Expected::New, requested.iter().map(|e| e.encode().unwrap()).collect())
        .stream(Operation::stream(operation), Expected::New, accepted.iter().map(|e| e.encode().unwrap()).collect())
}

pub(crate) async fn measure() {
    let ground =
        Ground::with(Backend::Postgres, &[], sim::Options { dry_shell: true, ..sim::Options::default() }).await;
    let (_api, url) = Process::api(&ground).await;
    let (address, token) = (url.trim_start_matches("http://").to_owned(), ground.token.clone());
    let log = ground.log().await;
    for (clients, p99) in [(1, None), (16, Some(10.0)), (64, None)] {
        let (mut accepted, mut bare, mut times) = (Vec::new(), Vec::new(), Vec::new());
        // The first round of each is for warming up.
        for number in 0..=ROUNDS {
            let until = Instant::now() + ROUND;
            let asking = (0..clients).map(|_| asks(address.clone(), token.clone(), until).boxed());
            let (per_second, took) = round(asking.collect()).await;
            let until = Instant::now() + ROUND;
            let (limit, _) = round((0..clients).map(|_| appends(log.clone(), until).boxed()).collect()).await;
            if number > 0 {
                accepted.push(per_second);
                times.extend(took);
                bare.push(limit);
            }
            ground.flush_redis();
        }
        Figure::new("create", format!("accepted over HTTP, {clients} connections"), median(&accepted), "/s")
            .limit(median(&bare))
            .aim(Aim::RatioAtLeast(0.5))
            .print();
        let figure = Figure::new(
            "create",
            format!("request to 202, {clients} connections, p99"),
            percentile(&times, 99.0),
            "ms",
        );
        p99.map_or(figure.clone(), |most| figure.aim(Aim::AtMost(most))).print();
    }
}
