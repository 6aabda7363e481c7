//! A delete that is put off: accepted, shown, put off again, taken back.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestApp, answer, fields, operation};

async fn delete(app: &TestApp, id: &str, query: &str) -> (u16, Value) {
    answer(app.ask(Method::DELETE, &format!("/v1/containers/{id}?{query}"))).await
}

async fn undelete(app: &TestApp, id: &str) -> (u16, Value) {
    answer(app.ask(Method::POST, &format!("/v1/containers/{id}/undelete"))).await
}

fn at(body: &Value) -> DateTime<Utc> {
    body["delete_at"].as_str().unwrap_or_else(|| panic!("{body}")).parse().unwrap()
}

async fn operations(app: &TestApp) -> usize {
    app.get("/v1/operations").await.1["items"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn until_it_is_deleted_all_works_and_it_can_be_taken_back() {
    let app = TestApp::start().await;
    let id = app.ready("web1").await;
    let before = platform::clock::now();
    let (status, body) = delete(&app, &id, "delay=24h&purge=true").await;
    assert_eq!(status, 200, "{body}");
    let off = at(&body) - before;
    assert!(off > TimeDelta::hours(24) - TimeDelta::seconds(1) && off < TimeDelta::hours(24) + TimeDelta::minutes(1));
    let (_, shown) = app.get(&format!("/v1/containers/{id}")).await;
    assert_eq!(at(&shown), at(&body));
    let (_, list) = app.get("/v1/containers").await;
    assert_eq!(at(&list["items"][0]), at(&body));

    // Nobody holds it.
    let (status, stop) = app.post(&format!("/v1/containers/{id}/actions/stop"), &json!({})).await;
    assert_eq!(status, 202, "{stop}");
    let (status, later) = delete(&app, &id, "delay=7d").await;
    assert_eq!(status, 200, "also while something is at work on it: {later}");
    assert!(at(&later) > at(&body), "it was put off again");
    app.work(operation(&stop), false).await;

    let (status, kept) = undelete(&app, &id).await;
    assert_eq!((status, kept.get("delete_at")), (200, None), "{kept}");
    let (status, problem) = undelete(&app, &id).await;
    assert_eq!((status, problem["type"].as_str()), (409, Some("/problems/not-possible")), "{problem}");
    assert_eq!(operations(&app).await, 2, "nothing was begun");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_gone_or_never_was_is_neither_deleted_later_nor_kept() {
    let app = TestApp::start().await;
    let (id, create) = app.create("web1").await;
    assert_eq!(delete(&app, &create.to_string(), "delay=1h").await.0, 404);
    assert_eq!(undelete(&app, &create.to_string()).await.0, 404);
    let planned = delete(&app, &id, "delay=1h").await;
    assert_eq!(planned.0, 200, "also one that is being made: {}", planned.1);
    app.make_ready(&id, create).await;
    // Now instead of later.
    let (status, now) = delete(&app, &id, "").await;
    assert_eq!(status, 202, "{now}");
    app.work(operation(&now), false).await;
    let removed = domain::container::ContainerCommand::Remove;
    let meta = domain::Meta::system("worker");
    app.app.log.execute::<domain::container::Container>(id.parse().unwrap(), removed, &(), meta).await.unwrap();
    let (_, gone) = app.get(&format!("/v1/containers/{id}")).await;
    assert_eq!((gone["lifecycle"].as_str(), gone.get("delete_at")), (Some("removed"), None));
    for (status, problem) in [delete(&app, &id, "delay=1h").await, undelete(&app, &id).await] {
        assert_eq!((status, problem["type"].as_str()), (409, Some("/problems/not-possible")), "{problem}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_that_is_none_is_told_and_a_dry_run_only_tells() {
    let app = TestApp::start().await;
    let id = app.ready("web1").await;
    for delay in ["soon", "0", "-1h", "1w", "400d", "", "1.5h"] {
        for dry in ["", "&dry_run=true"] {
            let (status, problem) = delete(&app, &id, &format!("delay={delay}{dry}")).await;
            assert_eq!((status, fields(&problem)), (422, vec!["delay".to_owned()]), "{delay}: {problem}");
        }
    }
    let (status, problem) = delete(&app, &id, "destroy_unreferenced_disks=perhaps").await;
    assert_eq!((status, fields(&problem)), (422, vec!["destroy_unreferenced_disks".to_owned()]), "{problem}");
    let (status, plan) = delete(&app, &id, "delay=30m&dry_run=true").await;
    assert_eq!((status, plan["action"].as_str()), (200, Some("delete")), "{plan}");
    assert!(plan["notes"].to_string().contains("undelete takes it back"), "{plan}");
    let (_, shown) = app.get(&format!("/v1/containers/{id}")).await;
    assert_eq!(shown.get("delete_at"), None, "nothing was written");
    assert_eq!(operations(&app).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_key_puts_it_off_once_and_what_was_not_seen_is_left_alone() {
    let app = TestApp::start().await;
    let id = app.ready("web1").await;
    let path = format!("/v1/containers/{id}?delay=1h");
    let ask = || answer(app.ask(Method::DELETE, &path).header("idempotency-key", "once"));
    let (first, again) = (ask().await, ask().await);
    assert_eq!((first.0, again.0, at(&first.1)), (200, 200, at(&again.1)));
    let stale = app.ask(Method::DELETE, &path).header("if-match", "\"v1\"");
    let (status, problem) = answer(stale).await;
    assert_eq!((status, problem["type"].as_str()), (412, Some("/problems/stale")), "{problem}");
    let (_, shown) = app.get(&format!("/v1/containers/{id}")).await;
    assert_eq!(at(&shown), at(&first.1));
}
