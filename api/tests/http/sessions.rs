use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestApp, answer};

const PASSWORD: &str = "correct horse battery";

/// A user with a password: their id and tokens.
async fn person(app: &TestApp, login: &str) -> (String, Value) {
    let (_, user) = app.post("/v1/users", &json!({ "login": login })).await;
    let link = json!({ "link": user["password_link"], "password": PASSWORD });
    let (status, tokens) = answer(app.client.post(format!("{}/v1/password", app.url)).json(&link)).await;
    assert_eq!(status, 200, "{tokens}");
    let (again, _) = answer(app.client.post(format!("{}/v1/password", app.url)).json(&link)).await;
    assert_eq!(again, 404, "a link is good for one use");
    (user["id"].as_str().unwrap().to_owned(), tokens)
}

async fn sign_in(app: &TestApp, login: &str, password: &str) -> (u16, Value) {
    let wish = json!({ "login": login, "password": password });
    answer(app.client.post(format!("{}/v1/session", app.url)).json(&wish)).await
}

async fn refresh(app: &TestApp, tokens: &Value) -> (u16, Value) {
    let wish = json!({ "refresh_token": tokens["refresh_token"] });
    answer(app.client.post(format!("{}/v1/session/refresh", app.url)).json(&wish)).await
}

async fn me(app: &TestApp, tokens: &Value) -> u16 {
    answer(app.as_of(tokens["access_token"].as_str().unwrap(), Method::GET, "/v1/me")).await.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_sets_a_password_signs_in_and_out() {
    let app = TestApp::start().await;
    let (_, first) = person(&app, "Ann@Example.org").await;
    assert_eq!(me(&app, &first).await, 200);
    let (status, second) = sign_in(&app, " ann@example.ORG ", PASSWORD).await;
    assert_eq!(status, 201, "{second}");
    let sign_out = |tokens: &Value, query: &str| {
        let token = tokens["access_token"].as_str().unwrap();
        answer(app.as_of(token, Method::DELETE, &format!("/v1/session{query}")))
    };
    assert_eq!(sign_out(&second, "").await.0, 204);
    assert_eq!((me(&app, &second).await, refresh(&app, &second).await.0, me(&app, &first).await), (401, 401, 200));
    let (_, third) = sign_in(&app, "ann@example.org", PASSWORD).await;
    assert_eq!(sign_out(&third, "?everywhere=true").await.0, 204);
    assert_eq!((me(&app, &first).await, me(&app, &third).await), (401, 401));
    assert_eq!(answer(app.ask(Method::DELETE, "/v1/session")).await.0, 409, "a key is no session");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_token_is_good_once_and_a_second_time_ends_the_session() {
    let app = TestApp::start().await;
    let (id, first) = person(&app, "ann").await;
    let (status, second) = refresh(&app, &first).await;
    assert_eq!(status, 200);
    assert_eq!((me(&app, &first).await, me(&app, &second).await), (401, 200));
    let (status, third) = refresh(&app, &second).await;
    assert_eq!((status, me(&app, &third).await), (200, 200));
    assert_eq!(refresh(&app, &first).await.0, 401, "somebody kept it");
    assert_eq!((me(&app, &third).await, refresh(&app, &third).await.0), (401, 401), "and nobody knows who it was");
    let (_, audit) = app.get(&format!("/v1/audit?resource=user-{id}&action=user.refresh_reused")).await;
    assert_eq!(audit["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_password_ends_every_session_and_the_old_one_opens_nothing() {
    let app = TestApp::start().await;
    let (id, first) = person(&app, "ann").await;
    let token = first["access_token"].as_str().unwrap();
    let change = |old: &str, new: &str| {
        answer(app.as_of(token, Method::PUT, "/v1/me/password").json(&json!({ "old": old, "new": new })))
    };
    assert_eq!(change("wrong", "another password").await.0, 422);
    assert_eq!(change(PASSWORD, "short").await.0, 422);
    let (status, second) = change(PASSWORD, "another password").await;
    assert_eq!(status, 200, "{second}");
    assert_eq!((me(&app, &first).await, me(&app, &second).await), (401, 200));
    assert_eq!(sign_in(&app, "ann", PASSWORD).await.0, 401);
    assert_eq!(sign_in(&app, "ann", "another password").await.0, 201);
    let disable = app.ask(Method::PATCH, &format!("/v1/users/{id}")).json(&json!({ "disabled": true }));
    assert_eq!(answer(disable).await.0, 200);
    assert_eq!((me(&app, &second).await, sign_in(&app, "ann", "another password").await.0), (401, 401));
    assert_eq!(answer(app.ask(Method::DELETE, &format!("/v1/users/{id}"))).await.0, 204);
    let (_, found) = app.get("/v1/users").await;
    assert!(!found.to_string().contains("ann"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_guesses_is_slowed_and_who_knows_comes_in() {
    let app = TestApp::start().await;
    person(&app, "ann").await;
    let (mut wrong, mut slowed) = (0, 0);
    for n in 0..30 {
        match sign_in(&app, "ann", &format!("guess number {n}")).await {
            (401, _) => wrong += 1,
            (429, problem) => {
                slowed += 1;
                assert_eq!(problem["type"], "/problems/rate-limited");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((wrong, slowed), (10, 20));
    let response = app.client.post(format!("{}/v1/session", app.url)).json(&json!({ "login": "ann", "password": "x" }));
    let wait = response.send().await.unwrap().headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap();
    assert!((1..=900).contains(&wait), "{wait}");
    // Those of others at the same address go on; so does nobody, in the same words.
    person(&app, "bob").await;
    assert_eq!(sign_in(&app, "bob", PASSWORD).await.0, 201);
    let (nobody, known) = (sign_in(&app, "nobody", "x").await.1, sign_in(&app, "bob", "x").await.1);
    assert_eq!(nobody["detail"], known["detail"]);
    let (_, audit) = app.get("/v1/audit?action=user.sign_in_refused").await;
    assert!(!audit["items"].as_array().unwrap().is_empty());
}
