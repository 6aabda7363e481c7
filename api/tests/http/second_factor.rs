//! The second factor: begun, confirmed, asked for, lost.

use api::{People, Registration};
use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use platform::clock;
use reqwest::Method;
use serde_json::{Value, json};

use crate::mailbox::{Mailbox, link};
use crate::support::{TestApp, answer};

const PASSWORD: &str = "correct horse battery";

/// As an app makes it.
fn code(secret: &str, step: i64) -> String {
    let key = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    let sum =
        Hmac::<sha1::Sha1>::new_from_slice(&key).unwrap().chain_update(step.to_be_bytes()).finalize().into_bytes();
    let from = usize::from(sum[19] & 15);
    let number = u32::from_be_bytes(sum[from..from + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

async fn sign_in(app: &TestApp, code: Option<&str>) -> (u16, Value) {
    let mut wish = json!({ "login": "ann@example.org", "password": PASSWORD });
    if let Some(code) = code {
        wish["code"] = json!(code);
    }
    answer(app.client.post(format!("{}/v1/session", app.url)).json(&wish)).await
}

async fn actions(app: &TestApp, user: &str) -> Vec<(String, Value)> {
    let (_, audit) = app.get(&format!("/v1/audit?resource=user-{user}&limit=500")).await;
    let entries = audit["items"].as_array().unwrap().iter();
    entries.map(|entry| (entry["action"].as_str().unwrap().to_owned(), entry["data"].clone())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_factor_is_asked_for_once_it_is_confirmed_and_each_code_is_good_once() {
    let mut mail = Mailbox::open();
    let people = People {
        registration: Registration::Closed,
        url: Some("https://gantry.example.org".into()),
        mail: Some(mail.by_smtp()),
        ..People::default()
    };
    let app = TestApp::with_people(people).await;
    let (_, user) = app.post("/v1/users", &json!({ "login": "ann@example.org" })).await;
    let id = user["id"].as_str().unwrap();
    let set = async |link: &str, more: Value| {
        let mut wish = json!({ "link": link, "password": PASSWORD });
        wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        answer(app.client.post(format!("{}/v1/password", app.url)).json(&wish)).await
    };
    let (_, tokens) = set(user["password_link"].as_str().unwrap(), json!({})).await;
    let token = tokens["access_token"].as_str().unwrap();
    let own = |method: Method, path: &str, body: Value| {
        answer(app.as_of(token, method, &format!("/v1/me/totp{path}")).json(&body))
    };
    assert_eq!(own(Method::POST, "/confirm", json!({ "code": "000000" })).await.0, 409, "there is none");
    assert_eq!(own(Method::POST, "", json!({ "password": "wrong" })).await.0, 422);
    let (status, dropped) = own(Method::POST, "", json!({ "password": PASSWORD })).await;
    assert_eq!(status, 201, "{dropped}");
    let (_, offered) = own(Method::POST, "", json!({ "password": PASSWORD })).await;
    let secret = offered["secret"].as_str().unwrap();
    assert_ne!(dropped["secret"], secret);
    let uri = offered["uri"].as_str().unwrap();
    assert!(uri.starts_with("otpauth://totp/Gantry:ann%40example.org?") && uri.contains(secret), "{uri}");
    assert_eq!(sign_in(&app, None).await.0, 201, "what is not confirmed is not asked for");
    assert_eq!(own(Method::POST, "/confirm", json!({ "code": "12345" })).await.0, 422);
    let step = clock::now().timestamp() / 30;
    let (status, codes) = own(Method::POST, "/confirm", json!({ "code": code(secret, step - 1) })).await;
    assert_eq!(status, 200, "{codes}");
    let codes: Vec<&str> =
        codes["recovery_codes"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    assert_eq!(codes.len(), 10);

    for (given, wanted) in [(None, "code-required"), (Some("000"), "code-required"), (Some(""), "code-required")] {
        let (status, problem) = sign_in(&app, given).await;
        let kind = format!("/problems/{wanted}");
        assert_eq!((status, problem["type"].as_str()), (401, Some(kind.as_str())), "{given:?}");
    }
    let now = code(secret, step);
    let (one, two) = tokio::join!(sign_in(&app, Some(&now)), sign_in(&app, Some(&now)));
    assert_eq!(one.0.min(two.0) + one.0.max(two.0), 201 + 401, "of two with one code one comes in: {one:?} {two:?}");
    assert_eq!(sign_in(&app, Some(&now)).await.0, 401, "a code is good for one use");
    assert_eq!(sign_in(&app, Some(&code(secret, step - 1))).await.0, 401, "and so is that of the confirmation");
    assert_eq!(sign_in(&app, Some(&code(secret, step + 1))).await.0, 201);
    let replayed = actions(&app, id).await.into_iter().filter(|(action, _)| action == "user.code_refused");
    assert!(replayed.into_iter().any(|(_, data)| data["used_before"] == true), "a replay is in the audit");

    // Who lost the app.
    let written = codes[0].to_lowercase().replace('-', " ");
    assert_eq!(sign_in(&app, Some(&written)).await.0, 201);
    assert_eq!(sign_in(&app, Some(codes[0])).await.0, 401, "each is good once");
    assert_eq!(own(Method::GET, "", json!({})).await.1, json!({ "enabled": true, "recovery_codes_left": 9 }));
    assert!(actions(&app, id).await.iter().any(|(action, _)| action == "user.recovery_code_used"));

    // A link for a new password is no way around it.
    let ask = json!({ "email": "ann@example.org" });
    assert_eq!(answer(app.client.post(format!("{}/v1/password/reset", app.url)).json(&ask)).await.0, 202);
    let reset = link(&mail.next().await, "password");
    assert_eq!(set(&reset, json!({})).await.1["type"], "/problems/code-required");
    let (status, fresh) = set(&reset, json!({ "code": codes[1] })).await;
    assert_eq!(status, 200, "{fresh}");

    let token = fresh["access_token"].as_str().unwrap();
    let disable = |password: &str| {
        answer(app.as_of(token, Method::POST, "/v1/me/totp/disable").json(&json!({ "password": password })))
    };
    assert_eq!(disable("wrong").await.0, 422);
    assert_eq!((disable(PASSWORD).await.0, disable(PASSWORD).await.0), (204, 409));
    assert_eq!(sign_in(&app, None).await.0, 201);
    let told = actions(&app, id).await;
    for action in ["user.totp_enabled", "user.totp_disabled"] {
        assert!(told.iter().any(|(one, _)| one == action), "{action}: {told:?}");
    }
    assert!(!format!("{told:?}").contains(secret));
    assert_eq!(answer(app.ask(Method::DELETE, &format!("/v1/users/{id}/totp"))).await.0, 409);
    assert_eq!(answer(app.ask(Method::GET, "/v1/me/totp")).await.0, 409, "a key has none");
}
