//! Requests that nobody means: each gets a clean problem, soon, and the server stays as large as it was.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::TestApp;

const SEED: u64 = 0x6761_6e74_7279;
const REQUESTS: usize = 600;
/// No answer takes longer, on whatever machine this runs.
const PATIENCE: Duration = Duration::from_secs(20);
/// More than that is not needed for anything that fits into a request.
const MOST_MEBIBYTES: u64 = 192;

struct Dice(StdRng);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0.random_range(0..most)
    }

    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let mut bytes = vec![0; self.below(most)];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    fn path(&mut self) -> Vec<u8> {
        let known = [
            "/v1/containers",
            "/v1/containers/",
            "/v1/operations/",
            "/v1/hosts",
            "/v1/accounts/",
            "/v1/users",
            "/v1/audit",
            "/v1/templates/",
            "/v1/bulk",
            "/v1/api-keys/",
            "/problems/",
            "/livez",
            "/docs/",
            "/v1/me",
        ];
        let mut path = self.one_of(&known).as_bytes().to_vec();
        for _ in 0..self.below(4) {
            let part = [
                "%00",
                "%ff%fe",
                "../",
                "..%2f",
                "//",
                "%zz",
                "%",
                "?limit=99999999999999999999",
                "?cursor=%ff",
                "?fields=%00",
                "?sort=%c3%28",
                "01990000-0000-7000-8000-000000000001",
                "'--",
                "{id}",
                "?limit=-1&limit=1",
                "/actions/start",
                "/snapshots",
                "/credentials",
                "/members/x",
                "?since=+99999-01-01T00:00:00Z",
                "?q=&&&=",
            ];
            path.extend_from_slice(self.one_of(&part).as_bytes());
        }
        if self.below(20) == 0 {
            path.extend(std::iter::repeat_n(b'a', 20_000));
        }
        path
    }

    fn header(&mut self) -> Vec<u8> {
        let name = self.one_of(&[
            "idempotency-key",
            "x-reason",
            "x-account",
            "prefer",
            "if-match",
            "if-none-match",
            "traceparent",
            "x-request-id",
            "accept-encoding",
            "content-encoding",
            "last-event-id",
            "range",
            "expect",
            "x-forwarded-for",
        ]);
        let mut header = format!("{name}: ").into_bytes();
        match self.below(5) {
            0 => header.extend(std::iter::repeat_n(b'z', 5_000)),
            1 => header.extend_from_slice(b"\xff\xfe\xc3\x28"),
            2 => header.extend_from_slice(b"wait=99999999999999999999999"),
            3 => header.extend_from_slice(b"gzip, \"v1\", W/\"\", *, ,,"),
            _ => header.extend(self.bytes(40).into_iter().filter(|byte| !matches!(byte, b'\r' | b'\n' | 0))),
        }
        header.extend_from_slice(b"\r\n");
        header
    }

    fn body(&mut self) -> Vec<u8> {
        match self.below(9) {
            0 => "[".repeat(100_000).into_bytes(),
            1 => format!("{}1{}", "{\"a\":".repeat(50_000), "}".repeat(50_000)).into_bytes(),
            2 => format!("{{\"cores\": {}}}", "9".repeat(50_000)).into_bytes(),
            3 => b"{\"cores\": 1e999999999, \"memory_mb\": -0.0, \"disk_gb\": 18446744073709551616}".to_vec(),
            4 => b"{\"hostname\": \"a\\u0000b\", \"template\": \"\\ud800\"}".to_vec(),
            5 => b"{\"hostname\": \"\xff\xfe\xc3\x28\"}".to_vec(),
            6 => format!("{{{}\"x\": 1}}", "\"hostname\": \"a\",".repeat(20_000)).into_bytes(),
            7 => format!("{{\"hostname\": \"{}\", \"tags\": [{}]}}", "\u{1F600}".repeat(1000), "\"\",".repeat(1000))
                .into_bytes(),
            _ => self.bytes(3000),
        }
    }

    fn request(&mut self, token: &str) -> Vec<u8> {
        let method = self.one_of(&["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW"]);
        let mut request = format!("{method} ").into_bytes();
        request.extend(self.path());
        request.extend_from_slice(b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
        if self.below(10) > 0 {
            request.extend_from_slice(format!("authorization: Bearer {token}\r\n").as_bytes());
        }
        for _ in 0..self.below(4) {
            request.extend(self.header());
        }
        let kind = self.one_of(&["application/json", "application/json; charset=utf-16", "text/plain", "\u{1}"]);
        let body = if matches!(method, "GET" | "HEAD" | "OPTIONS") { Vec::new() } else { self.body() };
        request.extend_from_slice(format!("content-type: {kind}\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes());
        request.extend(body);
        request
    }
}

/// All that the server says until it closes.
async fn ask(app: &TestApp, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(app.url.trim_start_matches("http://")).await.unwrap();
    // It may have answered and closed before it was told everything.
    let _ = stream.write_all(request).await;
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said).await;
    said
}

fn mebibytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() / 1024
}

