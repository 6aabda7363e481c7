//! What would happen: told, and nothing of it done.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestApp, answer, fields};

fn host() -> Value {
    let pin = ["AB"; 32].join(":");
    let token = json!({ "id": "gantry@pve!main", "secret": "s" });
    json!({ "name": "pve", "addresses": ["127.0.0.1:1"], "fingerprint": pin, "token": token })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_tells_what_stands_in_the_way_and_writes_nothing() {
    let app = TestApp::start().await;
    assert_eq!(app.post("/v1/hosts", &host()).await.0, 201);
    let fixed = json!({ "hostname": "one", "template": "plain", "network": { "ipv4": { "address": "192.0.2.7/24" } } });
    assert_eq!(app.post("/v1/containers", &fixed).await.0, 202);
    let head = || *app.app.log.head().borrow();
    let at = head();
    let (status, plan) = app.post("/v1/containers?dry_run=true", &fixed).await;
    assert_eq!((status, plan["action"].as_str(), plan["possible"].as_bool()), (200, Some("create"), Some(false)));
    let told: Vec<&str> =
        plan["conflicts"].as_array().unwrap().iter().map(|one| one["field"].as_str().unwrap()).collect();
    for field in ["hostname", "network.ipv4.address", "node"] {
        assert!(told.contains(&field), "{field}: {plan}");
    }
    assert!(plan["notes"].to_string().contains("does not answer"), "{plan}");
    assert_eq!(head(), at, "nothing is written");
    // All that is wrong with the wish is told as when it is meant.
    let (status, problem) = app.post("/v1/containers?dry_run=true", &json!({ "template": "none", "cores": 0 })).await;
    assert_eq!((status, fields(&problem)), (422, vec!["cores".into(), "hostname".into(), "template".into()]));
    for wrong in ["dry_run=perhaps", "dryrun=true"] {
        assert_eq!(app.post(&format!("/v1/containers?{wrong}"), &fixed).await.0, 422, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delete_has_a_plan_too() {
    let app = TestApp::start().await;
    let (id, _) = app.create("web1").await;
    let ask = |path: String| answer(app.ask(Method::DELETE, &path));
    let (status, plan) = ask(format!("/v1/containers/{id}?dry_run=true")).await;
    assert_eq!((status, plan["action"].as_str(), plan["possible"].as_bool()), (200, Some("delete"), Some(false)));
    assert!(plan["conflicts"][0]["problem"].as_str().unwrap().contains("is at work on it"), "{plan}");
    assert_eq!(app.get(&format!("/v1/containers/{id}")).await.1["lifecycle"], "creating");
    let unknown = uuid::Uuid::now_v7();
    assert_eq!(ask(format!("/v1/containers/{unknown}?dry_run=true")).await.0, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn maintenance_is_said_of_hosts_and_of_nodes_that_there_are() {
    let app = TestApp::start().await;
    let id = app.post("/v1/hosts", &host()).await.1["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/hosts/{id}/maintenance");
    let put = |body: Value| answer(app.ask(Method::PUT, &path).json(&body));
    for (body, field) in [
        (json!({}), "in_maintenance"),
        (json!({ "in_maintenance": "yes" }), "in_maintenance"),
        (json!({ "in_maintenance": true, "node": "none" }), "node"),
        (json!({ "in_maintenance": true, "nodes": [] }), "nodes"),
    ] {
        let (status, problem) = put(body.clone()).await;
        assert_eq!((status, fields(&problem)[0].as_str()), (422, field), "{body}");
    }
    for (on, _) in [(true, 1), (true, 2), (false, 3)] {
        let (status, host) = put(json!({ "in_maintenance": on })).await;
        assert_eq!((status, host["in_maintenance"].as_bool()), (200, Some(on)));
    }
    use domain::host::{Host, HostCommand, Node};
    let node = Node { name: "pve1".into(), online: true, version: None, address: None, storages: vec![] };
    let sync = HostCommand::SyncNodes(vec![node]);
    app.app.log.execute::<Host>(id.parse().unwrap(), sync, &(), domain::Meta::system("test")).await.unwrap();
    let (status, host) = put(json!({ "in_maintenance": true, "node": "pve1" })).await;
    assert_eq!(
        (status, &host["nodes"][0]["in_maintenance"], &host["in_maintenance"]),
        (200, &json!(true), &json!(false))
    );
}
