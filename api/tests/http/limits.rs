//! How much is read, and for how long.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{How, TestApp, answer};
use crate::watchers::Watching;

async fn limited() -> TestApp {
    let settings = api::Settings {
        workers: 2,
        body_limit: 4096,
        body_within: Duration::from_millis(300),
        ..api::Settings::default()
    };
    TestApp::how(How { settings, ..How::default() }).await
}

/// Sends the head of a request as it is, and the body piece by piece until the server says something.
async fn send_slowly(app: &TestApp, head: &str, piece: &[u8], pause: Duration) -> String {
    let mut stream = TcpStream::connect(app.url.trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "POST /v1/containers HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Bearer {}\r\n{head}\r\n",
        app.token
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut read, mut write) = stream.into_split();
    let piece = piece.to_vec();
    let sending = tokio::spawn(async move {
        while write.write_all(&piece).await.is_ok() {
            tokio::time::sleep(pause).await;
        }
    });
    let mut said = Vec::new();
    // Ends only when the server closes: it does not wait for the rest.
    let _ = read.read_to_end(&mut said).await;
    sending.abort();
    String::from_utf8_lossy(&said).into_owned()
}

fn problem(said: &str) -> Value {
    let (_, body) = said.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{said:?}"));
    serde_json::from_str(body).unwrap_or_else(|_| panic!("{said:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sends_slowly_is_told_so_and_let_go() {
    let app = limited().await;
    let said = send_slowly(&app, "content-length: 3000\r\n", b"{", Duration::from_millis(20)).await;
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    assert_eq!(problem(&said)["type"], "/problems/too-slow");
    let said = send_slowly(&app, "transfer-encoding: chunked\r\n", b"1\r\n{\r\n", Duration::from_millis(20)).await;
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    assert_eq!(app.get("/v1/me").await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_large_is_not_read_to_its_end() {
    let app = limited().await;
    let huge = format!("content-length: {}\r\n", 1_u64 << 40);
    let endless = format!("1000\r\n{}\r\n", "[".repeat(4096));
    for (head, piece) in [(huge.as_str(), "[".repeat(512)), ("transfer-encoding: chunked\r\n", endless)] {
        let said = send_slowly(&app, head, piece.as_bytes(), Duration::ZERO).await;
        assert!(said.starts_with("HTTP/1.1 413"), "{said}");
        assert_eq!(problem(&said)["type"], "/problems/too-large");
        assert!(problem(&said)["detail"].as_str().unwrap().contains("4096"));
    }
    let fits = app.ask(Method::POST, "/v1/containers").header("content-type", "application/json");
    assert_eq!(answer(fits.body(format!("{{{}}}", " ".repeat(4094)))).await.0, 422, "4096 bytes are read");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_takes_too_long_is_a_problem_and_a_stream_goes_on() {
    let settings = api::Settings { workers: 2, answer_within: Duration::from_millis(700), ..api::Settings::default() };
    let app = TestApp::how(How { settings, ..How::default() }).await;
    let (_, operation) = app.create("web1").await;
    let mut events = Watching::begin(&app, operation, None).await;
    assert_eq!(events.next().await.unwrap().name, "snapshot");
    // Nobody works on it, so that its end does not come.
    let wish = serde_json::json!({ "hostname": "web2", "template": "plain" });
    let waiting = app.ask(Method::POST, "/v1/containers").header("prefer", "wait=50").json(&wish);
    let response = waiting.send().await.unwrap();
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key("retry-after") && response.headers().contains_key("x-request-id"));
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["type"], "/problems/took-too-long", "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("0.7"), "{problem}");
    // By now the stream is older than any answer may be.
    let line = serde_json::json!({ "type": "log", "source": "test", "stream": "stdout", "message": "still here" });
    app.say(operation, &[line]).await;
    loop {
        let event = events.next().await.expect("the stream has ended");
        if event.data["message"] == "still here" {
            return;
        }
    }
}
