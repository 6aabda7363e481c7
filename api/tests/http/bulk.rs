//! One request for many containers.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestApp, answer, fields};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_has_its_operation_and_what_is_refused_stops_nobody() {
    let app = TestApp::start().await;
    let (one, two) = (app.ready("one").await, app.ready("two").await);
    let (creating, _) = app.create("three").await;
    let unknown = uuid::Uuid::now_v7().to_string();
    let wish = json!({ "action": "stop", "ids": [one, two, creating, unknown, one] });
    let ask = || answer(app.ask(Method::POST, "/v1/bulk").header("idempotency-key", "k").json(&wish));
    let (status, bulk) = ask().await;
    assert_eq!(status, 202, "{bulk}");
    let counts = json!({ "total": 4, "accepted": 2, "refused": 2, "queued": 2, "running": 0, "succeeded": 0, "failed": 0, "cancelled": 0 });
    assert_eq!((&bulk["counts"], &bulk["ended"]), (&counts, &json!(false)));
    let refused = |id: &str| {
        let all = bulk["refused"].as_array().unwrap();
        all.iter().find(|one| one["container"] == id).unwrap()["type"].as_str().unwrap().to_owned()
    };
    assert_eq!((refused(&creating), refused(&unknown)), ("busy".to_owned(), "not-found".to_owned()));
    let (status, again) = ask().await;
    assert_eq!((status, &again["id"]), (202, &bulk["id"]), "the same key is the same request");

    let path = format!("/v1/bulk/{}", bulk["id"].as_str().unwrap());
    let mut accepted = Vec::new();
    for id in bulk["operations"].as_array().unwrap() {
        if app.get(&format!("/v1/operations/{}", id.as_str().unwrap())).await.0 == 200 {
            accepted.push(id.as_str().unwrap().parse().unwrap());
        }
    }
    assert_eq!(accepted.len(), 2);
    app.work(accepted[0], false).await;
    app.work(accepted[1], true).await;
    let (status, ended) = app.get(&path).await;
    assert_eq!((status, &ended["ended"], &ended["percent"]), (200, &json!(true), &json!(100)), "{ended}");
    assert_eq!((&ended["counts"]["succeeded"], &ended["counts"]["failed"]), (&json!(1), &json!(1)));
    assert_eq!(ended["failed"][0]["error"]["type"], "storage-full");
    let stream = app.ask(Method::GET, &format!("{path}/events")).send().await.unwrap().text().await.unwrap();
    assert!(stream.starts_with("event: snapshot\n") && stream.contains("\nevent: complete\n"), "{stream}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filter_means_those_that_fit_it() {
    let app = TestApp::start().await;
    let tagged = json!({ "hostname": "tagged", "template": "plain", "tags": ["web"] });
    let (_, made) = app.post("/v1/containers", &tagged).await;
    let operation = crate::support::operation(&made);
    app.work(operation, true).await;
    app.fail_container(made["container"].as_str().unwrap()).await;
    app.ready("other").await;
    let (status, bulk) = app.post("/v1/bulk", &json!({ "action": "delete", "filter": { "tag": "web" } })).await;
    assert_eq!((status, &bulk["counts"]["total"], &bulk["counts"]["accepted"]), (202, &json!(1), &json!(1)), "{bulk}");
    let (status, all) = app.post("/v1/bulk", &json!({ "action": "start", "filter": { "all": true } })).await;
    assert_eq!((status, &all["counts"]["total"], &all["counts"]["accepted"]), (202, &json!(2), &json!(1)), "{all}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_request_for_many_is_told_by_field() {
    let app = TestApp::start().await;
    let id = uuid::Uuid::now_v7();
    let many: Vec<_> = (0..1001).map(|_| uuid::Uuid::now_v7()).collect();
    for (wish, wrong) in [
        (json!({}), vec!["action", "ids"]),
        (json!({ "action": "explode", "ids": [id] }), vec!["action"]),
        (json!({ "action": "start", "ids": [] }), vec!["ids"]),
        (json!({ "action": "start", "ids": many }), vec!["ids"]),
        (json!({ "action": "start", "ids": ["x"] }), vec!["ids[0]"]),
        (json!({ "action": "start", "ids": [id], "filter": { "tag": "a" } }), vec!["filter"]),
        (json!({ "action": "start", "filter": {} }), vec!["filter"]),
        (json!({ "action": "start", "filter": { "tag": "none" } }), vec!["filter"]),
        (json!({ "action": "start", "filter": { "colour": "red" } }), vec!["filter.colour"]),
        (json!({ "action": "shutdown", "ids": [id], "timeout_seconds": 0 }), vec!["timeout_seconds"]),
    ] {
        let (status, problem) = app.post("/v1/bulk", &wish).await;
        assert_eq!(status, 422, "{wish}: {problem}");
        let told: Vec<Value> = fields(&problem).into_iter().map(Value::String).collect();
        for field in wrong {
            assert!(told.contains(&json!(field)), "{field}: {problem}");
        }
    }
    assert_eq!(app.get(&format!("/v1/bulk/{id}")).await.0, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_watches_is_told_when_the_bus_tells_and_not_by_the_clock() {
    use futures_util::StreamExt as _;
    let app = TestApp::start().await;
    let mut ids = Vec::new();
    for number in 0..20 {
        ids.push(app.ready(&format!("c{number}")).await);
    }
    let (_, bulk) = app.post("/v1/bulk", &json!({ "action": "stop", "ids": ids })).await;
    let path = format!("/v1/bulk/{}/events", bulk["id"].as_str().unwrap());
    let mut stream = app.ask(Method::GET, &path).send().await.unwrap().bytes_stream();
    let mut said = String::new();
    while !said.contains("event: snapshot") {
        said += std::str::from_utf8(&stream.next().await.unwrap().unwrap()).unwrap();
    }
    assert_eq!(app.app.coordination.bus().watched(), 20);
    let operations: Vec<domain::OperationId> =
        bulk["operations"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().parse().unwrap()).collect();
    for (at, id) in operations.iter().enumerate() {
        app.work(*id, false).await;
        // Long before it would look by itself.
        let told = async {
            while !said.contains(&format!("\"succeeded\":{}", at + 1)) {
                said += std::str::from_utf8(&stream.next().await.unwrap().unwrap()).unwrap();
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), told).await.unwrap();
    }
    while let Some(more) = stream.next().await {
        said += std::str::from_utf8(&more.unwrap()).unwrap();
    }
    assert!(said.contains("event: complete") && !said.contains("heartbeat"), "{said}");
    drop(stream);
    while app.app.coordination.bus().watched() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_are_rebuilt_each_from_its_own_and_who_may_not_have_a_backup_is_refused_alone() {
    let app = TestApp::start().await;
    let shop = app.account("shop").await;
    let mut ids = Vec::new();
    for name in ["one", "two"] {
        let (container, create) = app.create_for(&shop, name).await;
        app.make_ready(&container, create.parse().unwrap()).await;
        ids.push(container);
    }
    let quota = app.ask(Method::PUT, &format!("/v1/accounts/{shop}/quota")).json(&json!({ "backups": 1 }));
    assert_eq!(answer(quota).await.0, 200);
    let wish = json!({ "action": "rebuild", "version": "current", "backup_first": true, "ids": ids });
    let (status, bulk) = app.post("/v1/bulk", &wish).await;
    assert_eq!(
        (status, &bulk["counts"]["accepted"], &bulk["counts"]["refused"]),
        (202, &json!(1), &json!(1)),
        "{bulk}"
    );
    assert_eq!(bulk["refused"][0]["type"], "quota-exceeded", "{bulk}");
    let mut kinds = Vec::new();
    for id in bulk["operations"].as_array().unwrap() {
        let (status, one) = app.get(&format!("/v1/operations/{}", id.as_str().unwrap())).await;
        kinds.extend((status == 200).then(|| one["kind"].as_str().unwrap().to_owned()));
    }
    assert_eq!(kinds, ["rebuild"]);
    for (wish, field) in [
        (json!({ "action": "rebuild", "version": "newest", "ids": ids }), "version"),
        (json!({ "action": "stop", "version": "current", "ids": ids }), "version"),
        (json!({ "action": "delete", "backup_first": true, "ids": ids }), "backup_first"),
    ] {
        let (status, problem) = app.post("/v1/bulk", &wish).await;
        assert_eq!((status, fields(&problem)), (422, vec![field.to_owned()]), "{problem}");
    }
    // Who may write but not delete may not empty them either.
    let member = app.somebody("ann", Some((&shop, "member"))).await;
    let wish = json!({ "action": "rebuild", "ids": ids });
    let (status, problem) = answer(app.as_of(&member.token, Method::POST, "/v1/bulk").json(&wish)).await;
    assert_eq!((status, problem["type"].as_str()), (403, Some("/problems/forbidden")), "{problem}");
}
