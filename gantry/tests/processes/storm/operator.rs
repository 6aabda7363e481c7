//! Who operates it: what waits for an operator gets one, who comes by now and again.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::caller::Caller;

const ROUNDS: Duration = Duration::from_secs(5);
/// While it is waited for.
const AGAIN: Duration = Duration::from_millis(250);

/// Has it tried again, for as long as this is let run.
pub(super) async fn at_work(caller: Caller) {
    loop {
        tokio::time::sleep(ROUNDS).await;
        for operation in those_that_are(&caller, "stuck").await {
            let id = operation["id"].as_str().unwrap();
            caller.post(&format!("/v1/operations/{id}/retry"), &json!({})).await;
        }
    }
}

/// Until everything that was ever accepted has ended.
pub(super) async fn all_quiet(caller: &Caller) {
    while !those_that_are(caller, "queued,running,stuck").await.is_empty() {
        tokio::time::sleep(AGAIN).await;
    }
}

async fn those_that_are(caller: &Caller, status: &str) -> Vec<Value> {
    let (answer, told) = caller.send(Method::GET, &format!("/v1/operations?status={status}"), None).await;
    assert_eq!(answer, 200, "{told}");
    told["items"].as_array().unwrap().clone()
}
