use reqwest::Method;
use serde_json::json;

use crate::support::{TestApp, answer, operation};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_operation_tells_its_steps_and_may_be_retried() {
    let app = TestApp::start().await;
    let (container, id) = app.create("web1").await;
    app.work(id, true).await;
    let path = format!("/v1/operations/{id}");
    let (status, body) = app.get(&path).await;
    assert_eq!(
        (status, body["status"].as_str(), body["error"]["type"].as_str()),
        (200, Some("failed"), Some("storage-full"))
    );
    assert!(!body.to_string().contains("cause-for-the-log"), "{body}");
    assert_eq!(
        (&body["may"], body["asked_by"].as_str()),
        (&json!({ "cancel": false, "retry": true }), Some("bootstrap"))
    );
    let first = &body["steps"][0];
    assert_eq!((first["attempts"].as_u64(), first["phase"].as_str()), (Some(1), Some("creating")));
    assert!(first["started_at"].is_string() && first["ended_at"].is_string() && body["ended_at"].is_string());
    assert_eq!(body["links"]["container"], format!("/v1/containers/{container}"));

    let (status, problem) = answer(app.ask(Method::POST, &format!("{path}/cancel"))).await;
    assert_eq!((status, problem["type"].as_str()), (409, Some("/problems/not-possible")));
    app.fail_container(&container).await;
    let (status, body) = answer(app.ask(Method::POST, &format!("{path}/retry"))).await;
    assert_eq!((status, body["status"].as_str()), (202, Some("queued")));
    let (_, again) = app.get(&format!("/v1/containers/{container}")).await;
    assert_eq!(again["lifecycle"], "creating", "{again}");
    app.work(id, false).await;
    let (_, body) = app.get(&path).await;
    assert_eq!((body["status"].as_str(), body["steps"][0]["attempts"].as_u64()), (Some("succeeded"), Some(2)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelling_is_heard_by_the_worker() {
    let app = TestApp::start().await;
    let (_, id) = app.create("web1").await;
    let mut asked = app.app.coordination.bus().subscribe(&format!("asked:{id}"));
    let path = format!("/v1/operations/{id}/cancel");
    let ((status, body), _) = tokio::join!(answer(app.ask(Method::POST, &path)), asked.next());
    assert_eq!((status, &body["cancel_requested"]), (202, &json!(true)));
    let (status, again) = answer(app.ask(Method::POST, &path)).await;
    assert_eq!((status, &again["updated_at"]), (202, &body["updated_at"]), "twice is as good as once");
    app.work(id, false).await;
    let (_, body) = app.get(&format!("/v1/operations/{id}")).await;
    assert_eq!(body["status"], "cancelled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_in_the_way_of_another_is_told_who_is_at_work() {
    let app = TestApp::start().await;
    let (container, id) = app.create("web1").await;
    app.work(id, true).await;
    let (status, delete) = answer(app.ask(Method::DELETE, &format!("/v1/containers/{container}"))).await;
    assert_eq!(status, 202);
    let (status, problem) = answer(app.ask(Method::POST, &format!("/v1/operations/{id}/retry"))).await;
    assert_eq!((status, problem["type"].as_str()), (409, Some("/problems/busy")), "{problem}");
    assert_eq!(problem["holder"], format!("/v1/operations/{}", operation(&delete)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operations_are_found_by_container_kind_and_status() {
    let app = TestApp::start().await;
    let (container, id) = app.create("web1").await;
    let (_, other) = app.create("web2").await;
    app.work(other, false).await;
    for (query, found) in [
        (format!("container={container}"), vec![id]),
        ("status=succeeded".to_owned(), vec![other]),
        ("status=queued,running".to_owned(), vec![id]),
        ("kind=create&sort=created_at".to_owned(), vec![id, other]),
        ("kind=delete".to_owned(), vec![]),
    ] {
        let (status, list) = app.get(&format!("/v1/operations?{query}")).await;
        assert_eq!(status, 200, "{list}");
        let ids: Vec<_> = list["items"].as_array().unwrap().iter().map(operation).collect();
        assert_eq!(ids, found, "{query}");
    }
    for id in ["x", "00000000-0000-0000-0000-000000000000"] {
        for (method, rest) in
            [(Method::GET, ""), (Method::GET, "/events"), (Method::POST, "/cancel"), (Method::POST, "/retry")]
        {
            let (status, problem) = answer(app.ask(method, &format!("/v1/operations/{id}{rest}"))).await;
            assert_eq!((status, problem["type"].as_str()), (404, Some("/problems/not-found")), "{id}{rest}");
        }
    }
}
