//! A hundred creates while workers are killed, Redis is flushed and restarted, and Proxmox has its faults.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use domain::operation::Status;
use futures_util::future::join_all;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::json;

use crate::caller::Caller;
use crate::check::{self, Made};
use crate::ground::Ground;
use crate::processes::Process;
use crate::storm;
use crate::watching::restless;

const WELL: usize = 100;
const FAILING: usize = 6;
const CANCELLED: usize = 6;
/// Two on each create, and then some.
const WATCHERS: usize = 240;
const WORKERS: usize = 4;
const KILLS: u32 = 24;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Postgres and Redis: cargo xtask test"]
#[allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a seed is the test's own, not a setting of the program"
)]
async fn a_hundred_creates_under_fire_end_as_they_should() {
    let seed = std::env::var("GANTRY_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| rand::rng().random_range(0..1_000_000));
    println!("GANTRY_TEST_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let durations: BTreeMap<_, _> = [("vzcreate", 400), ("vzstart", 200), ("vzdestroy", 100)]
        .map(|(kind, millis)| (kind.to_owned(), Duration::from_millis(millis)))
        .into();
    let mut ground = Ground::new(sim::Options { durations, jitter: 0.5, seed, ..sim::Options::default() }).await;
    let (_api, url) = Process::api(&ground).await;
    let caller = Caller::new(url, ground.token.clone());
    let (status, told) = caller.post("/v1/hosts", &ground.host(16)).await;
    assert_eq!(status, 201, "{told}");
    storm::faults(ground.sim());
    let mut workers: Vec<Process> = (0..WORKERS).map(|_| Process::worker(&ground)).collect();

    let began = Instant::now();
    let making = tokio::spawn(creates(caller.clone(), seed));
    let mut redis = BTreeMap::from([(KILLS / 4, "flush"), (KILLS / 2, "restart"), (KILLS * 3 / 4, "flush")]);
    for kill in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(random.random_range(200..1500))).await;
        workers[random.random_range(0..WORKERS)].kill();
        match redis.remove(&kill) {
            Some("flush") => ground.flush_redis(),
            Some(_) => ground.restart_redis(Duration::from_millis(1500)).await,
            None => {}
        }
        for worker in &mut workers {
            if worker.is_gone() {
                *worker = Process::worker(&ground);
            }
        }
    }
    println!("{KILLS} kills in {} s", began.elapsed().as_secs());
    let made = making.await.unwrap();
    println!("all ended after {} s", began.elapsed().as_secs());
    let wrong = check::all(&ground, made).await;
    for worker in &workers {
        worker.ask_to_end();
    }
    let codes: Vec<i32> = workers.iter_mut().map(Process::ended).collect();
    assert!(wrong.is_empty(), "seed {seed}:\n{}", wrong.join("\n"));
    assert_eq!(codes, [0; WORKERS], "a worker that is asked to end does so in order");
    println!("done after {} s", began.elapsed().as_secs());
}

/// All of them at once; done when each operation's watchers have seen its last event.
async fn creates(caller: Caller, seed: u64) -> Vec<Made> {
    let all = WELL + FAILING + CANCELLED;
    let each = (0..all).map(|number| {
        let caller = caller.clone();
        async move {
            let mut random = StdRng::seed_from_u64(seed ^ (number as u64) << 20);
            tokio::time::sleep(Duration::from_millis(random.random_range(0..8000))).await;
            let template = if (WELL..WELL + FAILING).contains(&number) { "broken" } else { "tiny" };
            let wish = json!({ "hostname": format!("c{number}"), "template": template });
            let (status, told) = caller.post("/v1/containers", &wish).await;
            assert_eq!(status, 202, "{told}");
            let operation = told["id"].as_str().unwrap().parse().unwrap();
            let watchers = WATCHERS / all + usize::from(number < WATCHERS % all);
            let watching = join_all((0..watchers).map(|_| restless(caller.clone(), operation, random.random())));
            let ends: &[Status] = match number {
                number if number < WELL => &[Status::Succeeded],
                number if number < WELL + FAILING => &[Status::Failed],
                // It may have been done before.
                _ => &[Status::Cancelled, Status::Succeeded],
            };
            let cancelling = async {
                if number >= WELL + FAILING {
                    tokio::time::sleep(Duration::from_millis(random.random_range(0..15_000))).await;
                    caller.post(&format!("/v1/operations/{operation}/cancel"), &json!({})).await;
                }
            };
            let (seen, ()) = tokio::join!(watching, cancelling);
            Made { operation, ends, seen }
        }
    });
    join_all(each).await
}
