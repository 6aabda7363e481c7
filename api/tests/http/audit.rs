use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestApp, answer, operation};

fn items(page: &Value) -> Vec<Value> {
    page["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_did_is_found_by_who_where_what_and_when_also_after_a_deletion() {
    let app = TestApp::start().await;
    let (shop, other) = (app.account("shop").await, app.account("other").await);
    let ann = app.somebody("ann", Some((&shop, "operator"))).await;
    let eve = app.somebody("eve", Some((&other, "admin"))).await;
    let key = app.key(Some(&shop), &json!({ "name": "ci", "scopes": ["containers:write", "containers:read"] })).await;
    let wish = json!({ "hostname": "web1", "template": "plain" });
    let create = app.as_of(&key.token, Method::POST, "/v1/containers").header("x-reason", "ticket 42").json(&wish);
    let (status, made) = answer(create).await;
    assert_eq!(status, 202);
    let container = made["container"].as_str().unwrap().to_owned();
    app.work(operation(&made), false).await;
    let delete = app.as_of(&ann.token, Method::DELETE, &format!("/v1/containers/{container}"));
    let (status, deletion) = answer(delete).await;
    assert_eq!(status, 202);
    app.work(operation(&deletion), false).await;
    let asks = async |token: &str, query: &str| {
        let (status, page) = answer(app.as_of(token, Method::GET, &format!("/v1/audit?{query}"))).await;
        assert_eq!(status, 200, "{page}");
        items(&page)
    };
    let by_key = asks(&ann.token, &format!("key={}&action=operation.accepted", key.id)).await;
    assert_eq!(by_key.len(), 1);
    let entry = &by_key[0];
    assert_eq!((entry["reason"].as_str(), entry["address"].as_str()), (Some("ticket 42"), Some("127.0.0.1")));
    assert_eq!(
        (entry["actor"].as_str(), entry["account"].as_str()),
        (Some(format!("key:{}", key.id).as_str()), Some(shop.as_str()))
    );
    assert_eq!(asks(&ann.token, &format!("resource=container-{container}")).await.len(), 1);
    let by_ann = asks(&ann.token, &format!("actor=user:{}", ann.id)).await;
    assert_eq!(by_ann[0]["data"]["command"]["type"], "delete_container");
    assert!(asks(&ann.token, "since=2100-01-01T00:00:00Z").await.is_empty());
    assert!(asks(&ann.token, "address=192.0.2.1").await.is_empty());
    assert!(asks(&eve.token, &format!("key={}", key.id)).await.is_empty(), "another account's is not to be seen");
    let issued = asks(&ann.token, "action=api_key.issued").await;
    assert!(issued.len() == 1 && issued[0]["data"]["hash"].is_null());
    // A page at a time is the same as all at once, and as the export.
    let (mut paged, mut path) = (Vec::new(), "/v1/audit?limit=3&sort=created_at".to_owned());
    loop {
        let (_, page) = app.get(&path).await;
        paged.extend(items(&page));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/audit?limit=3&sort=created_at&cursor={next}");
    }
    let (_, exported) = answer(app.ask(Method::GET, "/v1/audit/export")).await;
    let lines: Vec<Value> =
        exported.as_str().unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, paged);
    assert!(lines.len() > 6);
    let replayed = app.app.log.replay(platform::log::Replaying::Compare).await.unwrap();
    assert!(replayed.agrees(), "{replayed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passwords_are_read_by_those_who_may_and_every_reading_is_recorded() {
    let app = TestApp::start().await;
    let shop = app.account("shop").await;
    let ann = app.somebody("ann", Some((&shop, "operator"))).await;
    let bob = app.somebody("bob", Some((&shop, "member"))).await;
    let wish = json!({ "hostname": "web1", "template": "plain" });
    let (_, made) = answer(app.as_of(&bob.token, Method::POST, "/v1/containers").json(&wish)).await;
    let path = format!("/v1/containers/{}/credentials", made["container"].as_str().unwrap());
    assert_eq!(answer(app.as_of(&bob.token, Method::GET, &path)).await.0, 403);
    let read = app.as_of(&ann.token, Method::GET, &path).header("x-reason", "locked out");
    let response = read.send().await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store");
    let credentials: Value = response.json().await.unwrap();
    assert_eq!((&credentials["user"], &credentials["root_password"]), (&json!("root"), &made["root_password"]));
    let (_, page) = app.get("/v1/audit?action=access.secret_read").await;
    let found = items(&page);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["data"]["container"], made["container"]);
    assert_eq!((found[0]["reason"].as_str(), found[0]["account"].as_str()), (Some("locked out"), Some(shop.as_str())));
    assert!(!page.to_string().contains(made["root_password"].as_str().unwrap()));
    let (_, refusals) = app.get("/v1/audit?action=access.request_refused").await;
    assert_eq!(items(&refusals)[0]["actor"], format!("user:{}", bob.id));
}