/// In a process of its own: what the other tests take meanwhile is not for this one to count.
#[test]
fn nonsense_is_answered_cleanly_and_soon() {
    let itself = std::env::current_exe().unwrap();
    let ran = std::process::Command::new(itself).args(["--exact", "fuzz::nonsense", "--ignored"]).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&ran.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "alone: `nonsense_is_answered_cleanly_and_soon` runs it"]
async fn nonsense() {
    let app = TestApp::start().await;
    let mut dice = Dice(StdRng::seed_from_u64(SEED));
    for _ in 0..50 {
        ask(&app, &dice.request(&app.token)).await;
    }
    let before = mebibytes();
    for number in 0..REQUESTS {
        let request = dice.request(&app.token);
        let shown = String::from_utf8_lossy(&request[..request.len().min(300)]).into_owned();
        let said = tokio::time::timeout(PATIENCE, ask(&app, &request)).await;
        let said = said.unwrap_or_else(|_| panic!("{number} is not answered: {shown}"));
        let text = String::from_utf8_lossy(&said);
        // What is no HTTP at all may find the connection closed.
        let Some(status) = text.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)) else {
            assert!(text.is_empty(), "{number}: {shown}: {text}");
            continue;
        };
        let status: u16 = status.parse().unwrap();
        assert!((200..500).contains(&status), "{number}: {shown}: {text}");
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        if head.contains("content-encoding: ") {
            continue;
        }
        if status >= 400 && head.contains("application/problem+json") && !shown.starts_with("HEAD") {
            let problem: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{number}: {shown}: {text}"));
            assert_eq!(problem["status"], status, "{text}");
            assert!(problem["type"].as_str().unwrap().starts_with("/problems/"), "{text}");
            assert!(body.len() < 100_000, "{number}: a problem is no larger than what it is about: {}", body.len());
        } else {
            // The web server itself: a head that is no HTTP, or is too large.
            assert!(
                status < 400 || shown.starts_with("HEAD") || matches!(status, 400 | 431),
                "{number}: {shown}: {text}"
            );
        }
    }
    let grown = mebibytes().saturating_sub(before);
    assert!(grown < MOST_MEBIBYTES, "the process grew by {grown} MiB");
    assert_eq!(app.get("/v1/me").await.0, 200, "and it goes on");
}

/// Many who never say all of it hold up nobody who does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_ends_holds_up_nobody() {
    let app = TestApp::start().await;
    let mut open = Vec::new();
    for number in 0..300 {
        let mut stream = TcpStream::connect(app.url.trim_start_matches("http://")).await.unwrap();
        let begun = match number % 3 {
            0 => "GET /v1/con".to_owned(),
            1 => format!("GET /v1/me HTTP/1.1\r\nauthorization: Bearer {}\r\nx-a: ", app.token),
            _ => format!(
                "POST /v1/containers HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{{",
                app.token
            ),
        };
        stream.write_all(begun.as_bytes()).await.unwrap();
        open.push(stream);
    }
    for _ in 0..20 {
        let said = tokio::time::timeout(PATIENCE, app.get("/v1/me")).await.unwrap();
        assert_eq!(said.0, 200);
    }
    drop(open);
}
