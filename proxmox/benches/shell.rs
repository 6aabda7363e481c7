//! What a command costs over the kept connection, against a connection for each (the limit, measured in the same run).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    unreachable_pub,
    dead_code,
    reason = "a bench fails by panicking and shares the tests' sshd"
)]

#[path = "../tests/shell/sshd.rs"]
mod sshd;

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use proxmox::shell::{Command, Shell};
use xtask::bench::{Aim, Figure, median};

const ROUNDS: usize = 30;

fn ms(times: &[Duration]) -> f64 {
    median(&times.iter().map(|time| time.as_secs_f64() * 1000.0).collect::<Vec<_>>())
}

async fn run(shell: &Shell) {
    assert_eq!(shell.output(Command::new("true")).await.unwrap().code, 0);
}

#[tokio::main]
async fn main() {
    let sshd = sshd::Sshd::start("MaxSessions 20");
    let mut config = sshd.config().await;
    config.sessions = 20;
    let shell = Shell::new(config.clone()).unwrap();
    run(&shell).await;

    let (mut reused, mut fresh, mut parallel) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let started = Instant::now();
        run(&Shell::new(config.clone()).unwrap()).await;
        fresh.push(started.elapsed());
        let started = Instant::now();
        run(&shell).await;
        reused.push(started.elapsed());
    }
    let (reused, fresh) = (ms(&reused), ms(&fresh));
    Figure::new("shell", "exec over the kept connection", reused, "ms")
        .limit(fresh)
        .aim(Aim::RatioAtMost(0.05))
        .print();

    // Twenty that sleep 200 ms: one after the other they would take four seconds.
    for _ in 0..5 {
        let started = Instant::now();
        let sleep = || shell.output(Command::new("sleep").arg("0.2"));
        for output in join_all((0..20).map(|_| sleep())).await {
            assert_eq!(output.unwrap().code, 0);
        }
        parallel.push(started.elapsed());
    }
    Figure::new("shell", "20 parallel execs of sleep 0.2", ms(&parallel), "ms")
        .limit(200.0)
        .aim(Aim::RatioAtMost(2.0))
        .print();
}
