use chrono::{SecondsFormat, TimeDelta};
use platform::clock;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestApp, answer, fields};

async fn asks(app: &TestApp, token: &str) -> u16 {
    answer(app.as_of(token, Method::GET, "/v1/containers")).await.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_may_what_its_scopes_say_and_is_kept_as_a_hash() {
    let app = TestApp::start().await;
    let shop = app.account("shop").await;
    let key = app.key(Some(&shop), &json!({ "name": "ci", "scopes": ["containers:read"] })).await;
    assert!(key.token.starts_with("gantry_key_"));
    assert_eq!(asks(&app, &key.token).await, 200);
    let wish = json!({ "hostname": "web1", "template": "plain" });
    let (status, problem) = answer(app.as_of(&key.token, Method::POST, "/v1/containers").json(&wish)).await;
    assert_eq!((status, problem["permission"].as_str()), (403, Some("containers:write")));
    let (_, shown) = app.get(&format!("/v1/api-keys/{}", key.id)).await;
    assert!(shown["key"].is_null() && key.token.starts_with(shown["prefix"].as_str().unwrap()), "{shown}");
    assert_eq!((shown["account"].as_str(), shown["last_used_from"].as_str()), (Some(shop.as_str()), Some("127.0.0.1")));
    assert!(shown["last_used_at"].is_string());
    let secret = key.token.rsplit_once('_').unwrap().1.to_owned();
    app.app.log.close().await;
    for entry in std::fs::read_dir(app.directory.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let content = std::fs::read(&path).unwrap();
            assert!(!content.windows(secret.len()).any(|window| window == secret.as_bytes()), "{}", path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_hands_out_more_than_they_have() {
    let app = TestApp::start().await;
    let shop = app.account("shop").await;
    let admin = app.somebody("ann", Some((&shop, "admin"))).await;
    let ask = |wish: Value| answer(app.as_of(&admin.token, Method::POST, "/v1/api-keys").json(&wish));
    let (status, problem) = ask(json!({ "name": "x", "scopes": ["containers:read", "hosts:write"] })).await;
    assert_eq!((status, fields(&problem)), (422, vec!["scopes".to_owned()]));
    assert!(problem.to_string().contains("hosts:write") && !problem.to_string().contains("containers:read"));
    let past = (clock::now() - TimeDelta::hours(1)).to_rfc3339_opts(SecondsFormat::Secs, true);
    let wish = json!({ "name": "no name", "scopes": [], "expires_at": past, "addresses": ["10.0.0.0/99"] });
    let (status, problem) = ask(wish).await;
    assert_eq!(
        (status, fields(&problem)),
        (422, ["addresses[0]", "expires_at", "name", "scopes"].map(String::from).to_vec())
    );
    let (status, made) = ask(json!({ "name": "x", "scopes": ["containers:read"] })).await;
    assert_eq!((status, made["account"].as_str()), (201, Some(shop.as_str())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotated_key_goes_on_for_its_overlap_and_a_revoked_one_does_not() {
    let app = TestApp::start().await;
    let shop = app.account("shop").await;
    let old = app.key(Some(&shop), &json!({ "name": "ci", "scopes": ["containers:read"] })).await;
    let path = format!("/v1/api-keys/{}/rotate", old.id);
    let (status, new) = app.post(&path, &json!({})).await;
    assert_eq!(
        (status, new["replaces"].as_str(), &new["scopes"]),
        (201, Some(old.id.as_str()), &json!(["containers:read"]))
    );
    let new_token = new["key"].as_str().unwrap();
    assert_eq!((asks(&app, &old.token).await, asks(&app, new_token).await), (200, 200), "both, for a while");
    assert_eq!(app.post(&path, &json!({})).await.0, 409, "one takes its place");
    let again = format!("/v1/api-keys/{}/rotate", new["id"].as_str().unwrap());
    let (_, last) = app.post(&again, &json!({ "overlap_seconds": 0 })).await;
    assert_eq!((asks(&app, new_token).await, asks(&app, last["key"].as_str().unwrap()).await), (401, 200));
    let gone = app.ask(Method::DELETE, &format!("/v1/api-keys/{}", last["id"].as_str().unwrap()));
    assert_eq!(answer(gone).await.0, 204);
    assert_eq!(asks(&app, last["key"].as_str().unwrap()).await, 401);
    assert_eq!(asks(&app, &old.token).await, 200);
    let (status, _) = answer(app.ask(Method::DELETE, &format!("/v1/accounts/{shop}"))).await;
    assert_eq!((status, asks(&app, &old.token).await), (204, 401), "nobody acts for a closed account");
}
