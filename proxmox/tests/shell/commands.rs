use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use proxmox::shell::{Command, Line, ShellError, Stream};

use super::sshd::Sshd;

fn sh(script: &str) -> Command {
    Command::new("sh").arg("-c").arg(script)
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn a_thousand_commands_over_one_connection() {
    let sshd = Sshd::start("");
    let shell = sshd.shell().await;
    let next = Arc::new(AtomicUsize::new(0));
    let workers = (0..10).map(|_| async {
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n >= 1000 {
                return;
            }
            let output = shell.output(Command::new("echo").arg(n.to_string())).await.unwrap();
            assert_eq!((output.code, output.text()), (0, n.to_string()));
        }
    });
    join_all(workers).await;
    assert_eq!(sshd.connections(), 1);
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn ten_run_at_once_and_the_rest_waits_its_turn() {
    let sshd = Sshd::start("");
    let shell = sshd.shell().await;
    // Each of the ten waits until all ten are there: they end only if they run together.
    let place = sshd.path("together");
    std::fs::create_dir(&place).unwrap();
    let script = "touch \"$1/$2\"; until [ $(ls \"$1\" | wc -l) -ge 10 ]; do sleep 0.05; done";
    let one = |n: usize| shell.output(sh(script).arg("sh").arg(&place).arg(n.to_string()));
    for output in join_all((0..30).map(one)).await {
        assert_eq!(output.unwrap().code, 0);
    }
    assert_eq!(sshd.connections(), 1);
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn a_host_with_fewer_places_only_makes_us_wait() {
    let sshd = Sshd::start("MaxSessions 2");
    let shell = sshd.shell().await;
    for output in join_all((0..12).map(|_| shell.output(Command::new("sleep").arg("0.05")))).await {
        assert_eq!(output.unwrap().code, 0);
    }
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn a_full_queue_says_so() {
    let sshd = Sshd::start("");
    let mut config = sshd.config().await;
    (config.sessions, config.queue) = (1, 1);
    let shell = proxmox::shell::Shell::new(config).unwrap();
    let mut first = shell.start(sh("echo up; cat").stdin(shell.stdin().1)).unwrap();
    drop(first.next().await);
    let outputs = join_all((0..3).map(|_| shell.output(Command::new("true").limit(Duration::from_secs(5)))));
    let (outputs, ()) = tokio::join!(outputs, first.kill());
    let full = outputs.iter().filter(|output| matches!(output, Err(ShellError::QueueFull { .. }))).count();
    assert_eq!((full, outputs.iter().filter(|output| output.is_ok()).count()), (2, 1));
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn every_code_is_the_true_one() {
    let sshd = Sshd::start("");
    let shell = sshd.shell().await;
    let codes = join_all((0..=255u8).map(|code| {
        let shell = shell.clone();
        async move { (code, shell.output(sh(&format!("exit {code}"))).await.unwrap().code) }
    }));
    for (wanted, got) in codes.await {
        assert_eq!(wanted, got);
    }
    assert_eq!(shell.output(sh("kill -9 $$")).await.unwrap().code, 137);
    assert_eq!(shell.output(sh("kill -15 $$")).await.unwrap().code, 143);
    assert_eq!(shell.output(Command::new("no-such-program")).await.unwrap().code, 127);
    // A program whose name is a builtin's does not end the wrapping script.
    assert_eq!(shell.output(Command::new("exit").arg("0")).await.unwrap().code, 127);
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn arguments_and_input_arrive_byte_by_byte() {
    let sshd = Sshd::start("");
    let shell = sshd.shell().await;
    let all: Vec<u8> = (1..=255).collect();
    let argument: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(all.as_slice());
    let output = shell.output(Command::new("printf").arg("%s").arg(argument)).await.unwrap();
    assert_eq!(output.stdout, all);
    let mut input = all.repeat(2000);
    input.extend(0..=255u8);
    let output = shell.output(Command::new("cat").stdin(Bytes::from(input.clone()))).await.unwrap();
    assert_eq!(output.stdout, input);
    let output = shell.output(sh("printf %s \"$A\"").env("A", "it's $HOME")).await.unwrap();
    assert_eq!(output.text(), "it's $HOME");
    let refused = shell.output(Command::new("echo").arg("x".repeat(40_000))).await;
    assert!(matches!(refused, Err(ShellError::NotACommand(_))), "{refused:?}");
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn both_streams_flow_whatever_the_other_does() {
    let sshd = Sshd::start("");
    let shell = sshd.shell().await;
    let flood = "i=0; while [ $i -lt 40 ]; do head -c 100000 /dev/zero | tr '\\0' e >&2; i=$((i+1)); done; echo done";
    let (mut out, mut err) = (Vec::new(), 0);
    let exit = shell
        .exec(sh(flood), |Line { stream, text }| match stream {
            Stream::Out => out.push(text),
            Stream::Err => err += text.len(),
        })
        .await
        .unwrap();
    assert_eq!((exit.code, out, err), (0, vec!["done".to_owned()], 4_000_000));
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn a_slow_reader_stops_only_its_own_command() {
    let sshd = Sshd::start("");
    let shell = sshd.shell().await;
    let mut flood = shell.start(sh("head -c 20000000 /dev/zero")).unwrap();
    let mut read = flood.next().await.unwrap().bytes.len();
    for _ in 0..20 {
        assert_eq!(shell.output(Command::new("true")).await.unwrap().code, 0);
    }
    while let Some(piece) = flood.next().await {
        read += piece.bytes.len();
    }
    assert_eq!((read, flood.wait().await.unwrap().code), (20_000_000, 0));
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn what_is_left_in_the_background_does_not_hold_the_command() {
    let sshd = Sshd::start("");
    let shell = sshd.shell().await;
    let output = shell.output(sh("sleep 60 & echo $!; exit 3")).await.unwrap();
    assert_eq!(output.code, 3);
    assert!(super::sshd::lives(output.text().parse().unwrap()));
    let _ = shell.output(Command::new("kill").arg(output.text())).await;
}
