//! Every action asked wrongly: its field is named, and nothing is left of it: no event, no operation, no lock.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestApp, answer, fields};

/// Below `/v1/containers/{id}` or, with a slash before it, whole. The path, its query, the body, and which field is wrong.
fn table() -> Vec<(Method, &'static str, &'static str, Value, &'static str)> {
    let (post, put, patch, delete) = (Method::POST, Method::PUT, Method::PATCH, Method::DELETE);
    let none = Value::Null;
    let mut all = vec![
        (delete.clone(), "", "delay=soon", none.clone(), "delay"),
        (delete.clone(), "", "delay=0s", none.clone(), "delay"),
        (delete.clone(), "", "purge=perhaps", none.clone(), "purge"),
        (delete.clone(), "", "destroy_unreferenced_disks=2", none.clone(), "destroy_unreferenced_disks"),
        (delete.clone(), "", "force=true", none.clone(), "force"),
        (post.clone(), "actions/resize", "", json!({ "cores": 0 }), "cores"),
        (post.clone(), "actions/resize", "", json!({ "memory_mb": "big" }), "memory_mb"),
        (post.clone(), "actions/resize", "", json!({ "swap_mb": -1 }), "swap_mb"),
        (post.clone(), "actions/resize", "", json!({ "disk_gb": 1 }), "disk_gb"),
        (post.clone(), "actions/resize", "", json!({ "colour": 1 }), "colour"),
        (post.clone(), "actions/resize", "dry_run=perhaps", json!({ "cores": 1 }), "dry_run"),
        (patch.clone(), "", "", json!({ "hostname": "-" }), "hostname"),
        (patch.clone(), "", "", json!({ "tags": ["two words"] }), "tags[0]"),
        (patch.clone(), "", "", json!({ "description": "x".repeat(4097) }), "description"),
        (patch.clone(), "", "", json!({ "start_on_boot": "yes" }), "start_on_boot"),
        (patch, "", "", json!({ "cores": 2 }), "cores"),
        (put.clone(), "root-password", "", json!({ "root_password": "short" }), "root_password"),
        (put.clone(), "root-password", "", json!({ "password": "long enough it is" }), "password"),
        (post.clone(), "rebuild", "", json!({ "template": "none" }), "template"),
        (post.clone(), "rebuild", "", json!({ "backup_first": "yes" }), "backup_first"),
        (post.clone(), "rebuild", "dry_run=perhaps", json!({}), "dry_run"),
        (post.clone(), "update", "dry_run=perhaps", json!({}), "dry_run"),
        (post.clone(), "snapshots", "", json!({}), "name"),
        (post.clone(), "snapshots", "", json!({ "name": "current" }), "name"),
        (post.clone(), "snapshots", "", json!({ "name": "ok", "description": "two\nlines" }), "description"),
        (post.clone(), "snapshots/first/rollback", "start=perhaps", none.clone(), "start"),
        (post.clone(), "backups", "", json!({ "storage": "../etc" }), "storage"),
        (post.clone(), "backups", "", json!({ "mode": "quick" }), "mode"),
        (post.clone(), "backups", "", json!({ "protected": "yes" }), "protected"),
        (post.clone(), "backups/a.tar/restore", "start=perhaps", none.clone(), "start"),
        (post.clone(), "backups/a.tar/containers", "", json!({}), "hostname"),
        (post.clone(), "clone", "", json!({ "hostname": "-" }), "hostname"),
        (post.clone(), "clone", "", json!({ "hostname": "web2", "full": "yes" }), "full"),
        (put.clone(), "schedules/nightly", "", json!({ "every": "year" }), "every"),
        (put, "schedules/1st", "", json!({ "every": "day", "at": "02:30" }), "name"),
        (post.clone(), "/v1/bulk", "", json!({ "action": "dance", "filter": { "all": true } }), "action"),
        (post.clone(), "/v1/bulk", "", json!({ "action": "start" }), "ids"),
        (post.clone(), "/v1/bulk", "", json!({ "action": "start", "ids": [] }), "ids"),
        (post.clone(), "/v1/bulk", "", json!({ "action": "start", "filter": {} }), "filter"),
    ];
    for action in ["actions/shutdown", "actions/reboot"] {
        for query in ["timeout_seconds=0", "timeout_seconds=3601", "timeout_seconds=soon"] {
            all.push((post.clone(), action, query, none.clone(), "timeout_seconds"));
        }
        all.push((post.clone(), action, "force=true", none.clone(), "force"));
    }
    all
}

/// Those that take neither a body nor a query: there is nothing to say wrongly but which container.
const PLAIN: [&str; 9] = [
    "actions/start",
    "actions/stop",
    "actions/suspend",
    "actions/resume",
    "actions/apply",
    "drift/accept",
    "drift/put-back",
    "release",
    "undelete",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_wrongly_is_named_and_leaves_nothing_behind() {
    let app = TestApp::start().await;
    let id = app.ready("web1").await;
    let place = |path: &str| match path {
        "" => format!("/v1/containers/{id}"),
        whole if whole.starts_with('/') => whole.to_owned(),
        path => format!("/v1/containers/{id}/{path}"),
    };
    let before = app.app.log.end().await.unwrap().position;
    for (method, path, query, body, field) in table() {
        let request = app.ask(method.clone(), &format!("{}?{query}", place(path)));
        let request = if body.is_null() { request } else { request.json(&body) };
        let (status, problem) = answer(request).await;
        let asked = format!("{method} {path}?{query} {body}: {problem}");
        assert_eq!((status, fields(&problem)), (422, vec![field.to_owned()]), "{asked}");
        assert_eq!(problem["type"], "/problems/invalid", "{asked}");
        let error = &problem["errors"][0];
        assert!(error["fix"].as_str().is_some_and(|fix| !fix.is_empty()), "it is told what to do: {asked}");
        assert_eq!(app.app.log.end().await.unwrap().position, before, "nothing is appended: {asked}");
    }
    for path in PLAIN {
        for id in ["0199aaaa-0000-7000-8000-000000000000", "web1"] {
            let (status, problem) = app.post(&format!("/v1/containers/{id}/{path}"), &json!({})).await;
            assert!(status == 404 || status == 422, "{path} of {id}: {status} {problem}");
        }
    }
    assert_eq!(app.app.log.end().await.unwrap().position, before);
    assert_eq!(app.get("/v1/operations").await.1["items"].as_array().unwrap().len(), 1, "only its create");
    // Nothing holds it.
    assert_eq!(app.post(&place("actions/start"), &json!({})).await.0, 202);
}

/// So that an action that comes to be is asked wrongly too.
#[test]
fn no_action_on_a_container_is_left_out() {
    let named = |path: &str| {
        let path = path.replace("/first/", "/{name}/").replace("/a.tar/", "/{name}/");
        path.replace("/nightly", "/{name}").replace("/1st", "/{name}")
    };
    let mut asked: BTreeSet<String> = PLAIN.iter().map(|path| format!("POST {path}")).collect();
    asked.extend(table().into_iter().map(|(method, path, ..)| format!("{method} {}", named(path))));
    for rule in api::access::table::TABLE.iter().filter(|rule| rule.method != "GET") {
        let Some(path) = rule.path.strip_prefix("/v1/containers/{id}") else { continue };
        // What is deleted by its name alone can't be asked wrongly but for that it is not there.
        if rule.method == "DELETE" && path.ends_with("/{name}") {
            continue;
        }
        let route = format!("{} {}", rule.method, path.trim_start_matches('/'));
        assert!(asked.contains(&route), "{route} is asked wrongly nowhere");
    }
}
