//! Signing in by another provider, against a small one that signs real tokens; and what somebody who lies would send.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use api::oidc::{Client, Oidc};
use api::{People, Registration};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use platform::clock;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::signing_keys::{Keys, b64};
use crate::support::{TestApp, answer};

/// What the provider is to answer, and what it was asked.
#[derive(Default)]
struct State {
    /// Of the sign-in at hand.
    nonce: String,
    challenge: String,
    head: Value,
    /// Instead of what is true.
    claims: Value,
    with: String,
}

struct Provider {
    url: String,
    state: Arc<Mutex<State>>,
}

impl Provider {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (state, keys) = (Arc::new(Mutex::new(State::default())), Arc::new(Keys::new()));
        let (own, shared) = (url.clone(), state.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (own, shared, keys) = (own.clone(), shared.clone(), keys.clone());
                std::thread::spawn(move || serve(&stream, &own, &shared, &keys));
            }
        });
        Self { url, state }
    }

    /// Somebody says who they are there; what comes back to the program that waits.
    fn visit(&self, url: &str, head: Value, with: &str, claims: Value) -> (String, String) {
        let url = reqwest::Url::parse(url).unwrap();
        let find = |name: &str| url.query_pairs().find(|(found, _)| found == name).unwrap().1.into_owned();
        assert!(url.as_str().starts_with(&format!("{}/authorize?", self.url)));
        assert_eq!((find("response_type"), find("code_challenge_method")), ("code".into(), "S256".into()));
        assert_eq!((find("client_id"), find("redirect_uri")), ("gantry".into(), "http://127.0.0.1:40000/".into()));
        assert!(find("scope").split(' ').any(|scope| scope == "openid"));
        let mut state = self.state.lock().unwrap();
        *state = State { nonce: find("nonce"), challenge: find("code_challenge"), head, claims, with: with.into() };
        (find("state"), "the-code".to_owned())
    }
}

fn serve(stream: &TcpStream, own: &str, state: &Mutex<State>, keys: &Keys) {
    let mut reader = BufReader::new(stream);
    let (mut line, mut length, mut proof) = (String::new(), 0, String::new());
    reader.read_line(&mut line).unwrap();
    let path = line.split_whitespace().nth(1).unwrap_or_default().to_owned();
    loop {
        let mut head = String::new();
        reader.read_line(&mut head).unwrap();
        let head = head.trim();
        if head.is_empty() {
            break;
        }
        let (name, value) = head.split_once(':').unwrap();
        match name.to_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap(),
            "authorization" => value.trim().clone_into(&mut proof),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let (status, answer) = match path.as_str() {
        "/.well-known/openid-configuration" => (
            200,
            json!({
                "issuer": own, "authorization_endpoint": format!("{own}/authorize"),
                "token_endpoint": format!("{own}/token"), "jwks_uri": format!("{own}/keys"),
            }),
        ),
        "/keys" => (200, keys.published()),
        "/token" => {
            let state = state.lock().unwrap();
            let form: Vec<(String, String)> = form_urlencoded::parse(&body).into_owned().collect();
            let find =
                |name: &str| form.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value.as_str());
            let proven = b64(Sha256::digest(find("code_verifier"))) == state.challenge
                && proof == format!("Basic {}", STANDARD.encode("gantry:s3cret"))
                && (find("code"), find("grant_type")) == ("the-code", "authorization_code")
                && find("redirect_uri") == "http://127.0.0.1:40000/";
            if proven {
                (200, json!({ "id_token": token(own, &state, keys) }))
            } else {
                (400, json!({ "error": "invalid_grant" }))
            }
        }
        _ => (404, json!({})),
    };
    let text = answer.to_string();
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", text.len());
    let _ = (&*stream).write_all((head + &text).as_bytes());
}

