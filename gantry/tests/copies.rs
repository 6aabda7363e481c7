//! Copies of a container through the API, with a worker behind it and a simulated host that really keeps files.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[allow(dead_code, reason = "not all that can be asked is")]
#[path = "../../worker/tests/pipeline/asks.rs"]
mod asks;
#[allow(dead_code, reason = "not all that can be looked at is")]
#[path = "../../worker/tests/pipeline/checks.rs"]
mod checks;
#[path = "../src/process/copies.rs"]
mod seam;
#[path = "../src/process/guests.rs"]
mod seen;
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

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_restored_over_the_container_and_to_a_new_one() {
    let whole = Whole::start().await;
    let id = whole.container("web1").await;
    let path = format!("/v1/containers/{id}/backups");
    whole.in_guest(&id, "echo old >/srv/note").await;
    let made = whole.done("POST", &path, json!({ "notes": "all is well" })).await;
    let name = made["summary"]["backup"].as_str().unwrap().to_owned();
    whole.in_guest(&id, "echo new >/srv/note").await;
    let (_, list) = whole.ask("GET", &path, Value::Null).await;
    let [one] = list["items"].as_array().unwrap().as_slice() else { panic!("{list}") };
    assert_eq!(
        (&one["name"], &one["notes"], &one["made_by"]),
        (&json!(name), &json!("all is well"), &made["links"]["self"])
    );

    let taken = whole.ask("POST", &format!("{path}/{name}/containers"), json!({ "hostname": "web1" })).await;
    assert_eq!((taken.0, &taken.1["errors"][0]["field"]), (409, &json!("hostname")), "{}", taken.1);
    let other = whole.done("POST", &format!("{path}/{name}/containers"), json!({ "hostname": "web2" })).await;
    let other = other["summary"]["container"].as_str().unwrap().to_owned();
    assert_eq!(whole.in_guest(&other, "cat /srv/note /etc/hostname").await, "old\nweb2\n");
    assert_eq!(whole.in_guest(&id, "cat /srv/note").await, "new\n");
    assert_ne!(whole.vmid(&other).await, whole.vmid(&id).await);

    whole.done("POST", &format!("{path}/{name}/restore"), Value::Null).await;
    assert_eq!(whole.in_guest(&id, "cat /srv/note").await, "old\n");

    // It outlives the container, and brings it back.
    whole.done("DELETE", &format!("/v1/containers/{id}"), Value::Null).await;
    let (_, list) = whole.ask("GET", &path, Value::Null).await;
    assert_eq!(list["items"][0]["name"], json!(name), "{list}");
    let again = whole.done("POST", &format!("{path}/{name}/containers"), json!({ "hostname": "web1" })).await;
    let again = again["summary"]["container"].as_str().unwrap().to_owned();
    assert_eq!(whole.in_guest(&again, "cat /srv/note").await, "old\n");
    // Whoever has the number by now does not see what was backed up under it.
    for others in [&other, &again] {
        let (_, list) = whole.ask("GET", &format!("/v1/containers/{others}/backups"), Value::Null).await;
        assert_eq!(list["items"], json!([]));
    }
    whole.done("DELETE", &format!("{path}/{name}"), Value::Null).await;
    let (_, list) = whole.ask("GET", &path, Value::Null).await;
    assert_eq!(list["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clone_has_what_the_original_has_and_a_name_of_its_own() {
    let whole = Whole::start().await;
    let id = whole.container("web1").await;
    whole.in_guest(&id, "echo here >/srv/note").await;
    let made = whole.done("POST", &format!("/v1/containers/{id}/clone"), json!({ "hostname": "web2" })).await;
    let clone = made["summary"]["container"].as_str().unwrap().to_owned();
    assert_eq!(whole.in_guest(&clone, "cat /srv/note /etc/hostname").await, "here\nweb2\n");
    let (_, list) = whole.ask("GET", &format!("/v1/containers/{id}/snapshots"), Value::Null).await;
    assert_eq!(list["items"], json!([]), "the snapshot that it was made from is gone");
    whole.done("DELETE", &format!("/v1/containers/{clone}"), Value::Null).await;
    assert_eq!(whole.in_guest(&id, "cat /srv/note").await, "here\n", "the original stays");
}
