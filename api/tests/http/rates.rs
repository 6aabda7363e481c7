//! How often one may ask: the same in one process and on Redis, where the suite is run again.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::{How, TestApp, answer};

const MOST: u64 = 6;

async fn limited() -> TestApp {
    TestApp::how(How { access: |access| access.at_most(MOST), ..How::default() }).await
}

/// What is left, and in how many seconds there is all of it again.
fn told(response: &Response) -> (u64, u64) {
    assert_eq!(response.headers()["ratelimit-policy"], format!("\"caller\";q={MOST};w=60").as_str());
    let text = response.headers()["ratelimit"].to_str().unwrap();
    let number = |name: &str| {
        let part = text.split(';').find_map(|part| part.strip_prefix(name)).unwrap();
        part.parse::<u64>().unwrap()
    };
    (number("r="), number("t="))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_answer_tells_what_is_left_and_then_when_to_come_again() {
    let app = limited().await;
    // Whatever comes of it: an answer, a handler's problem, a refusal before the handler.
    let paths = ["/v1/me", "/v1/containers?limit=0", "/v1/containers/x", "/nowhere", "/v1/hosts", "/v1/operations"];
    for (n, path) in paths.into_iter().enumerate() {
        let response = app.ask(Method::GET, path).send().await.unwrap();
        let (left, until) = told(&response);
        assert_eq!(left, MOST - n as u64 - 1, "{path}");
        assert!((1..=60).contains(&until), "{path}: {until}");
        assert_ne!(response.status(), 429, "{path}");
    }
    for _ in 0..2 {
        let response = app.ask(Method::GET, "/v1/me").send().await.unwrap();
        assert_eq!((response.status().as_u16(), told(&response).0), (429, 0));
        let after: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=60).contains(&after), "{after}");
        assert!(after <= told(&response).1, "asking then is in time");
        let problem: Value = response.json().await.unwrap();
        assert_eq!(problem["type"], "/problems/rate-limited");
        assert!(problem["detail"].as_str().unwrap().contains(&MOST.to_string()), "{problem}");
    }
    // What looks after the process is never held up.
    for path in ["/livez", "/readyz", "/problems/rate-limited", "/openapi.json"] {
        let response = app.client.get(format!("{}{path}", app.url)).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_caller_is_counted_alone() {
    let app = limited().await;
    let wish = json!({ "name": "ci", "scopes": ["containers:read"] });
    let (status, key) = app.post("/v1/api-keys", &wish).await;
    assert_eq!(status, 201, "{key}");
    for _ in 0..MOST {
        app.get("/v1/me").await;
    }
    assert_eq!(app.get("/v1/me").await.0, 429);
    let with_key = app.client.get(format!("{}/v1/containers", app.url)).bearer_auth(key["key"].as_str().unwrap());
    let response = with_key.send().await.unwrap();
    assert_eq!((response.status().as_u16(), told(&response).0), (200, MOST - 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_tries_tokens_is_slowed_and_does_not_slow_others() {
    let app = limited().await;
    for n in 0..MOST {
        let (status, _) = answer(app.client.get(format!("{}/v1/me", app.url)).bearer_auth(format!("guess-{n}"))).await;
        assert_eq!(status, 401);
    }
    let (status, problem) = answer(app.client.get(format!("{}/v1/me", app.url)).bearer_auth("guess")).await;
    assert_eq!((status, problem["type"].as_str()), (429, Some("/problems/rate-limited")));
    assert_eq!(app.get("/v1/me").await.0, 200, "a valid token comes in from the same address");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_processes_count_together_where_they_share() {
    let app = limited().await;
    app.get("/v1/me").await;
    let app = app.restart().await;
    let response = app.ask(Method::GET, "/v1/me").send().await.unwrap();
    let left = if crate::backend::on_servers() { MOST - 2 } else { MOST - 1 };
    assert_eq!(told(&response).0, left);
}

#[test]
fn every_route_that_counts_says_so_in_the_document() {
    let document: Value = serde_json::from_str(&api::openapi::document().unwrap()).unwrap();
    let shared = &document["components"]["responses"]["RateLimited"];
    for name in ["Retry-After", "RateLimit", "RateLimit-Policy"] {
        assert!(shared["headers"][name].is_object(), "{name}");
        assert!(document["components"]["headers"][name]["schema"].is_object(), "{name}");
    }
    let mut said = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if !path.starts_with("/v1") {
                continue;
            }
            said += 1;
            assert!(operation["responses"]["429"].is_object(), "{method} {path}");
            let closed = !operation["security"].as_array().is_some_and(|list| list.contains(&json!({})));
            for (status, answer) in operation["responses"].as_object().unwrap() {
                if status.starts_with('2') && closed {
                    assert!(answer["headers"]["RateLimit"].is_object(), "{method} {path} {status}");
                }
            }
        }
    }
    assert!(said > 60, "{said}");
}
