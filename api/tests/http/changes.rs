//! Resizing, changing, setting root's password: what is accepted, and who is told what when it is not.

use domain::container::{Container, ContainerCommand};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestApp, answer, fields, operation};

async fn resize(app: &TestApp, container: &str, body: &Value) -> (u16, Value) {
    app.post(&format!("/v1/containers/{container}/actions/resize"), body).await
}

async fn change(app: &TestApp, container: &str, body: &Value) -> (u16, Value) {
    answer(app.ask(Method::PATCH, &format!("/v1/containers/{container}")).json(body)).await
}

async fn password(app: &TestApp, container: &str, body: &Value) -> (u16, Value) {
    answer(app.ask(Method::PUT, &format!("/v1/containers/{container}/root-password")).json(body)).await
}

/// Ends the operation as the worker does.
async fn made(app: &TestApp, container: &str, accepted: &Value) {
    let (id, command) = (container.parse().unwrap(), ContainerCommand::RecordChange);
    app.app.log.execute::<Container>(id, command, &(), domain::Meta::system("worker")).await.unwrap();
    app.work(operation(accepted), false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resize_shows_in_the_detail_once_it_is_made_and_another_waits_for_it() {
    let app = TestApp::start().await;
    let container = app.ready("web1").await;
    let path = format!("/v1/containers/{container}");
    let had = app.get(&path).await.1;
    let (status, accepted) = resize(&app, &container, &json!({ "cores": 3, "memory_mb": 2048, "disk_gb": 100 })).await;
    assert_eq!((status, accepted["kind"].as_str()), (202, Some("resize")), "{accepted}");
    assert_eq!(app.get(&path).await.1["cores"], had["cores"], "not before it is so");
    for (status, problem) in [
        resize(&app, &container, &json!({ "cores": 4 })).await,
        change(&app, &container, &json!({ "tags": [] })).await,
        password(&app, &container, &json!({})).await,
    ] {
        assert_eq!((status, &problem["holder"]), (409, &accepted["links"]["self"]), "{problem}");
    }
    made(&app, &container, &accepted).await;
    let now = app.get(&path).await.1;
    assert_eq!([&now["cores"], &now["memory_mb"], &now["disk_gb"]], [&json!(3), &json!(2048), &json!(100)]);
    assert_eq!(now["swap_mb"], had["swap_mb"]);
    let (status, problem) = resize(&app, &container, &json!({ "disk_gb": 99 })).await;
    assert_eq!((status, fields(&problem)), (422, vec!["disk_gb".to_owned()]), "{problem}");
    assert!(problem["errors"][0]["problem"].as_str().unwrap().contains("100 GB"), "{problem}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_change_is_told_by_its_fields_and_nothing_is_accepted() {
    let app = TestApp::start().await;
    let container = app.ready("web1").await;
    let bad = [
        (
            "resize",
            json!({ "cores": 0, "memory_mb": 1, "swap_mb": 70000, "disk_gb": 0 }),
            "cores disk_gb memory_mb swap_mb",
        ),
        ("resize", json!({ "cores": 129 }), "cores"),
        ("resize", json!({ "cores": "many" }), "cores"),
        ("resize", json!({ "disk_gb": 1 }), "disk_gb"),
        ("resize", json!({ "disk_gb": -1 }), "disk_gb"),
        ("resize", json!({ "hostname": "x" }), "hostname"),
        ("resize", json!({}), ""),
        ("change", json!({}), ""),
        ("change", json!({ "hostname": "-x" }), "hostname"),
        ("change", json!({ "hostname": "" }), "hostname"),
        ("change", json!({ "tags": ["a b", "gantry"] }), "tags[0] tags[1]"),
        ("change", json!({ "tags": ["a", "A"] }), "tags[1]"),
        ("change", json!({ "tags": "a" }), "tags"),
        ("change", json!({ "description": "x".repeat(4097) }), "description"),
        ("change", json!({ "description": "gantry:container=1" }), "description"),
        ("change", json!({ "start_on_boot": "yes" }), "start_on_boot"),
        ("change", json!({ "memory_mb": 512 }), "memory_mb"),
        ("password", json!({ "root_password": "short" }), "root_password"),
        ("password", json!({ "root_password": "two\nlines of it" }), "root_password"),
        ("password", json!({ "root_password": "with:a colon" }), "root_password"),
        ("password", json!({ "password": "correct horse" }), "password"),
    ];
    for (what, body, wrong) in bad {
        let (status, problem) = match what {
            "resize" => resize(&app, &container, &body).await,
            "change" => change(&app, &container, &body).await,
            _ => password(&app, &container, &body).await,
        };
        assert_eq!((status, fields(&problem).join(" ").as_str()), (422, wrong), "{what} {body}: {problem}");
        assert!(!problem.to_string().contains("lines of it"), "a password is not told back");
    }
    let unknown = uuid::Uuid::nil().to_string();
    assert_eq!(resize(&app, &unknown, &json!({ "cores": 2 })).await.0, 404);
    assert_eq!(change(&app, &unknown, &json!({ "tags": [] })).await.0, 404);
    assert_eq!(password(&app, &unknown, &json!({})).await.0, 404);
    assert_eq!(app.get("/v1/operations").await.1["items"].as_array().unwrap().len(), 1, "only its create");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_not_ready_is_not_changed_and_told_why() {
    let app = TestApp::start().await;
    let (container, create) = app.create("web1").await;
    for (status, problem) in [
        resize(&app, &container, &json!({ "cores": 2 })).await,
        change(&app, &container, &json!({ "tags": [] })).await,
        password(&app, &container, &json!({})).await,
    ] {
        assert_eq!((status, &problem["holder"]), (409, &json!(format!("/v1/operations/{create}"))), "{problem}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_in_use_is_refused_with_who_has_it_and_its_own_is_no_conflict() {
    let app = TestApp::start().await;
    let container = app.ready("web1").await;
    let (other, _) = app.create("web2").await;
    let (status, problem) = change(&app, &container, &json!({ "hostname": "WEB2" })).await;
    assert_eq!((status, fields(&problem)), (409, vec!["hostname".to_owned()]), "{problem}");
    assert_eq!(problem["holder"], format!("/v1/containers/{other}"));
    let (status, accepted) = change(&app, &container, &json!({ "hostname": "web1", "description": " Ann's " })).await;
    assert_eq!(status, 202, "{accepted}");
    made(&app, &container, &accepted).await;
    assert_eq!(app.get(&format!("/v1/containers/{container}")).await.1["description"], "Ann's");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_key_is_one_change_also_when_the_disk_has_grown_since() {
    let app = TestApp::start().await;
    let container = app.ready("web1").await;
    let path = format!("/v1/containers/{container}/actions/resize");
    let ask = || answer(app.ask(Method::POST, &path).header("idempotency-key", "k").json(&json!({ "disk_gb": 20 })));
    let first = ask().await;
    assert_eq!(first.0, 202, "{}", first.1);
    made(&app, &container, &first.1).await;
    let (_, second) = resize(&app, &container, &json!({ "disk_gb": 30 })).await;
    made(&app, &container, &second).await;
    assert_eq!(ask().await, first);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resize_is_held_to_the_quota_and_one_that_failed_takes_nothing_of_it() {
    let app = TestApp::start().await;
    let shop = app.account("shop").await;
    answer(app.ask(Method::PUT, &format!("/v1/accounts/{shop}/quota")).json(&json!({ "cores": 4 }))).await;
    let member = app.somebody("ann", Some((&shop, "member"))).await;
    let wish = json!({ "hostname": "web1", "template": "plain", "cores": 1 });
    let (_, body) = answer(app.as_of(&member.token, Method::POST, "/v1/containers").json(&wish)).await;
    let container = body["container"].as_str().unwrap().to_owned();
    app.make_ready(&container, operation(&body)).await;
    let ask = async |cores: u32| {
        let path = format!("/v1/containers/{container}/actions/resize");
        answer(app.as_of(&member.token, Method::POST, &path).json(&json!({ "cores": cores }))).await
    };
    let used = async || app.get(&format!("/v1/accounts/{shop}")).await.1["used"]["cores"].clone();
    let (status, refused) = ask(5).await;
    assert_eq!((status, &refused["over"]), (409, &json!([{ "what": "cores", "limit": 4, "wanted": 5 }])), "{refused}");
    let (status, accepted) = ask(4).await;
    assert_eq!((status, used().await), (202, json!(4)), "{accepted}");
    let (id, drop) = (container.parse().unwrap(), ContainerCommand::DropChange);
    app.app.log.execute::<Container>(id, drop, &(), domain::Meta::system("worker")).await.unwrap();
    app.work(operation(&accepted), true).await;
    assert_eq!(used().await, json!(1));
    let (status, _) = app.post(&format!("/v1/operations/{}/retry", operation(&accepted)), &json!({})).await;
    assert_eq!((status, used().await), (202, json!(4)), "who retries takes it again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_was_made_is_told_once_and_is_in_no_answer_or_event_after() {
    let app = TestApp::start().await;
    let container = app.ready("web1").await;
    let (status, body) = password(&app, &container, &json!({})).await;
    assert_eq!((status, body["kind"].as_str()), (202, Some("root_password")), "{body}");
    let told = body["root_password"].as_str().unwrap().to_owned();
    assert_eq!(told.len(), 24);
    app.work(operation(&body), false).await;
    let (status, body) = password(&app, &container, &json!({ "root_password": "correct horse battery" })).await;
    assert_eq!((status, &body["root_password"]), (202, &Value::Null), "what the caller knows is not told back");
    let events = app.app.log.read(domain::Position(0), 500).await.unwrap();
    let all: String = events.iter().map(|event| event.data.to_string()).collect();
    let all = all + &app.get(&format!("/v1/operations/{}", operation(&body))).await.1.to_string();
    assert!(!all.contains(&told) && !all.contains("correct horse"), "a password stands in the log");
}
