//! Copies of a container through the API, with a worker behind it and a simulated host that really keeps files.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "../src/process/copies.rs"]
mod seam;
#[path = "../../worker/tests/pipeline/servers.rs"]
mod servers;
#[path = "../../worker/tests/pipeline/support.rs"]
mod support;
#[path = "../../worker/tests/pipeline/tiny.rs"]
mod tiny;
#[allow(dead_code, reason = "nothing is cut off here")]
#[path = "../../worker/tests/pipeline/trips.rs"]
mod trips;
mod whole;

use serde_json::{Value, json};
use whole::Whole;

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_brings_a_file_back() {
    let whole = Whole::start().await;
    let id = whole.container("web1").await;
    let path = format!("/v1/containers/{id}/snapshots");
    whole.in_guest(&id, "echo old >/srv/note").await;
    let taken = whole.done("POST", &path, json!({ "name": "before", "description": "all is well" })).await;
    assert_eq!(taken["summary"]["snapshot"], "before");
    whole.in_guest(&id, "echo new >/srv/note; echo more >/srv/other").await;

    // One that somebody makes on Proxmox itself.
    whole.outside(&id, "by-hand").await;
    let (status, list) = whole.ask("GET", &path, Value::Null).await;
    assert_eq!(status, 200, "{list}");
    let names: Vec<_> = list["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["before", "by-hand"]);
    let [ours, others] = [&list["items"][0], &list["items"][1]];
    assert_eq!(ours["description"], "all is well");
    assert_eq!(ours["taken_by"], taken["links"]["self"]);
    assert!(others["taken_by"].is_null() && others["parent"] == "before", "{others}");

    let back = whole.done("POST", &format!("{path}/before/rollback"), json!({})).await;
    assert_eq!((&back["kind"], &back["summary"]["ran"]), (&json!("rollback"), &json!(true)));
    assert_eq!(whole.in_guest(&id, "cat /srv/note; ls /srv").await, "old\nnote\n");

    for name in ["by-hand", "before"] {
        whole.done("DELETE", &format!("{path}/{name}"), Value::Null).await;
    }
    let (_, list) = whole.ask("GET", &path, Value::Null).await;
    assert_eq!(list["items"], json!([]));
    let gone = whole.ended("DELETE", &format!("{path}/before"), Value::Null).await;
    assert_eq!((&gone["status"], &gone["error"]["type"]), (&json!("failed"), &json!("snapshot-missing")));
}