fn token(own: &str, state: &State, keys: &Keys) -> String {
    let now = clock::now().timestamp();
    let mut claims = json!({
        "iss": own, "sub": "subject-1", "aud": "gantry", "iat": now, "exp": now + 300, "nonce": state.nonce,
        "email": "Ann@example.org", "email_verified": true, "name": "Ann",
    });
    claims.as_object_mut().unwrap().extend(state.claims.as_object().unwrap().clone());
    keys.sign(&state.head, &claims, &state.with)
}

async fn app(provider: &Provider, registration: Registration) -> TestApp {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let secret = Some("s3cret".to_owned().into());
    let client = Client { issuer: provider.url.clone(), id: "gantry".into(), secret };
    TestApp::with_people(People { registration, oidc: Some(Oidc::new(client).unwrap()), ..People::default() }).await
}

async fn send(app: &TestApp, path: &str, body: &Value) -> (u16, Value) {
    answer(app.client.post(format!("{}{path}", app.url)).json(body)).await
}

async fn begin(app: &TestApp) -> String {
    let (status, begun) = send(app, "/v1/session/oidc", &json!({ "port": 40000 })).await;
    assert_eq!(status, 201, "{begun}");
    begun["url"].as_str().unwrap().to_owned()
}

async fn sign_in(app: &TestApp, provider: &Provider, head: Value, with: &str, claims: Value) -> (u16, Value) {
    let (state, code) = provider.visit(&begin(app).await, head, with, claims);
    send(app, "/v1/session/oidc/finish", &json!({ "state": state, "code": code })).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_the_provider_knows_signs_in_and_stays_the_same() {
    let provider = Provider::start();
    let app = app(&provider, Registration::Closed).await;
    let ec = || json!({ "alg": "ES256", "kid": "ec" });
    assert_eq!(sign_in(&app, &provider, ec(), "ec", json!({})).await.0, 403, "nobody here has this identity");
    let ann = app.user("ann@example.org", false).await;
    let unseen = json!({ "email_verified": false });
    assert_eq!(sign_in(&app, &provider, ec(), "ec", unseen).await.0, 403, "anybody may write an address there");
    let (status, tokens) = sign_in(&app, &provider, ec(), "ec", json!({})).await;
    assert_eq!((status, tokens["user"].as_str()), (201, Some(&*ann)), "{tokens}");
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(answer(app.as_of(token, Method::GET, "/v1/me")).await.0, 200);
    // The identity is theirs from then on, whatever their address becomes; also with the other way to sign.
    let moved = json!({ "email": "new@example.org", "aud": ["gantry", "other"], "azp": "gantry" });
    let rsa = json!({ "alg": "RS256", "kid": "rsa" });
    assert_eq!(sign_in(&app, &provider, rsa, "rsa", moved).await.1["user"].as_str(), Some(&*ann));
    let (_, audit) = app.get(&format!("/v1/audit?resource=user-{ann}&action=user.identity_linked")).await;
    assert_eq!(audit["items"].as_array().unwrap().len(), 1);
    let disable = app.ask(Method::PATCH, &format!("/v1/users/{ann}")).json(&json!({ "disabled": true }));
    assert_eq!(answer(disable).await.0, 200);
    assert_eq!(sign_in(&app, &provider, ec(), "ec", json!({})).await.0, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_everybody_may_register_a_known_address_is_enough() {
    let provider = Provider::start();
    let app = app(&provider, Registration::Open).await;
    let head = || json!({ "alg": "ES256", "kid": "ec" });
    let (status, first) = sign_in(&app, &provider, head(), "ec", json!({})).await;
    assert_eq!(status, 201, "{first}");
    assert_eq!(sign_in(&app, &provider, head(), "ec", json!({})).await.1["user"], first["user"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_not_wholly_true_is_believed() {
    let provider = Provider::start();
    let app = app(&provider, Registration::Closed).await;
    app.user("ann@example.org", true).await;
    let now = clock::now().timestamp();
    let ec = json!({ "alg": "ES256", "kid": "ec" });
    for (what, head, with, claims) in [
        ("no signature", json!({ "alg": "none" }), "none", json!({})),
        ("no signature, in capitals", json!({ "alg": "NONE", "kid": "ec" }), "none", json!({})),
        ("a published key as a secret", json!({ "alg": "HS256", "kid": "ec" }), "secret", json!({})),
        ("another algorithm than the key's", json!({ "alg": "RS256", "kid": "ec" }), "rsa", json!({})),
        ("no signature at all", ec.clone(), "none", json!({})),
        ("somebody else's key", ec.clone(), "other", json!({})),
        ("an unknown key", json!({ "alg": "ES256", "kid": "theirs" }), "other", json!({})),
        ("a key in the token itself", json!({ "alg": "ES256", "jwk": { "kty": "EC" } }), "other", json!({})),
        ("another issuer", ec.clone(), "ec", json!({ "iss": "https://evil.example" })),
        ("for another client", ec.clone(), "ec", json!({ "aud": "other" })),
        ("for many, asked by another", ec.clone(), "ec", json!({ "aud": ["gantry", "other"] })),
        ("asked by another", ec.clone(), "ec", json!({ "azp": "other" })),
        ("expired", ec.clone(), "ec", json!({ "exp": now - 120 })),
        ("of long ago", ec.clone(), "ec", json!({ "iat": now - 3600 })),
        ("of tomorrow", ec.clone(), "ec", json!({ "iat": now + 3600 })),
        ("another nonce", ec.clone(), "ec", json!({ "nonce": "0".repeat(64) })),
        ("no nonce", ec.clone(), "ec", json!({ "nonce": null })),
    ] {
        let (status, problem) = sign_in(&app, &provider, head, with, claims).await;
        assert_eq!((status, problem["type"].as_str()), (401, Some("/problems/unauthenticated")), "{what}: {problem}");
        assert!(!problem.to_string().contains("eyJ"), "{what}");
    }
    // An answer is good once; and only for who began.
    let (state, code) = provider.visit(&begin(&app).await, ec.clone(), "ec", json!({}));
    let finish = |state: &str, code: &str| {
        let wish = json!({ "state": state, "code": code });
        answer(app.client.post(format!("{}/v1/session/oidc/finish", app.url)).json(&wish))
    };
    assert_eq!(finish(&"0".repeat(64), &code).await.0, 401, "a state that nobody began with");
    assert_eq!(finish(&state, &code).await.0, 201);
    assert_eq!(finish(&state, &code).await.0, 401, "played again");
    let (state, _) = provider.visit(&begin(&app).await, ec.clone(), "ec", json!({}));
    assert_eq!(finish(&state, "another-code").await.0, 401, "a code that the provider does not know");
    // A code that was stolen on the way is of no use to who did not begin: the proof key is another.
    let (first, second) = (begin(&app).await, begin(&app).await);
    let (stolen, _) = provider.visit(&first, ec.clone(), "ec", json!({}));
    let (_, code) = provider.visit(&second, ec, "ec", json!({}));
    assert_eq!(finish(&stolen, &code).await.0, 401, "begun by another");
    let (_, audit) = app.get("/v1/audit?action=access.credential_refused").await;
    assert!(!audit["items"].as_array().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_provider_nobody_signs_in_by_one() {
    let app = TestApp::start().await;
    assert_eq!(send(&app, "/v1/session/oidc", &json!({ "port": 40000 })).await.0, 409);
    assert_eq!(send(&app, "/v1/session/oidc/finish", &json!({ "state": "x", "code": "y" })).await.0, 409);
    let away = Client { issuer: "http://127.0.0.1:1".into(), id: "gantry".into(), secret: None };
    let people = People { oidc: Some(Oidc::new(away).unwrap()), ..People::default() };
    let app = TestApp::with_people(people).await;
    assert_eq!(send(&app, "/v1/session/oidc", &json!({ "port": 40000 })).await.0, 503);
}
