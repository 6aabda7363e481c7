//! A server and the commands that talk to it, as programs.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod run;

use run::{Call, Running, gantry, json, sqlite};

struct Server {
    url: String,
    token: String,
    running: Running,
}

fn serve(dir: &std::path::Path) -> Server {
    let call = gantry(&["serve", "--listen", "127.0.0.1:0"]).dir(dir).database(&sqlite(dir, "gantry.db"));
    let mut running = call.env("GANTRY_LOG__FILTER", "error").start();
    let (url, token) = running.first_words();
    Server { url, token, running }
}

impl Server {
    fn client(&self, arguments: &[&str]) -> Call {
        gantry(arguments).env("GANTRY_URL", &self.url).env("GANTRY_TOKEN", &self.token)
    }
}

#[test]
fn the_first_start_tells_the_token_once_and_every_list_is_json() {
    let dir = tempfile::tempdir().unwrap();
    let server = serve(dir.path());
    assert!(server.token.starts_with("gantry_"));
    for list in [&["ls", "--json"][..], &["operations", "--json"], &["host", "list", "--json"]] {
        assert_eq!(json(server.client(list))["items"], serde_json::json!([]), "{list:?}");
    }
    let stranger = server.client(&["ls"]).env("GANTRY_TOKEN", "another").run();
    assert!(stranger.code == 6 && stranger.stderr.contains("GANTRY_TOKEN"), "{}", stranger.stderr);
    let wrong = server.client(&["create", "bad_name", "--template", "none", "--cores", "0"]).run();
    assert_eq!(wrong.code, 6);
    assert!(wrong.stderr.contains("hostname:") && wrong.stderr.contains("cores:"), "{}", wrong.stderr);
    let missing = server.client(&["show", "nobody", "--json"]).run();
    let told: serde_json::Value = serde_json::from_str(&missing.stderr).unwrap();
    assert!(missing.code == 6 && told["error"].as_str().unwrap().contains("nobody"));
    let unasked = server.client(&["delete", "0199aaaa-0000-7000-8000-000000000000"]).run();
    assert!(unasked.code == 2 && unasked.stderr.contains("--yes"), "{}", unasked.stderr);
    assert_eq!(server.running.end(), 0);

    let again = serve(dir.path());
    assert!(again.token.is_empty(), "it is told once");
    assert_eq!(again.running.end(), 0);
}
