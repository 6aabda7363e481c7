//! Servers that forget who is connected, and tell nobody: what was asked of them is never answered.

use std::time::Duration;

use domain::operation::Status;
use domain::{Meta, NewEvent, OperationId, Position, StreamId};
use platform::clock::{self, Clock};
use platform::db::{Db, Options};
use platform::log::{Append, Expected, Log};
use reqwest::Method;
use serde_json::{Value, json};

use crate::caller::Caller;
use crate::check::{self, Made};
use crate::ground::Ground;
use crate::processes::Process;
use crate::watching::restless;
use crate::wire::Wire;

/// More than there are connections, so that one that kept its place would be missed.
const ROUNDS: u32 = 12;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Postgres and Redis: cargo xtask test"]
async fn a_question_that_nobody_answers_is_given_up_and_asked_of_somebody_else() {
    let mut ground = Ground::new(sim::Options::default()).await;
    ground.over_wires().await;
    let options = Options { answer: Duration::from_secs(1), ..Options::default() };
    let db = Db::connect(&ground.database(), &options).await.unwrap();
    db.migrate(clock::now()).await.unwrap();
    let log = Log::open(db.clone(), Vec::new(), Clock::system()).await.unwrap();
    for round in 0..ROUNDS {
        let tx = db.begin().await.unwrap();
        ground.wires()[0].forget();
        let error = tx.commit().await.unwrap_err();
        assert!(error.is_outage(), "{error}");
        // The appender tries again by itself.
        let event = NewEvent { kind: "counted".to_owned(), kind_version: 1, data: Value::Null };
        let stream = StreamId::new("counter", round.to_string());
        log.append(Append::new(Meta::system("test")).stream(stream, Expected::New, vec![event])).await.unwrap();
    }
    // Each once, though some were not confirmed at first.
    assert_eq!(log.verify().await.unwrap().end.position, Position(i64::from(ROUNDS)));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Postgres and Redis: cargo xtask test"]
async fn what_was_under_way_goes_on() {
    let durations = [("vzcreate".to_owned(), Duration::from_secs(1))].into();
    let mut ground = Ground::new(sim::Options { durations, ..sim::Options::default() }).await;
    ground.over_wires().await;
    let (_api, url) = Process::api(&ground).await;
    let caller = Caller::new(url, ground.token.clone());
    assert_eq!(caller.post("/v1/hosts", &ground.host(4)).await.0, 201);
    let _workers = [Process::worker(&ground), Process::worker(&ground)];
    let mut making = Vec::new();
    for number in 0..4 {
        let wish = json!({ "hostname": format!("c{number}"), "template": "tiny" });
        let (status, told) = caller.post("/v1/containers", &wish).await;
        assert_eq!(status, 202, "{told}");
        let operation = told["id"].as_str().unwrap().parse().unwrap();
        let watched = tokio::spawn(restless(caller.clone(), operation, number));
        making.push((operation, watched));
        if number % 2 == 0 {
            begun(&caller, operation).await;
            ground.wires().iter().for_each(Wire::forget);
        }
    }
    let mut made = Vec::new();
    for (operation, watched) in making {
        made.push(Made { operation, ends: &[Status::Succeeded], seen: vec![watched.await.unwrap()] });
    }
    let wrong = check::all(&ground, made).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(caller.amiss().is_empty(), "{:?}", caller.amiss());
}

/// A worker is at it.
async fn begun(caller: &Caller, operation: OperationId) {
    let running = format!("/v1/operations/{operation}");
    while caller.send(Method::GET, &running, None).await.1["status"] == "queued" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
