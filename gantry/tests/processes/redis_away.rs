//! Redis is a hint: without it commands are accepted and stored, and with it again they are carried out.

use std::time::Duration;

use domain::operation::Status;
use futures_util::future::join_all;
use serde_json::json;

use crate::caller::Caller;
use crate::check::{self, Made};
use crate::ground::Ground;
use crate::processes::Process;
use crate::watching::restless;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Postgres and Redis: cargo xtask test"]
async fn creates_wait_and_go_on_while_redis_is_away() {
    let durations = [("vzcreate".to_owned(), Duration::from_secs(1))].into();
    let mut ground = Ground::new(sim::Options { durations, ..sim::Options::default() }).await;
    let (_api, url) = Process::api(&ground).await;
    let caller = Caller::new(url, ground.token.clone());
    // One at a time on each node, so that some wait for their slot when Redis goes.
    assert_eq!(caller.post("/v1/hosts", &ground.host(1)).await.0, 201);
    let _workers = [Process::worker(&ground), Process::worker(&ground)];
    let before = join_all((0..6).map(|number| begin(caller.clone(), number))).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    tokio::task::block_in_place(|| ground.redis().stop());
    let meanwhile = join_all((6..9).map(|number| begin(caller.clone(), number))).await;
    // Longer than what a worker may be silent for.
    tokio::time::sleep(Duration::from_secs(5)).await;
    tokio::task::block_in_place(|| ground.redis().restart()).unwrap();
    let all = before.into_iter().chain(meanwhile);
    let made = join_all(all.map(|mut made| {
        let caller = caller.clone();
        async move {
            made.seen.push(restless(caller, made.operation, 1).await);
            made
        }
    }));
    let made = made.await;
    let wrong = check::all(&ground, made).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn begin(caller: Caller, number: u64) -> Made {
    let wish = json!({ "hostname": format!("c{number}"), "template": "tiny" });
    let (status, told) = caller.post("/v1/containers", &wish).await;
    assert_eq!(status, 202, "{told}");
    let operation = told["id"].as_str().unwrap().parse().unwrap();
    Made { operation, ends: &[Status::Succeeded], seen: Vec::new() }
}
