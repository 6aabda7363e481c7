//! What the program takes of a machine: its size, the time from its start to its first answer, and its memory when idle
//! and after it was asked much. SQLite, everything in one process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a bench fails by panicking, and its counts fit"
)]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use xtask::bench::{Aim, Figure, median};

const STARTS: usize = 7;
const REQUESTS: usize = 5_000;
const MIB: f64 = 1024.0 * 1024.0;

struct Server {
    child: Child,
    address: String,
    /// From the start of the process to an answer of `/readyz`.
    ready: Duration,
}

impl Server {
    fn start(dir: &Path) -> Self {
        let from = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_gantry"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .current_dir(dir)
            .env("GANTRY_LOG__FILTER", "error")
            .env("DATABASE_URL", format!("sqlite:{}", dir.join("gantry.db").display()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().expect("it answers").unwrap();
            if let Some((_, rest)) = line.split_once("http://") {
                // Of a first start it is the set-up link.
                break rest.split(|end: char| end == '/' || end.is_whitespace()).next().unwrap().to_owned();
            }
        };
        let server = Self { child, address, ready: Duration::ZERO };
        assert!(server.ask("/readyz").starts_with("HTTP/1.1 200"));
        Self { ready: from.elapsed(), ..server }
    }

    fn ask(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: gantry\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Resident memory in MiB, from the kernel.
    fn memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse::<f64>().unwrap() / 1024.0
    }

    fn end(mut self) {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(asked.success() && self.child.wait().unwrap().success());
    }
}

fn main() {
    let figure = |name: &str, value: f64, unit| Figure::new("footprint", name, value, unit);
    let binary = std::fs::metadata(env!("CARGO_BIN_EXE_gantry")).unwrap().len();
    figure("size of the program", binary as f64 / MIB, "MiB").print();

    let dir = tempfile::tempdir().unwrap();
    // The first one makes the database and the keys.
    Server::start(dir.path()).end();
    let (mut ready, mut idle) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let server = Server::start(dir.path());
        ready.push(server.ready.as_secs_f64() * 1000.0);
        idle.push(server.memory());
        server.end();
    }
    figure("start to ready", median(&ready), "ms").aim(Aim::AtMost(150.0)).print();
    figure("memory, idle", median(&idle), "MiB").aim(Aim::AtMost(40.0)).print();

    let server = Server::start(dir.path());
    for _ in 0..REQUESTS {
        assert!(server.ask("/openapi.json").starts_with("HTTP/1.1 "));
    }
    figure(&format!("memory after {REQUESTS} requests"), server.memory(), "MiB").print();
    server.end();
}
