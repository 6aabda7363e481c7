//! `sort` means the same on every list that the document says it of, and so does going on with a cursor.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestApp, answer};

/// Names that languages put in another order than bytes do.
const NAMES: [&str; 7] = ["web1", "web-2", "web10", "a-z", "aa", "b", "a1"];

async fn made(app: &TestApp, path: &str, body: Value) -> Value {
    let (status, told) = app.post(path, &body).await;
    assert!((200..300).contains(&status), "{path}: {status} {told}");
    told
}

/// Some of everything that is listed. The id is of an account.
async fn filled() -> (TestApp, String) {
    let app = TestApp::start().await;
    let account = made(&app, "/v1/accounts", json!({ "name": "shop" })).await["id"].as_str().unwrap().to_owned();
    for (number, name) in NAMES.into_iter().enumerate() {
        if number % 2 == 0 {
            drop(app.ready(name).await)
        } else {
            drop(app.create(name).await)
        }
        made(&app, "/v1/accounts", json!({ "name": name })).await;
        made(&app, "/v1/api-keys", json!({ "name": name, "scopes": ["containers:read"] })).await;
        let token = json!({ "id": "root@pam!x", "secret": "s" });
        made(&app, "/v1/hosts", json!({ "name": name, "addresses": ["127.0.0.1:1"], "token": token })).await;
        let user = made(&app, "/v1/users", json!({ "login": format!("{name}@example.org") })).await;
        let member = format!("/v1/accounts/{account}/members/{}", user["id"].as_str().unwrap());
        assert_eq!(answer(app.ask(Method::PUT, &member).json(&json!({ "role": "viewer" }))).await.0, 200);
    }
    (app, account)
}

async fn page(app: &TestApp, path: &str, query: &str) -> (Vec<Value>, Option<String>) {
    let (status, list) = app.get(&format!("{path}?{query}")).await;
    assert_eq!(status, 200, "{path}?{query}: {list}");
    (list["items"].as_array().unwrap().clone(), list["next"].as_str().map(str::to_owned))
}

async fn all(app: &TestApp, path: &str, sort: &str) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let (more, next) = page(app, path, &format!("limit=2&sort={sort}{cursor}")).await;
        items.extend(more);
        let Some(next) = next else { return items };
        cursor = format!("&cursor={next}");
    }
}

/// Audit entries and members tell their time by another name.
fn value(item: &Value, field: &str) -> String {
    let of = |field: &str| item.get(field).and_then(Value::as_str).map(str::to_owned);
    let time = || of("at").or_else(|| of("since"));
    of(field).or_else(time).unwrap_or_else(|| panic!("{field}: {item}"))
}

fn lists() -> Vec<(String, Vec<String>)> {
    let document: Value = serde_json::from_str(&api::openapi::document().unwrap()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let sorts = |item: &Value| -> Option<Vec<String>> {
        let parameters = item["get"]["parameters"].as_array()?;
        let sort = parameters.iter().find(|one| one["name"] == "sort")?;
        let words = sort["schema"]["enum"].as_array().unwrap_or_else(|| panic!("{sort}"));
        Some(words.iter().map(|word| word.as_str().unwrap().to_owned()).collect())
    };
    let all = paths.iter().filter_map(|(path, item)| Some((path.clone(), sorts(item)?)));
    all.filter(|(path, _)| path != "/v1/audit/export").collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_list_is_in_the_order_that_is_asked_for_page_by_page() {
    let (app, account) = filled().await;
    let mut sorted = 0;
    for (path, sorts) in lists() {
        let own = path.replace("{id}", &account);
        let (whole, _) = page(&app, &own, "limit=500").await;
        assert!(sorts.contains(&"-created_at".to_owned()) && sorts.contains(&"created_at".to_owned()), "{path}");
        for sort in sorts {
            let items = all(&app, &own, &sort).await;
            let texts: BTreeSet<String> = items.iter().map(Value::to_string).collect();
            assert_eq!((items.len(), texts.len()), (whole.len(), whole.len()), "{path} {sort}");
            let (field, descending) = sort.strip_prefix('-').map_or((sort.as_str(), false), |field| (field, true));
            let mut values: Vec<String> = items.iter().map(|item| value(item, field)).collect();
            if descending {
                values.reverse();
            }
            assert!(values.is_sorted(), "{path} {sort}: {values:?}");
            sorted += usize::from(items.len() >= NAMES.len());
        }
    }
    assert!(sorted >= 28, "{sorted}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_made_between_two_pages_moves_nothing() {
    let (app, _) = filled().await;
    let (first, next) = page(&app, "/v1/containers", "limit=3&sort=hostname").await;
    for name in ["a0", "zz"] {
        made(&app, "/v1/containers", json!({ "hostname": name, "template": "plain" })).await;
    }
    let cursor = format!("limit=50&sort=hostname&cursor={}", next.unwrap());
    let (rest, next) = page(&app, "/v1/containers", &cursor).await;
    let names: Vec<&str> = first.iter().chain(&rest).map(|item| item["hostname"].as_str().unwrap()).collect();
    assert_eq!(names, ["a-z", "a1", "aa", "b", "web-2", "web1", "web10", "zz"]);
    assert_eq!(next, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_there_is_not_is_told_with_those_that_there_are() {
    let (app, _) = filled().await;
    let (status, problem) = app.get("/v1/containers?sort=colour").await;
    assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("sort")), "{problem}");
    assert!(problem["errors"][0]["fix"].as_str().unwrap().contains("-hostname"), "{problem}");
    let (_, next) = page(&app, "/v1/containers", "limit=2&sort=hostname").await;
    let (status, problem) = app.get(&format!("/v1/containers?sort=lifecycle&cursor={}", next.unwrap())).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("cursor")), "{problem}");
}
