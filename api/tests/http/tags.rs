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
    let schedules = format!("/v1/containers/{container}/schedules");
    let membership = format!("/v1/accounts/{}/members/{}", id(&account), id(&user));
    let greeter = json!({ "files": { "template.conf": GREETER } });
    for (path, body) in [
        (format!("{schedules}/before"), json!({ "every": "day" })),
        (membership.clone(), json!({ "role": "viewer" })),
        ("/v1/templates/greeter".to_owned(), greeter),
    ] {
        let (status, told) = answer(app.ask(Method::PUT, &path).json(&body)).await;
        assert_eq!(status, 200, "{path}: {told}");
    }
    vec![
        ("/v1/containers/{id}/schedules", schedules),
        ("/v1/containers/{id}", format!("/v1/containers/{container}")),
        ("/v1/operations/{id}", format!("/v1/operations/{operation}")),
        ("/v1/accounts/{id}/members/{user}", membership),
        ("/v1/accounts/{id}", format!("/v1/accounts/{}", id(&account))),
        ("/v1/users/{id}", format!("/v1/users/{}", id(&user))),
        ("/v1/api-keys/{id}", format!("/v1/api-keys/{}", id(&key))),
        ("/v1/hosts/{id}", format!("/v1/hosts/{}", id(&host))),
        ("/v1/templates/{name}", "/v1/templates/greeter".to_owned()),
    ]
}

const GREETER: &str = "TEMPLATE_APP=\"Greeter\"\nTEMPLATE_DESCRIPTION=\"Says hello\"\n";

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
        let (_, own) = things.iter().find(|(pattern, _)| pattern == path).unwrap_or_else(|| panic!("{path}"));
        let (tag, first) = read(&app, own).await;
        assert_eq!(first.headers()["cache-control"], "private, no-cache", "{path}");
        for known in [tag.as_str(), &format!("\"other\", {tag}"), tag.trim_start_matches("W/"), "*"] {
            let same = again(&app, own, known).await;
            assert_eq!(
                (same.status().as_u16(), same.headers()["etag"].to_str().unwrap()),
                (304, tag.as_str()),
                "{path}"
            );
            assert_eq!(same.text().await.unwrap(), "", "{path}");
        }
        assert_eq!(again(&app, own, "\"v999\"").await.status(), 200, "{path}");
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
            let (pattern, thing) = things.iter().find(|(pattern, _)| path.starts_with(pattern)).unwrap();
            let own = path.replace(pattern, thing).replace("{name}", "before");
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
    assert!(refused > 40, "{refused}");
    assert_eq!(*app.app.log.head().borrow(), before, "nothing was written");
}

fn body_of(path: &str) -> Value {
    match path.rsplit('/').next().unwrap() {
        "resize" => json!({ "cores": 3 }),
        "root-password" => json!({}),
        "snapshots" => json!({ "name": "before" }),
        "clone" | "containers" => json!({ "hostname": "copy" }),
        _ if path.ends_with("/schedules/{name}") => json!({ "every": "day", "at": "03:00" }),
        _ if path.ends_with("/members/{user}") => json!({ "role": "operator" }),
        _ if path == "/v1/templates/{name}" => json!({ "files": { "template.conf": GREETER } }),
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

/// A way of changing something: what is made first, its own path, and what is asked.
struct Way {
    first: Vec<(Method, String, Value)>,
    tagged: String,
    asked: (Method, String, Value),
}

/// Each time on something new, as most of them leave nothing behind.
async fn ways(app: &TestApp, round: usize) -> Vec<Way> {
    let container = format!("/v1/containers/{}", app.ready(&format!("web{round}")).await);
    let (_, failed) = app.create(&format!("new{round}")).await;
    let (_, account) = app.post("/v1/accounts", &json!({ "name": format!("shop{round}") })).await;
    let (_, user) = app.post("/v1/users", &json!({ "login": format!("ann{round}@example.org") })).await;
    let (_, key) = app.post("/v1/api-keys", &json!({ "name": "ci", "scopes": ["containers:read"] })).await;
    let of = |kind: &str, body: &Value| format!("/v1/{kind}/{}", body["id"].as_str().unwrap());
    let (operation, user, key) = (format!("/v1/operations/{failed}"), of("users", &user), of("api-keys", &key));
    let member = format!("{}/members/{}", of("accounts", &account), user.rsplit('/').next().unwrap());
    let (schedules, template) = (format!("{container}/schedules"), format!("/v1/templates/own{round}"));
    let (nightly, greeter) = (format!("{schedules}/nightly"), json!({ "files": { "template.conf": GREETER } }));
    let put = |path: &str, body: Value| (Method::PUT, path.to_owned(), body);
    let delete = |path: &str| (Method::DELETE, path.to_owned(), Value::Null);
    let set = || vec![put(&nightly, json!({ "every": "day" }))];
    let grant = || vec![put(&member, json!({ "role": "viewer" }))];
    let keep = || vec![put(&template, greeter.clone())];
    let way = |first, tagged: &str, asked| Way { first, tagged: tagged.to_owned(), asked };
    vec![
        way(set(), &schedules, put(&nightly, json!({ "every": "day", "at": "03:00" }))),
        way(set(), &schedules, delete(&nightly)),
        way(grant(), &member, put(&member, json!({ "role": "operator" }))),
        way(grant(), &member, delete(&member)),
        way(keep(), &template, put(&template, json!({ "files": { "template.conf": format!("{GREETER}# new\n") } }))),
        way(keep(), &template, delete(&template)),
        way(vec![], &operation, (Method::POST, format!("{operation}/cancel"), Value::Null)),
        way(vec![], &key, (Method::POST, format!("{key}/rotate"), json!({}))),
        way(vec![], &user, (Method::POST, format!("{user}/password-link"), Value::Null)),
        way(vec![], &user, delete(&user)),
        way(
            vec![],
            &container,
            (Method::POST, format!("{container}/clone"), json!({ "hostname": format!("copy{round}") })),
        ),
    ]
}

async fn ask(app: &TestApp, (method, path, body): &(Method, String, Value), tag: Option<&str>) -> (u16, Value) {
    let request = app.ask(method.clone(), path);
    let request = tag.into_iter().fold(request, |request, tag| request.header("if-match", tag));
    answer(if body.is_null() { request } else { request.json(body) }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_as_it_was_seen_is_changed_and_so_is_whatever_there_is() {
    let app = TestApp::start().await;
    for (round, tag) in [Some("seen"), Some("*"), None].into_iter().enumerate() {
        for way in ways(&app, round).await {
            for first in &way.first {
                let (status, told) = ask(&app, first, None).await;
                assert_eq!(status, 200, "{first:?}: {told}");
            }
            let (seen, _) = read(&app, &way.tagged).await;
            let (status, problem) = ask(&app, &way.asked, Some("\"v999\"")).await;
            assert_eq!((status, &problem["type"]), (412, &json!("/problems/stale")), "{:?}: {problem}", way.asked);
            let tag = tag.map(|tag| if tag == "seen" { seen.as_str() } else { tag });
            let (status, told) = ask(&app, &way.asked, tag).await;
            assert!((200..300).contains(&status), "{tag:?} {:?}: {status} {told}", way.asked);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_has_seen_what_is_not_there() {
    let app = TestApp::start().await;
    for way in ways(&app, 0).await.into_iter().filter(|way| way.asked.0 == Method::PUT) {
        for tag in ["*", "\"v1\""] {
            let (status, problem) = ask(&app, &way.asked, Some(tag)).await;
            assert_eq!(status, 412, "{:?}: {problem}", way.asked);
        }
    }
}
