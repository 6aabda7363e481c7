//! A new version is rolled out while creates run: each process is asked to end once another has taken its place.

use std::time::Duration;

use domain::operation::Status;
use futures_util::future::join_all;
use serde_json::json;

use crate::caller::Caller;
use crate::check::{self, Made};
use crate::ground::Ground;
use crate::processes::Process;
use crate::watching::restless;

const CREATES: u64 = 24;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Postgres and Redis: cargo xtask test"]
async fn creates_go_on_while_every_process_is_replaced() {
    let durations = [("vzcreate".to_owned(), Duration::from_millis(500))].into();
    let ground = Ground::new(sim::Options { durations, ..sim::Options::default() }).await;
    let (mut api, url) = Process::api(&ground).await;
    let caller = Caller::new(url, ground.token.clone());
    assert_eq!(caller.post("/v1/hosts", &ground.host(4)).await.0, 201);
    let mut worker = Process::worker(&ground);
    let making = tokio::spawn(join_all((0..CREATES).map(|number| one(caller.clone(), number))));
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let (next_api, url) = Process::api(&ground).await;
        caller.turn_to(url);
        api.ask_to_end();
        assert_eq!(api.ended(), 0, "an API that is asked to end does so in order");
        api = next_api;
        let next_worker = Process::worker(&ground);
        worker.ask_to_end();
        assert_eq!(worker.ended(), 0, "a worker that is asked to end does so in order");
        worker = next_worker;
    }
    let made = making.await.unwrap();
    let wrong = check::all(&ground, made).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn one(caller: Caller, number: u64) -> Made {
    tokio::time::sleep(Duration::from_millis(number * 300)).await;
    let wish = json!({ "hostname": format!("c{number}"), "template": "tiny" });
    let (status, told) = caller.post("/v1/containers", &wish).await;
    assert_eq!(status, 202, "{told}");
    let operation = told["id"].as_str().unwrap().parse().unwrap();
    let seen = join_all((0..3).map(|watcher| restless(caller.clone(), operation, number * 10 + watcher))).await;
    Made { operation, ends: &[Status::Succeeded], seen }
}
