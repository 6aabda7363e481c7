//! People coming in: the first of all, those who are asked in or ask themselves, those who forgot their password.

use api::{People, Registration};
use chrono::TimeDelta;
use platform::clock;
use platform::people::setup;
use reqwest::Method;
use serde_json::{Value, json};

use crate::mailbox::{Mailbox, link};
use crate::support::{TestApp, answer};

const PASSWORD: &str = "correct horse battery";

async fn send(app: &TestApp, path: &str, body: &Value) -> (u16, Value) {
    answer(app.client.post(format!("{}{path}", app.url)).json(body)).await
}

async fn sign_in(app: &TestApp, login: &str, password: &str) -> u16 {
    send(app, "/v1/session", &json!({ "login": login, "password": password })).await.0
}

async fn me(app: &TestApp, tokens: &Value) -> (u16, Value) {
    answer(app.as_of(tokens["access_token"].as_str().unwrap(), Method::GET, "/v1/me")).await
}

async fn actions(app: &TestApp, resource: &str) -> Vec<String> {
    let (_, audit) = app.get(&format!("/v1/audit?resource={resource}&limit=500")).await;
    audit["items"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap().to_owned()).collect()
}

fn people(mail: &Mailbox, registration: Registration) -> People {
    People {
        registration,
        url: Some("https://gantry.example.org".into()),
        mail: Some(mail.by_smtp()),
        ..People::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_administrator_comes_in_by_a_link_that_is_good_once() {
    let app = TestApp::start().await;
    let db = app.app.log.db();
    let wish = |link: &str, login: &str| json!({ "link": link, "login": login, "name": "Ann", "password": PASSWORD });
    let stale = setup::offer(db, clock::now() - TimeDelta::hours(25)).await.unwrap().unwrap();
    assert_eq!(send(&app, "/v1/setup", &wish(stale.expose(), "ann@example.org")).await.0, 404, "it has expired");
    let link = setup::offer(db, clock::now()).await.unwrap().unwrap();
    let link = link.expose();
    for (wrong, fields) in [
        (json!({ "link": link, "login": "a b", "password": "short", "name": "" }), 3),
        (json!({ "link": link, "default": true }), 3),
    ] {
        let (status, problem) = send(&app, "/v1/setup", &wrong).await;
        assert_eq!((status, problem["errors"].as_array().unwrap().len()), (422, fields), "{problem}");
    }
    assert_eq!(send(&app, "/v1/setup", &wish(&"0".repeat(64), "ann@example.org")).await.0, 404);
    let (one, two) = (wish(link, "ann@example.org"), wish(link, "eve@example.org"));
    let (one, two) = tokio::join!(send(&app, "/v1/setup", &one), send(&app, "/v1/setup", &two));
    let mut statuses = [one.0, two.0];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 404], "of two at once one is the first: {one:?} {two:?}");
    let tokens = if one.0 == 201 { one.1 } else { two.1 };
    let (_, own) = me(&app, &tokens).await;
    assert_eq!(own["permissions"].as_array().unwrap().len(), domain::Permission::ALL.len());
    assert!(setup::offer(db, clock::now()).await.unwrap().is_none(), "there is somebody");
    assert_eq!(send(&app, "/v1/setup", &wish(link, "x@example.org")).await.0, 404);
    let told = actions(&app, &format!("user-{}", tokens["user"].as_str().unwrap())).await;
    assert_eq!(told, ["user.signed_in", "user.password_set", "user.created"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_for_links_brings_all_that_it_needs_and_asks_nobody_else() {
    let app = TestApp::start().await;
    for page in ["setup", "invitation", "password", "page.js", "page.css"] {
        let response = app.client.get(format!("{}/welcome/{page}", app.url)).send().await.unwrap();
        assert_eq!(response.status(), 200, "{page}");
        let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        let text = response.text().await.unwrap();
        assert!(!text.contains("http:") && !text.contains("https:"), "{page}");
    }
    assert_eq!(app.client.get(format!("{}/welcome/other", app.url)).send().await.unwrap().status(), 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_asked_in_comes_in_once_with_the_role_and_leaves() {
    let mut mail = Mailbox::open();
    let app = TestApp::with_people(people(&mail, Registration::Invitation)).await;
    let (shop, other) = (app.account("shop").await, app.account("other").await);
    let boss = app.somebody("boss", Some((&shop, "admin"))).await;
    let stranger = app.somebody("eve", Some((&other, "admin"))).await;
    let invite = |email: &str, role: &str| {
        let wish = json!({ "email": email, "role": role });
        answer(app.as_of(&boss.token, Method::POST, "/v1/invitations").json(&wish))
    };
    assert_eq!(invite("no address", "member").await.0, 422);
    let (status, invited) = invite("Bob@Example.org", "operator").await;
    assert_eq!(
        (status, invited["account"].as_str(), invited["email"].as_str()),
        (201, Some(&*shop), Some("bob@example.org"))
    );
    let letter = mail.next().await;
    let code = link(&letter, "invitation");
    assert!(letter.contains("To: bob@example.org") && letter.contains("account shop"), "{letter}");
    assert_eq!(invited["link"], code.as_str());
    let (_, mine) = answer(app.as_of(&boss.token, Method::GET, "/v1/invitations")).await;
    let (_, theirs) = answer(app.as_of(&stranger.token, Method::GET, "/v1/invitations")).await;
    assert_eq!((mine["items"].as_array().unwrap().len(), &theirs["items"]), (1, &json!([])));
    assert!(!mine.to_string().contains(&code), "the link is told once");

    let accept = |code: &str, password: &str| {
        let wish = json!({ "invitation": code, "name": "Bob", "password": password });
        let path = format!("{}/v1/invitations/accept", app.url);
        answer(app.client.post(path).json(&wish))
    };
    assert_eq!(accept(&code, "short").await.0, 422);
    assert_eq!(accept(&"0".repeat(64), PASSWORD).await.0, 404);
    let (one, two) = tokio::join!(accept(&code, PASSWORD), accept(&code, PASSWORD));
    let won = if one.0 == 201 { &one } else { &two };
    assert_eq!(won.0, 201, "{one:?} {two:?}");
    assert!(one.0 != two.0, "it is good for one use: {one:?} {two:?}");
    let (_, own) = me(&app, &won.1).await;
    assert!(own["account"] == shop.as_str() && own["permissions"].to_string().contains("containers:delete"), "{own}");
    assert_eq!(accept(&code, PASSWORD).await.0, 404);

    // Who has a login gives its password.
    let (_, again) = invite("bob@example.org", "viewer").await;
    let code = again["link"].as_str().unwrap();
    assert_eq!(accept(code, "not the right one").await.0, 401);
    assert_eq!(accept(code, PASSWORD).await.0, 201);
    let (_, own) = me(&app, &won.1).await;
    assert!(!own["permissions"].to_string().contains("containers:write"), "the role is the newer one: {own}");

    // Withdrawn: it opens nothing.
    let (_, third) = invite("carl@example.org", "viewer").await;
    let path = format!("/v1/invitations/{}", third["id"].as_str().unwrap());
    assert_eq!(answer(app.as_of(&stranger.token, Method::DELETE, &path)).await.0, 404);
    assert_eq!(answer(app.as_of(&boss.token, Method::DELETE, &path)).await.0, 204);
    assert_eq!(accept(third["link"].as_str().unwrap(), PASSWORD).await.0, 404);
    let told = actions(&app, "invitation").await;
    for action in ["invitation.offered", "invitation.accepted", "invitation.withdrawn"] {
        assert!(told.iter().any(|one| one == action), "{action}: {told:?}");
    }

    let token = won.1["access_token"].as_str().unwrap();
    let leave = || answer(app.as_of(token, Method::DELETE, &format!("/v1/me/accounts/{shop}")));
    assert_eq!((leave().await.0, leave().await.0), (204, 404));
    assert_eq!(me(&app, &won.1).await.1["account"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_registration_is_closed_only_the_installation_lets_people_in() {
    let mail = Mailbox::open();
    for (registration, invites) in [(Registration::Closed, 403), (Registration::Invitation, 201)] {
        let app = TestApp::with_people(people(&mail, registration)).await;
        let shop = app.account("shop").await;
        let boss = app.somebody("boss", Some((&shop, "admin"))).await;
        let wish = json!({ "email": "bob@example.org" });
        assert_eq!(answer(app.as_of(&boss.token, Method::POST, "/v1/invitations").json(&wish)).await.0, invites);
        assert_eq!(answer(app.ask(Method::POST, "/v1/invitations").json(&wish)).await.0, 201);
        assert_eq!(send(&app, "/v1/registrations", &wish).await.0, 403);
    }
    let app = TestApp::start().await;
    let (status, problem) = send(&app, "/v1/password/reset", &json!({ "email": "bob@example.org" })).await;
    assert_eq!((status, problem["type"].as_str()), (409, Some("/problems/not-possible")), "no mail, no reset");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_everybody_may_register_a_letter_alone_tells_who_is_known() {
    let mut mail = Mailbox::open();
    let app = TestApp::with_people(people(&mail, Registration::Open)).await;
    let ask = |email: &str| {
        let path = format!("{}/v1/registrations", app.url);
        answer(app.client.post(path).json(&json!({ "email": email })))
    };
    let first = ask("ann@example.org").await;
    let code = link(&mail.next().await, "invitation");
    let (status, tokens) =
        send(&app, "/v1/invitations/accept", &json!({ "invitation": code, "password": PASSWORD })).await;
    assert_eq!(status, 201, "{tokens}");
    assert_eq!(me(&app, &tokens).await.1["permissions"], json!([]), "and belongs to nobody's account");
    assert_eq!(sign_in(&app, "ann@example.org", PASSWORD).await, 201);
    let second = ask("ann@example.org").await;
    assert_eq!(first, second, "the answer is the same");
    assert_eq!(first.0, 202);
    let letter = mail.next().await;
    assert!(letter.contains("You have one already") && !letter.contains("/welcome/"), "{letter}");
    assert_eq!(ask("no address").await.0, 422);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_forgot_their_password_sets_another_once_and_nobody_learns_who_is_known() {
    let mut mail = Mailbox::open();
    let app = TestApp::with_people(people(&mail, Registration::Closed)).await;
    let (_, user) = app.post("/v1/users", &json!({ "login": "ann@example.org" })).await;
    let set = |link: &str, password: &str| {
        let path = format!("{}/v1/password", app.url);
        answer(app.client.post(path).json(&json!({ "link": link, "password": password })))
    };
    let (_, tokens) = set(user["password_link"].as_str().unwrap(), PASSWORD).await;
    assert_eq!(me(&app, &tokens).await.0, 200);
    let ask = |email: &str| {
        let path = format!("{}/v1/password/reset", app.url);
        answer(app.client.post(path).json(&json!({ "email": email })))
    };
    let (nobody, known) = (ask("nobody@example.org").await, ask("Ann@example.org").await);
    assert_eq!((nobody.0, &nobody), (202, &known));
    let old = link(&mail.next().await, "password");
    ask("ann@example.org").await;
    let letter = mail.next().await;
    assert!(letter.contains("To: ann@example.org"), "{letter}");
    let code = link(&letter, "password");
    assert_eq!(set(&old, "another password").await.0, 404, "the newer one is the one that is good");
    assert_eq!(me(&app, &tokens).await.0, 200, "asking changes nothing");
    let (status, fresh) = set(&code, "another password").await;
    assert_eq!((status, me(&app, &tokens).await.0, me(&app, &fresh).await.0), (200, 401, 200), "all sessions end");
    assert_eq!(set(&code, "a third password").await.0, 404, "it is good for one use");
    assert_eq!(
        (sign_in(&app, "ann@example.org", PASSWORD).await, sign_in(&app, "ann@example.org", "another password").await),
        (401, 201)
    );
    // Nobody fills a mailbox; and who asks for many is told so, whoever they are for.
    ask("ann@example.org").await;
    mail.next().await;
    assert_eq!(ask("ann@example.org").await.0, 202);
    let mut last = 202;
    for n in 0..20 {
        last = ask(&format!("nobody{n}@example.org")).await.0;
    }
    assert_eq!(last, 429);
    assert!(mail.is_empty(), "the fourth letter was not written");
    let told = actions(&app, &format!("user-{}", user["id"].as_str().unwrap())).await;
    assert_eq!(told.iter().filter(|action| *action == "user.link_offered").count(), 3, "{told:?}");
}
