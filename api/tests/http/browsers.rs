//! What browsers are told: which pages may ask, and what else they may do with an answer.

use domain::net::Net;
use reqwest::{Method, RequestBuilder, Response};

use crate::support::{How, TestApp};

const PAGE: &str = "https://console.example.org";

async fn for_pages() -> TestApp {
    let access =
        |access: api::access::Access| access.for_pages_of([PAGE.to_owned(), "http://localhost:5173".to_owned()]);
    TestApp::how(How { access, ..How::default() }).await
}

fn preflight(app: &TestApp, origin: &str) -> RequestBuilder {
    app.client
        .request(Method::OPTIONS, format!("{}/v1/containers", app.url))
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type,idempotency-key")
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listed_page_may_ask_and_read() {
    let app = for_pages().await;
    for origin in [PAGE, "http://localhost:5173"] {
        let asked = preflight(&app, origin).send().await.unwrap();
        assert_eq!((asked.status().as_u16(), header(&asked, "access-control-allow-origin")), (204, origin));
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            assert!(header(&asked, "access-control-allow-methods").contains(method), "{method}");
        }
        let allowed = header(&asked, "access-control-allow-headers").to_lowercase();
        for name in ["authorization", "content-type", "idempotency-key", "if-match", "prefer"] {
            assert!(allowed.contains(name), "{name}");
        }
        assert_eq!(header(&asked, "vary"), "Origin");
        // What fails is read too: a page has to show why.
        for (path, status) in [("/v1/me", 200), ("/v1/containers/x", 404), ("/nowhere", 404), ("/v1/hosts?x=1", 422)] {
            let response = app.ask(Method::GET, path).header("origin", origin).send().await.unwrap();
            assert_eq!(response.status(), status, "{path}");
            assert_eq!(header(&response, "access-control-allow-origin"), origin, "{path}");
            assert!(header(&response, "access-control-expose-headers").contains("ETag"), "{path}");
            assert!(response.headers().get_all("vary").iter().any(|value| value == "Origin"), "{path}");
            assert!(!response.headers().contains_key("access-control-allow-credentials"), "{path}");
        }
        let stranger = app.client.get(format!("{}/v1/me", app.url)).header("origin", origin).send().await.unwrap();
        assert_eq!((stranger.status().as_u16(), header(&stranger, "access-control-allow-origin")), (401, origin));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_other_page_may() {
    let app = for_pages().await;
    let others =
        ["https://evil.example.org", "null", "https://console.example.org.evil.com", "http://console.example.org", "*"];
    for origin in others {
        let asked = preflight(&app, origin).send().await.unwrap();
        assert_eq!(asked.status(), 401, "{origin}");
        let asked = [asked, app.ask(Method::GET, "/v1/me").header("origin", origin).send().await.unwrap()];
        for response in asked {
            let granted = response.headers().keys().any(|name| name.as_str().starts_with("access-control-"));
            assert!(!granted, "{origin}");
            assert!(response.headers().get_all("vary").iter().any(|value| value == "Origin"), "{origin}");
        }
    }
    let none = TestApp::start().await;
    let asked = preflight(&none, PAGE).send().await.unwrap();
    assert!(asked.status() == 401 && !asked.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_says_what_a_browser_may_not_do_with_it() {
    let app = TestApp::start().await;
    for path in ["/v1/me", "/v1/hosts?x=1", "/nowhere", "/docs/", "/livez", "/problems"] {
        let response = app.ask(Method::GET, path).send().await.unwrap();
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(header(&response, name), value, "{path}");
        }
        let policy = header(&response, "content-security-policy");
        assert!(policy.contains("default-src") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!response.headers().contains_key("strict-transport-security"), "{path}: it came without TLS");
    }
}

/// A proxy of ours tells who asked it and how; nobody else does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_listed_proxy_says_for_whom_and_how_it_asks() {
    let behind = |access: api::access::Access| access.behind(["127.0.0.0/8".parse::<Net>().unwrap()]);
    let (proxied, direct) = (TestApp::how(How { access: behind, ..How::default() }).await, TestApp::start().await);
    for (app, trusted) in [(&proxied, true), (&direct, false)] {
        let ask = |proto: &str| {
            app.ask(Method::POST, "/v1/accounts")
                .json(&serde_json::json!({ "name": format!("team{}", uuid::Uuid::now_v7().simple()) }))
                .header("x-forwarded-for", "6.6.6.6, 198.51.100.7")
                .header("x-forwarded-proto", proto.to_owned())
        };
        for (proto, https) in [("https", true), ("http", false), ("https, http", false), ("http, https", true)] {
            let response = ask(proto).send().await.unwrap();
            assert_eq!(response.status(), 201, "{proto}");
            let said = response.headers().contains_key("strict-transport-security");
            assert_eq!(said, trusted && https, "{proto} {trusted}");
        }
        let (_, audit) = app.get("/v1/audit?limit=1").await;
        let from = if trusted { "198.51.100.7" } else { "127.0.0.1" };
        assert_eq!(audit["items"][0]["address"], from, "{audit}");
    }
}
