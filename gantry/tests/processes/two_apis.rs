//! Two APIs and the workers behind them: of what is asked of one container at once, one is done; and who lost the right to
//! do it does nothing more.

use std::time::Duration;

use domain::OperationId;
use domain::operation::{Operation, Status};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use sim::{Effect, Rule};

use crate::caller::Caller;
use crate::ground::Ground;
use crate::processes::Process;

const ACTIONS: [&str; 6] = ["stop", "start", "reboot", "shutdown", "suspend", "resume"];
const AGAIN: Duration = Duration::from_millis(50);

async fn get(caller: &Caller, path: &str) -> Value {
    loop {
        if let Ok(answer) = caller.ask(Method::GET, path).send().await
            && let Ok(body) = answer.json().await
        {
            return body;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn until_ended(caller: &Caller, operation: &str) {
    loop {
        let told = get(caller, operation).await;
        match told["status"].as_str() {
            Some("succeeded") => return,
            Some("queued" | "running") => tokio::time::sleep(AGAIN).await,
            _ => panic!("{told}"),
        }
    }
}

/// A container that runs, made by a worker that has gone since.
async fn made(ground: &Ground, caller: &Caller) -> String {
    let (status, told) = caller.post("/v1/hosts", &ground.host(4)).await;
    assert_eq!(status, 201, "{told}");
    let _worker = Process::worker(ground);
    let (status, told) = caller.post("/v1/containers", &json!({ "hostname": "web", "template": "tiny" })).await;
    assert_eq!(status, 202, "{told}");
    until_ended(caller, told["links"]["self"].as_str().unwrap()).await;
    told["container"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Postgres and Redis: cargo xtask test"]
async fn of_what_two_apis_are_asked_at_once_one_is_done_and_the_others_are_told_who_does_what() {
    let ground = Ground::new(sim::Options::default()).await;
    let ((_one, first), (_two, second)) = (Process::api(&ground).await, Process::api(&ground).await);
    let callers = [first, second].map(|url| Caller::new(url, ground.token.clone()));
    let container = made(&ground, &callers[0]).await;
    for round in 0..3 {
        // Nobody works, so that whoever won is still at it when the last is answered.
        let asked = join_all((0..16).map(|number| {
            let action = ACTIONS[(round + number / 2) % ACTIONS.len()];
            let (caller, container) = (&callers[number % 2], &container);
            async move { caller.post(&format!("/v1/containers/{container}/actions/{action}"), &json!({})).await }
        }));
        let answers = asked.await;
        let won: Vec<_> = answers.iter().filter(|(status, _)| *status == 202).collect();
        let [(_, won)] = won.as_slice() else { panic!("{answers:?}") };
        for (status, lost) in answers.iter().filter(|(status, _)| *status != 202) {
            assert_eq!((*status, lost["type"].as_str()), (409, Some("/problems/busy")), "{lost}");
            let told = (&lost["holder"], &lost["held"]["action"], &lost["held"]["since"]);
            assert_eq!(told, (&won["links"]["self"], &won["kind"], &won["created_at"]), "{lost}");
            assert!(lost["held"]["age_seconds"].is_u64(), "{lost}");
        }
        // Suspending fails where there is no CRIU; that it ends is all that counts here.
        let _worker = Process::worker(&ground);
        while matches!(
            get(&callers[1], won["links"]["self"].as_str().unwrap()).await["status"].as_str(),
            Some("queued" | "running")
        ) {
            tokio::time::sleep(AGAIN).await;
        }
    }
}

/// Counts what is asked of Proxmox that changes something.
fn counted(ground: &Ground, call: &str) -> u64 {
    ground.sim().faults().add(Rule::always(call, Effect::LatencyMs(0)))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Postgres and Redis: cargo xtask test"]
async fn a_worker_that_slept_through_its_lease_does_nothing_when_it_wakes() {
    let durations = [("vzstop".to_owned(), Duration::from_secs(3))].into();
    let ground = Ground::new(sim::Options { durations, ..sim::Options::default() }).await;
    let (_api, url) = Process::api(&ground).await;
    let caller = Caller::new(url, ground.token.clone());
    let container = made(&ground, &caller).await;
    let counters = ["POST /**", "PUT /**", "DELETE /**"].map(|call| counted(&ground, call));
    let changes = || counters.iter().map(|id| ground.sim().faults().hits(*id)).sum::<u32>();

    let asleep = Process::worker(&ground);
    let (status, told) = caller.post(&format!("/v1/containers/{container}/actions/stop"), &json!({})).await;
    assert_eq!(status, 202, "{told}");
    while changes() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    asleep.signal("-STOP");
    let other = Process::worker(&ground);
    until_ended(&caller, told["links"]["self"].as_str().unwrap()).await;
    drop(other);

    let log = ground.log().await;
    let id: OperationId = told["id"].as_str().unwrap().parse().unwrap();
    let before = (log.load::<Operation>(id).await.unwrap().version, changes());
    asleep.signal("-CONT");
    // It is awake when it does what is asked now, and has let go of the rest.
    let (status, start) = caller.post(&format!("/v1/containers/{container}/actions/start"), &json!({})).await;
    assert_eq!(status, 202, "{start}");
    until_ended(&caller, start["links"]["self"].as_str().unwrap()).await;
    let after = log.load::<Operation>(id).await.unwrap();
    assert_eq!(after.state.status(), Some(Status::Succeeded));
    assert_eq!((after.version, changes()), (before.0, before.1 + 1), "no more than the one start");
}
