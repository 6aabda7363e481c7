//! `ETag`, `If-None-Match`, `If-Match`: nobody reads the same twice, nor changes what they have not seen.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::{TestApp, answer};

async fn read(app: &TestApp, path: &str) -> (String, Response) {
    let response = app.ask(Method::GET, path).send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    let tag = response.headers().get("etag").unwrap_or_else(|| panic!("{path} has no tag"));
    (tag.to_str().unwrap().to_owned(), response)
}

async fn again(app: &TestApp, path: &str, tag: &str) -> Response {
    app.ask(Method::GET, path).header("if-none-match", tag).send().await.unwrap()
}

/// One of everything that is known by a tag, by its path in the document.
async fn things(app: &TestApp) -> Vec<(&'static str, String)> {
    let container = app.ready("web1").await;
    let (_, operation) = app.create("web2").await;
    let (_, account) = app.post("/v1/accounts", &json!({ "name": "shop" })).await;
    let (_, user) = app.post("/v1/users", &json!({ "login": "ann@example.org" })).await;
    let (_, key) = app.post("/v1/api-keys", &json!({ "name": "ci", "scopes": ["containers:read"] })).await;
    let host = json!({
        "name": "pve", "addresses": ["127.0.0.1:1"], "token": { "id": "root@pam!x", "secret": "s" },
    });
    let (_, host) = app.post("/v1/hosts", &host).await;
    let id = |body: &Value| body["id"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned();
    vec![
        ("/v1/containers/{id}", container),
        ("/v1/operations/{id}", operation.to_string()),
        ("/v1/accounts/{id}", id(&account)),
        ("/v1/users/{id}", id(&user)),
        ("/v1/api-keys/{id}", id(&key)),
        ("/v1/hosts/{id}", id(&host)),
        ("/v1/templates/{name}", "web".to_owned()),
    ]
}

fn document() -> Value {
    serde_json::from_str(&api::openapi::document().unwrap()).unwrap()
}

fn has(operation: &Value, parameter: &str) -> bool {
    let wanted = format!("#/components/parameters/{parameter}");
    operation["parameters"].as_array().is_some_and(|all| all.iter().any(|one| one["$ref"] == wanted.as_str()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_still_the_same_is_not_sent_again() {
    let (app, document) = (TestApp::start().await, document());
    let things = things(&app).await;
    let mut tagged = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        if !has(&item["get"], "If-None-Match") {
            continue;
        }
        tagged += 1;
        assert!(
            item["get"]["responses"]["304"].is_object()
                && item["get"]["responses"]["200"]["headers"]["ETag"].is_object()
        );
        let (pattern, id) = things.iter().find(|(pattern, _)| pattern == path).unwrap_or_else(|| panic!("{path}"));
        let own = pattern.replace("{id}", id).replace("{name}", id);
        let (tag, first) = read(&app, &own).await;
        assert_eq!(first.headers()["cache-control"], "private, no-cache", "{path}");
        for known in [tag.as_str(), &format!("\"other\", {tag}"), tag.trim_start_matches("W/"), "*"] {
            let same = again(&app, &own, known).await;
            assert_eq!(
                (same.status().as_u16(), same.headers()["etag"].to_str().unwrap()),
                (304, tag.as_str()),
                "{path}"
            );
            assert_eq!(same.text().await.unwrap(), "", "{path}");
        }
        assert_eq!(again(&app, &own, "\"v999\"").await.status(), 200, "{path}");
    }
    assert_eq!(tagged, things.len(), "each kind of thing is known by a tag");
}

/// Every route that says so is refused for what was not seen, and nothing has changed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_seen_is_not_changed() {
    let (app, document) = (TestApp::start().await, document());
    let things = things(&app).await;
    let before = *app.app.log.head().borrow();
    let mut refused = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if !has(operation, "If-Match") {
                continue;
            }
            let (pattern, id) = things.iter().find(|(pattern, _)| path.starts_with(pattern)).unwrap();
            let own = path.replace(pattern, &pattern.replace("{id}", id)).replace("{name}", "before");
            let method: Method = method.to_uppercase().parse().unwrap();
            let mut request = app.ask(method.clone(), &own).header("if-match", "W/\"v999.00\"");
            if operation["requestBody"].is_object() {
                request = request.json(&body_of(path));
            }
            let (status, problem) = answer(request).await;
            assert_eq!((status, problem["type"].as_str()), (412, Some("/problems/stale")), "{method} {own}: {problem}");
            assert!(operation["responses"]["412"].is_object());
            refused += 1;
        }
    }
    assert!(refused > 20, "{refused}");
    assert_eq!(*app.app.log.head().borrow(), before, "nothing was written");
}

