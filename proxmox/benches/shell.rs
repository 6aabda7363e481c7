//! What a command costs over the kept connection, against a connection for each (the limit, measured in the same run).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    unreachable_pub,
    dead_code,
    reason = "a bench prints what it measures, fails by panicking, and shares the tests' sshd"
)]

#[path = "../tests/shell/sshd.rs"]
mod sshd;

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use proxmox::shell::{Command, Shell};

const ROUNDS: usize = 30;

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}

async fn run(shell: &Shell) {
    assert_eq!(shell.output(Command::new("true")).await.unwrap().code, 0);
}

/// `better` says whether the ratio is above the aim (many times less) or below (little more than the limit).
fn figure(name: &str, value: f64, limit: f64, ratio: f64, aim: f64, met: bool) {
    if std::env::args().any(|argument| argument == "--json") {
        println!(
            r#"{{"bench":"shell","figure":"{name}","value":{value:.3},"unit":"ms","limit":{limit:.3},"ratio":{ratio:.2},"aim":{aim},"met":{met}}}"#
        );
    } else {
        println!("{name:<40} {value:>9.3} ms   limit {limit:>9.3} ms   ratio {ratio:>6.2}   aim {aim}   met {met}");
    }
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
    let (reused, fresh) = (median(reused), median(fresh));
    figure("exec over the kept connection", reused, fresh, fresh / reused, 20.0, fresh / reused >= 20.0);

    // Twenty that sleep 200 ms: one after the other they would take four seconds.
    for _ in 0..5 {
        let started = Instant::now();
        let sleep = || shell.output(Command::new("sleep").arg("0.2"));
        for output in join_all((0..20).map(|_| sleep())).await {
            assert_eq!(output.unwrap().code, 0);
        }
        parallel.push(started.elapsed());
    }
    let parallel = median(parallel);
    figure("20 parallel execs of sleep 0.2", parallel, 200.0, parallel / 200.0, 2.0, parallel <= 400.0);
}
