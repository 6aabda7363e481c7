//! `fields` and `sort`: of one shape wherever there is something to read.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestApp, answer, fields};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_fields_that_were_asked_for_are_sent() {
    let app = TestApp::start().await;
    let (id, _) = app.create("web1").await;
    let (status, one) = app.get(&format!("/v1/containers/{id}?fields=id,hostname")).await;
    assert_eq!((status, one), (200, json!({ "id": id, "hostname": "web1" })));
    let (_, list) = app.get("/v1/containers?fields=hostname&limit=10").await;
    assert_eq!(list, json!({ "items": [{ "hostname": "web1" }] }));
    app.create("web2").await;
    let (_, page) = app.get("/v1/containers?limit=1&fields=%20hostname%20,&sort=created_at").await;
    assert!(page["next"].is_string() && page["items"] == json!([{ "hostname": "web1" }]), "{page}");
    let next = page["next"].as_str().unwrap();
    let (_, rest) = app.get(&format!("/v1/containers?limit=1&fields=hostname&sort=created_at&cursor={next}")).await;
    assert_eq!(rest, json!({ "items": [{ "hostname": "web2" }] }));
    let whole = app.get("/v1/containers?fields=").await.1;
    assert!(whole["items"][0]["live"].is_object(), "none is all");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_that_answers_with_things_takes_fields_and_knows_them() {
    let app = TestApp::start().await;
    let document: Value = serde_json::from_str(&api::openapi::document().unwrap()).unwrap();
    let mut sparse = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let Some(parameters) = item["get"]["parameters"].as_array() else { continue };
        if !parameters.iter().any(|one| one["$ref"] == "#/components/parameters/fields") {
            continue;
        }
        sparse += 1;
        let own = path.replace("{id}", &uuid::Uuid::now_v7().to_string()).replace("{name}", "web");
        let (status, problem) = app.get(&format!("{own}?fields=colour")).await;
        assert_eq!((status, fields(&problem)), (422, vec!["fields".to_owned()]), "{path}: {problem}");
        assert!(problem["errors"][0]["fix"].as_str().unwrap().starts_with("choose of "), "{problem}");
    }
    assert!(sparse > 15, "{sparse}");
    let (status, _) = answer(app.ask(Method::POST, "/v1/containers?fields=id").json(&json!({}))).await;
    assert_eq!(status, 422, "a command has no such parameter");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_list_of_things_that_were_made_is_sorted_alike() {
    let app = TestApp::start().await;
    let document: Value = serde_json::from_str(&api::openapi::document().unwrap()).unwrap();
    let mut sorted = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let parameters = item["get"]["parameters"].as_array().cloned().unwrap_or_default();
        if !parameters.iter().any(|one| one["name"] == "cursor") || path.ends_with("/export") {
            continue;
        }
        let sort = parameters.iter().find(|one| one["name"] == "sort").unwrap_or_else(|| panic!("{path} has no sort"));
        assert!(sort.to_string().contains("-created_at"), "{path}: {sort}");
        if path.contains('{') {
            continue;
        }
        sorted += 1;
        for (by, status) in [("created_at", 200), ("-created_at", 200), ("newest", 422), ("", 422)] {
            assert_eq!(app.get(&format!("{path}?sort={by}")).await.0, status, "{path} {by}");
        }
    }
    assert!(sorted >= 6, "{sorted}");
}