fn body_of(path: &str) -> Value {
    match path.rsplit('/').next().unwrap() {
        "resize" => json!({ "cores": 3 }),
        "root-password" => json!({}),
        "snapshots" => json!({ "name": "before" }),
        "quota" => json!({ "containers": 3 }),
        "maintenance" => json!({ "in_maintenance": true }),
        "pin" => json!({ "fingerprint": (["AA"; 32].join(":")) }),
        _ if path == "/v1/accounts/{id}" => json!({ "name": "store" }),
        _ if path == "/v1/users/{id}" => json!({ "disabled": true }),
        _ if path == "/v1/containers/{id}" => json!({ "description": "new" }),
        _ => json!({}),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_have_seen_the_same_one_changes_it() {
    let app = TestApp::start().await;
    let (_, account) = app.post("/v1/accounts", &json!({ "name": "shop" })).await;
    let path = format!("/v1/accounts/{}", account["id"].as_str().unwrap());
    let (tag, _) = read(&app, &path).await;
    let rename = |name: String| app.ask(Method::PATCH, &path).header("if-match", &tag).json(&json!({ "name": name }));
    let both = futures_util::future::join_all((0..8).map(|n| answer(rename(format!("shop{n}"))))).await;
    let mut statuses: Vec<u16> = both.iter().map(|(status, _)| *status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412]);
    let (now, _) = read(&app, &path).await;
    assert_ne!(now, tag);
    let (status, _) =
        answer(app.ask(Method::PATCH, &path).header("if-match", now).json(&json!({ "name": "last" }))).await;
    assert_eq!(status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_container_is_changed_as_seen_whatever_proxmox_says_meanwhile() {
    let app = TestApp::start().await;
    let id = app.ready("web1").await;
    let path = format!("/v1/containers/{id}");
    let (tag, _) = read(&app, &path).await;
    let seen = api::live::Live {
        power: domain::container::Power::Running,
        node: "pve1".into(),
        cpu: Some(0.5),
        memory_bytes: Some(1),
        disk_bytes: None,
        uptime_seconds: None,
        lock: None,
        seen_at: platform::clock::now(),
    };
    app.app.live.saw([(id.parse().unwrap(), seen)]);
    let (other, _) = read(&app, &path).await;
    assert!(other != tag && other.starts_with("W/"), "{tag} {other}");
    assert_eq!(again(&app, &path, &tag).await.status(), 200, "there is news of it");
    let change = |tag: &str, key: &str| {
        let request = app.ask(Method::POST, &format!("{path}/actions/resize")).json(&json!({ "cores": 3 }));
        request.header("if-match", tag.to_owned()).header("idempotency-key", key.to_owned())
    };
    let (status, first) = answer(change(&tag, "one")).await;
    assert_eq!(status, 202, "{first}");
    let (status, same) = answer(change(&tag, "one")).await;
    assert_eq!((status, &same["id"]), (202, &first["id"]), "sent again it is the same, though it has changed");
    let (status, problem) = answer(change(&tag, "two")).await;
    assert!(status == 412 || status == 409, "{status} {problem}");
}
