//! Tokens that open nothing, and what is another's: all refused, all in the audit.

use std::collections::BTreeSet;

use chrono::{SecondsFormat, TimeDelta};
use platform::clock;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{TestApp, answer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_stolen_token_opens_anything_and_every_try_is_in_the_audit() {
    let app = TestApp::start().await;
    let (shop, other) = (app.account("shop").await, app.account("other").await);
    let (container, operation) = app.create_for(&shop, "web1").await;
    let all = json!([
        "containers:read",
        "containers:write",
        "operations:read",
        "operations:write",
        "account:read",
        "keys:read",
        "keys:write"
    ]);
    let key = |name: &str, more: Value| {
        let mut wish = json!({ "name": name, "scopes": all });
        wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        wish
    };
    let soon = (clock::now() + TimeDelta::seconds(2)).to_rfc3339_opts(SecondsFormat::Millis, true);
    let expired = app.key(Some(&shop), &key("expired", json!({ "expires_at": soon }))).await;
    let revoked = app.key(Some(&shop), &key("revoked", json!({}))).await;
    assert_eq!(answer(app.ask(Method::DELETE, &format!("/v1/api-keys/{}", revoked.id))).await.0, 204);
    let elsewhere = app.key(Some(&shop), &key("elsewhere", json!({ "addresses": ["192.0.2.0/24"] }))).await;
    let good = app.key(Some(&shop), &key("good", json!({}))).await;
    let half = good.token.rsplit_once('_').unwrap().0.to_owned();
    let user = app.user("ann", true).await;
    let old_session = app.session(&user, -1).await;
    // As a verifier of signed tokens may be talked into: there is no algorithm to talk about.
    let unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJhZG1pbiJ9.";
    let confused =
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZG1pbiJ9.0000000000000000000000000000000000000000000";
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while answer(app.as_of(&expired.token, Method::GET, "/v1/containers")).await.0 != 401 {
        assert!(std::time::Instant::now() < until, "the key does not expire");
    }
    let tokens = [
        ("expired", expired.token.clone()),
        ("revoked", revoked.token.clone()),
        ("address", elsewhere.token.clone()),
        ("secret", format!("{half}_{}", "0".repeat(64))),
        ("unknown", format!("gantry_key_0000000000_{}", "0".repeat(64))),
        ("unknown", unsigned.to_owned()),
        ("unknown", confused.to_owned()),
        ("expired", old_session),
        ("unknown", half),
        ("unknown", String::new()),
    ];
    for (why, token) in &tokens {
        for path in ["/v1/containers", "/v1/me", &format!("/v1/containers/{container}")] {
            let (status, problem) = answer(app.as_of(token, Method::GET, path)).await;
            assert_eq!((status, problem["type"].as_str()), (401, Some("/problems/unauthenticated")), "{why} {token}");
            assert!(!problem.to_string().contains(&container));
        }
    }
    let (_, audit) = app.get("/v1/audit?action=access.credential_refused&limit=500").await;
    let told: BTreeSet<&str> =
        audit["items"].as_array().unwrap().iter().map(|entry| entry["data"]["why"].as_str().unwrap()).collect();
    assert_eq!(told, ["address", "expired", "revoked", "secret", "unknown"].into());
    let text = audit.to_string();
    assert!(tokens.iter().all(|(_, token)| token.is_empty() || !text.contains(token)), "no token is in the audit");

    // What is another's, in path, query, header and body.
    let thief = app.key(Some(&other), &key("thief", json!({}))).await;
    let wish = json!({ "hostname": "web9", "template": "plain" });
    for (method, path) in [
        (Method::GET, format!("/v1/containers/{container}")),
        (Method::POST, format!("/v1/containers/{container}/actions/stop")),
        (Method::GET, format!("/v1/operations/{operation}")),
        (Method::POST, format!("/v1/operations/{operation}/cancel")),
        (Method::GET, format!("/v1/operations/{operation}/events")),
        (Method::GET, format!("/v1/accounts/{shop}")),
        (Method::GET, format!("/v1/api-keys/{}", good.id)),
        (Method::DELETE, format!("/v1/api-keys/{}", good.id)),
        (Method::POST, format!("/v1/api-keys/{}/rotate", good.id)),
    ] {
        let request = app.as_of(&thief.token, method.clone(), &path).json(&json!({}));
        assert_eq!(answer(request).await.0, 404, "{method} {path}");
    }
    let (_, found) =
        answer(app.as_of(&thief.token, Method::GET, &format!("/v1/operations?container={container}"))).await;
    assert_eq!(found["items"], json!([]));
    let request = app.as_of(&thief.token, Method::POST, "/v1/containers").header("x-account", &shop).json(&wish);
    assert_eq!(answer(request).await.0, 404);
    let request =
        app.as_of(&thief.token, Method::GET, "/v1/containers").header("x-account", Uuid::now_v7().to_string());
    assert_eq!(answer(request).await.0, 404);
    let (_, audit) = app.get(&format!("/v1/audit?action=access.request_refused&key={}&limit=500", thief.id)).await;
    assert_eq!(audit["items"].as_array().unwrap().len(), 9, "{audit}");
    assert_eq!(answer(app.as_of(&good.token, Method::GET, "/v1/containers")).await.0, 200, "the owner goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_when_its_watcher_may_not_have_it_any_more() {
    let app = TestApp::start().await;
    let shop = app.account("shop").await;
    let (_, operation) = app.create_for(&shop, "web1").await;
    let key = app.key(Some(&shop), &json!({ "name": "watcher", "scopes": ["operations:read"] })).await;
    let stays = app.key(Some(&shop), &json!({ "name": "stays", "scopes": ["operations:read"] })).await;
    let path = format!("/v1/operations/{operation}/events");
    let mut watching = app.as_of(&key.token, Method::GET, &path).send().await.unwrap();
    let mut other = app.as_of(&stays.token, Method::GET, &path).send().await.unwrap();
    assert_eq!((watching.status(), other.status()), (reqwest::StatusCode::OK, reqwest::StatusCode::OK));
    assert!(watching.chunk().await.unwrap().is_some() && other.chunk().await.unwrap().is_some());
    assert_eq!(answer(app.ask(Method::DELETE, &format!("/v1/api-keys/{}", key.id))).await.0, 204);
    let ends = async { while watching.chunk().await.unwrap().is_some() {} };
    tokio::time::timeout(std::time::Duration::from_secs(10), ends).await.expect("it goes on without a right to");
    app.work(operation.parse().unwrap(), false).await;
    let mut seen = String::new();
    while let Some(chunk) = other.chunk().await.unwrap() {
        seen.push_str(&String::from_utf8_lossy(&chunk));
    }
    assert!(seen.contains("\"complete\""), "who still may sees the end");
}
