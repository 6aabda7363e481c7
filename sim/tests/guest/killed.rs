//! A simulator that is killed leaves no process behind, and what it kept can be used again.

#![allow(clippy::disallowed_methods, reason = "how a test tells the process that it starts what to do")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use sim::guest::{Guests, Shell};

use crate::host::{boot, fresh};

const DIR: &str = "GANTRY_TEST_KILLED_SIMULATOR";
const SLEEP: &str = "GANTRY_TEST_SLEEP";

/// Only as a process of its own, which [`nothing_runs_on_and_the_files_are_good`] kills.
#[tokio::test(flavor = "multi_thread")]
async fn simulator_to_be_killed() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let guests = Guests::open(Some(Path::new(&dir)), Shell::Run).await.unwrap();
    guests.create(101, &fresh(101)).await.unwrap();
    guests.start(101, &boot(101)).await.unwrap();
    let sleep = format!("sleep {}", std::env::var(SLEEP).unwrap());
    let script = format!("echo kept > /root/note; setsid {sleep} & {sleep} & echo up; wait");
    let mut command = guests.command(101, &["sh".into(), "-c".into(), script.into()]).unwrap();
    command.stdout(Stdio::inherit()).spawn().unwrap().wait().await.unwrap();
}

/// The processes that sleep as the guest's did.
fn left(seconds: &str) -> usize {
    let wanted = format!("sleep\0{seconds}\0");
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter(|entry| std::fs::read(entry.path().join("cmdline")).is_ok_and(|it| it == wanted.as_bytes()))
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_runs_on_and_the_files_are_good() {
    let dir = tempfile::tempdir().unwrap();
    let seconds = format!("86399.{}", std::process::id());
    let mut simulator = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::simulator_to_be_killed", "--nocapture"])
        .env(DIR, dir.path())
        .env(SLEEP, &seconds)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(simulator.stdout.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().ends_with("up")), "it ended before its guest was up");
    // The shell is up before those that it has started in the background sleep.
    let asleep = async {
        while left(&seconds) < 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), asleep).await.expect("both sleep");
    simulator.kill().unwrap();
    simulator.wait().unwrap();
    let gone = async {
        while left(&seconds) > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), gone).await.expect("the guest's processes run on");

    let guests = Guests::open(Some(dir.path()), Shell::Run).await.unwrap();
    assert!(guests.exists(101) && !guests.is_running(101));
    guests.start(101, &boot(101)).await.unwrap();
    let output = guests.command(101, &["cat".into(), "/root/note".into()]).unwrap().output().await.unwrap();
    assert_eq!(output.stdout, b"kept\n");
    guests.close().await;
    guests.destroy(101).await.unwrap();
}
