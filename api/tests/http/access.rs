use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

use crate::support::{TestApp, answer};

/// Every operation of the document: path with ids filled in, and whether it says that it needs a token.
pub(crate) fn routes() -> Vec<(Method, String, bool)> {
    let document: Value = serde_json::from_str(&api::openapi::document().unwrap()).unwrap();
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let filled = path
                .replace("{id}", &Uuid::now_v7().to_string())
                .replace("{name}", "web")
                .replace("{slug}", "busy")
                .replace("{user}", &Uuid::now_v7().to_string());
            let open =
                operation["security"].as_array().is_some_and(|s| s.iter().any(|s| s.as_object().unwrap().is_empty()));
            routes.push((method.to_uppercase().parse().unwrap(), filled, !open));
        }
    }
    routes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_that_says_so_needs_the_token() {
    let app = TestApp::start().await;
    let routes = routes();
    assert!(routes.iter().filter(|(_, _, closed)| *closed).count() > 10);
    for (method, path, closed) in routes {
        let bare = app.client.request(method.clone(), format!("{}{path}", app.url));
        let (status, body) = answer(bare.try_clone().unwrap()).await;
        assert_eq!(status == 401, closed, "{method} {path}: {status} {body}");
        if closed {
            assert_eq!(body["type"], "/problems/unauthenticated");
            for wrong in ["", "gantry_0", &app.token[1..], &format!("{}0", app.token)] {
                let (status, _) = answer(bare.try_clone().unwrap().bearer_auth(wrong)).await;
                assert_eq!(status, 401, "{method} {path} {wrong}");
            }
            let (status, _) = answer(bare.bearer_auth(&app.token)).await;
            assert_ne!(status, 401, "{method} {path}");
        }
    }
    let (status, _) = answer(app.client.get(format!("{}/nowhere", app.url))).await;
    assert_eq!(status, 401, "what is not there is not told to strangers either");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_bears_its_request_id_and_no_browser_may_frame_it() {
    let app = TestApp::start().await;
    let id = Uuid::now_v7().to_string();
    for path in ["/v1/containers", "/v1/containers/x", "/nowhere"] {
        let response = app.ask(Method::GET, path).header("x-request-id", &id).send().await.unwrap();
        assert_eq!(response.headers()["x-request-id"], id.as_str(), "{path}");
        assert_eq!(response.headers()["x-frame-options"], "DENY", "{path}");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff", "{path}");
        if !response.status().is_success() {
            assert_eq!(response.headers()["content-type"], "application/problem+json");
            assert_eq!(response.json::<Value>().await.unwrap()["request_id"], id.as_str());
        }
    }
    let (status, body) = answer(app.ask(Method::PUT, "/v1/containers")).await;
    assert_eq!((status, body["type"].as_str()), (405, Some("/problems/method-not-allowed")));
}
