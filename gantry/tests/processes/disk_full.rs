//! The disk under the log is full: what can't be stored is not accepted, and what was accepted goes on once there is room.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use domain::operation::Status;
use reqwest::Method;
use serde_json::json;
use xtask::servers::small_disk;

use crate::caller::Caller;
use crate::check::{self, Made};
use crate::ground::{Backend, Ground};
use crate::processes::Process;
use crate::watching::restless;

/// Of the log.
const FILES: [&str; 2] = ["gantry.db", "gantry.db-wal"];

/// The program, with the log on a small disk of its own.
fn on_a_small_disk(ground: &Ground) -> Command {
    let small = small(ground);
    std::fs::create_dir(&small).unwrap();
    // Beside the file there is only what was not yet written into it.
    for file in FILES.into_iter().filter(|file| ground.dir().join(file).exists()) {
        std::fs::copy(ground.dir().join(file), small.join(file)).unwrap();
    }
    let database = format!("sqlite:{}", small.join("gantry.db").display());
    let wanted = ground.program(&["serve", "--listen", "127.0.0.1:0"]).database(&database).command();
    let root = (std::fs::metadata("/proc/self").unwrap().uid() == 0).then_some((0, 0));
    let mut command = small_disk::command(Path::new(wanted.get_program()), &small, "16m", root);
    command.args(wanted.get_args()).current_dir(ground.dir());
    for (name, value) in wanted.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

fn small(ground: &Ground) -> PathBuf {
    ground.dir().join("small")
}

fn fill(file: &Path) {
    let full = std::fs::write(file, vec![0; 1 << 27]).unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull, "{full}");
}

/// Asked for once. None when it was not accepted, which is said as it should be.
async fn ask(caller: &Caller, number: usize) -> Option<Made> {
    let wish = json!({ "hostname": format!("c{number}"), "template": "tiny" });
    let asked = caller.ask(Method::POST, "/v1/containers").header("idempotency-key", number.to_string());
    let answer = asked.json(&wish).send().await.unwrap();
    let (status, again) = (answer.status().as_u16(), answer.headers().contains_key("retry-after"));
    let told: serde_json::Value = answer.json().await.unwrap();
    if status == 202 {
        let operation = told["id"].as_str().unwrap().parse().unwrap();
        return Some(Made { operation, ends: &[Status::Succeeded], seen: Vec::new() });
    }
    assert!(status == 503 && again, "{status}: {told}");
    assert!(told["type"].as_str().unwrap().ends_with("/unavailable"), "{told}");
    None
}

/// What is under way when the disk is full.
async fn some(caller: &Caller) -> Vec<Made> {
    let mut made = Vec::new();
    for number in 0..6 {
        made.push(ask(caller, number).await.unwrap());
    }
    made
}

/// Until all that was accepted has ended.
async fn full_and_empty_again(caller: &Caller, disk: &Path, made: &mut Vec<Made>) {
    let filler = disk.join("filler");
    fill(&filler);
    let mut number = made.len();
    // What is left of the room that the log already has is used up first.
    while let Some(more) = ask(caller, number).await {
        made.push(more);
        number += 1;
        assert!(number < 500, "it is never full");
    }
    std::fs::remove_file(&filler).unwrap();
    // The same, asked again: it was not half accepted.
    made.push(ask(caller, number).await.unwrap());
    for one in made {
        one.seen.push(restless(caller.clone(), one.operation, 1).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "starts the program: cargo xtask test"]
async fn a_full_disk_refuses_what_it_can_not_store_and_keeps_what_it_has() {
    let durations = [("vzcreate".to_owned(), Duration::from_secs(1))].into();
    let mut ground = Ground::on(Backend::Sqlite, sim::Options { durations, ..sim::Options::default() }).await;
    let (mut serving, url) = Process::answering(&ground, "serve", on_a_small_disk(&ground)).await;
    let caller = Caller::new(url, ground.token.clone());
    assert_eq!(caller.post("/v1/hosts", &ground.host(2)).await.0, 201);
    let mut made = some(&caller).await;
    let disk = small_disk::seen_from_outside(serving.child.id(), &small(&ground));
    full_and_empty_again(&caller, &disk, &mut made).await;
    serving.signal("-STOP");
    for file in FILES {
        std::fs::copy(disk.join(file), ground.dir().join(file)).unwrap();
    }
    let wrong = check::all(&ground, made).await;
    serving.signal("-CONT");
    serving.ask_to_end();
    assert_eq!(serving.ended(), 0);
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), ground.keep().display());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Postgres and Redis: cargo xtask test"]
async fn a_full_disk_under_postgres_is_an_outage_like_others() {
    let durations = [("vzcreate".to_owned(), Duration::from_secs(1))].into();
    let mut ground = Ground::new(sim::Options { durations, ..sim::Options::default() }).await;
    let disk = tokio::task::block_in_place(|| ground.postgres().on_small_disk("128m")).unwrap();
    let (_api, url) = Process::api(&ground).await;
    let _worker = Process::worker(&ground);
    let caller = Caller::new(url, ground.token.clone());
    assert_eq!(caller.post("/v1/hosts", &ground.host(2)).await.0, 201);
    let mut made = some(&caller).await;
    full_and_empty_again(&caller, &disk, &mut made).await;
    let wrong = check::all(&ground, made).await;
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), ground.keep().display());
}
