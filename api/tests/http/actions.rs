//! Actions on a container that is there: what each is accepted for, and who is told what when it is not.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestApp, answer, fields, operation};

const ACTIONS: [&str; 6] = ["start", "stop", "shutdown", "reboot", "suspend", "resume"];

async fn act(app: &TestApp, container: &str, action: &str) -> (u16, Value) {
    answer(app.ask(Method::POST, &format!("/v1/containers/{container}/actions/{action}"))).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ready_container_takes_each_one_after_the_other() {
    let app = TestApp::start().await;
    let container = app.ready("web1").await;
    for action in ACTIONS {
        let (status, body) = act(&app, &container, action).await;
        assert_eq!((status, body["kind"].as_str()), (202, Some(action)), "{body}");
        assert_eq!((&body["status"], &body["may"]["cancel"]), (&json!("queued"), &json!(true)));
        let (status, problem) = act(&app, &container, "start").await;
        assert_eq!((status, problem["type"].as_str()), (409, Some("/problems/busy")));
        assert_eq!(problem["holder"], body["links"]["self"], "and told which is in the way");
        let held = &problem["held"];
        assert_eq!((held["action"].as_str(), &held["since"]), (Some(action), &body["created_at"]), "{problem}");
        assert!(held["age_seconds"].as_i64().is_some_and(|age| (0..60).contains(&age)), "{problem}");
        app.work(operation(&body), false).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_once_one_is_accepted() {
    let app = TestApp::start().await;
    let container = app.ready("web1").await;
    let many = join_all((0..16).map(|n| act(&app, &container, ACTIONS[n % ACTIONS.len()]))).await;
    assert_eq!(many.iter().filter(|(status, _)| *status == 202).count(), 1, "{many:?}");
    let won = &many.iter().find(|(status, _)| *status == 202).unwrap().1;
    for (_, lost) in many.iter().filter(|(status, _)| *status == 409) {
        assert_eq!((&lost["holder"], &lost["held"]["action"]), (&won["links"]["self"], &won["kind"]), "{lost}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_not_ready_is_told_why_and_left_alone() {
    let app = TestApp::start().await;
    let (container, create) = app.create("web1").await;
    for action in ACTIONS {
        let (status, problem) = act(&app, &container, action).await;
        assert_eq!((status, &problem["holder"]), (409, &json!(format!("/v1/operations/{create}"))), "{problem}");
    }
    app.work(create, true).await;
    app.fail_container(&container).await;
    for action in ACTIONS {
        let (status, problem) = act(&app, &container, action).await;
        assert_eq!((status, problem["type"].as_str()), (409, Some("/problems/not-possible")), "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("retry"), "{problem}");
        let (status, _) = act(&app, &create.to_string(), action).await;
        assert_eq!(status, 404);
    }
    assert_eq!(app.get("/v1/operations").await.1["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_out_of_range_is_told_by_its_field() {
    let app = TestApp::start().await;
    let container = app.ready("web1").await;
    for action in ["shutdown", "reboot"] {
        for (query, field) in [
            ("timeout_seconds=0", "timeout_seconds"),
            ("timeout_seconds=3601", "timeout_seconds"),
            ("timeout_seconds=soon", "timeout_seconds"),
            ("timeout=5", "timeout"),
        ] {
            let (status, problem) = act(&app, &container, &format!("{action}?{query}")).await;
            assert_eq!((status, fields(&problem)), (422, vec![field.to_owned()]), "{query}: {problem}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_key_is_one_operation_and_another_action_is_refused() {
    let app = TestApp::start().await;
    let container = app.ready("web1").await;
    let ask = |action: &str| {
        let path = format!("/v1/containers/{container}/actions/{action}");
        answer(app.ask(Method::POST, &path).header("idempotency-key", "k"))
    };
    let first = ask("stop").await;
    app.work(operation(&first.1), false).await;
    assert_eq!(ask("stop").await, first, "also when it is over");
    let (status, problem) = ask("start").await;
    assert_eq!((status, problem["type"].as_str()), (422, Some("/problems/idempotency-mismatch")));
}
