//! A server and the commands that talk to it, as programs.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod run;

use run::{Call, Running, gantry, json, sqlite};

struct Server {
    url: String,
    token: String,
    link: String,
    running: Running,
}

fn serve(dir: &std::path::Path) -> Server {
    let token = run::token(&sqlite(dir, "gantry.db"));
    let call = gantry(&["serve", "--listen", "127.0.0.1:0"]).dir(dir).database(&sqlite(dir, "gantry.db"));
    let mut running = call.env("GANTRY_LOG__FILTER", "error").start();
    let (url, link) = running.first_words();
    Server { url, token, link, running }
}

impl Server {
    fn client(&self, arguments: &[&str]) -> Call {
        gantry(arguments).env("GANTRY_URL", &self.url).env("GANTRY_TOKEN", &self.token)
    }
}

#[test]
fn a_start_tells_the_link_of_the_first_administrator_while_there_is_none_and_every_list_is_json() {
    let dir = tempfile::tempdir().unwrap();
    let server = serve(dir.path());
    assert!(server.token.starts_with("gantry_"));
    for list in [
        &["ls", "--json"][..],
        &["operations", "--json", "--sort", "-status"],
        &["ls", "--json", "--sort=hostname"],
        &["host", "list", "--json"],
    ] {
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
    let contexts = dir.path().join("contexts.json").display().to_string();
    let set_up = || {
        gantry(&["setup", "--url", &server.url, "ann@example.org", "--name", "Ann"])
            .env("GANTRY_SETUP_LINK", &server.link)
            .env("GANTRY_PASSWORD", "correct horse battery")
            .env("GANTRY_CONTEXTS", &contexts)
            .run()
    };
    let first = set_up();
    assert_eq!(first.code, 0, "{}", first.stderr);
    let users = json(gantry(&["users", "list", "--json"]).env("GANTRY_CONTEXTS", &contexts));
    assert_eq!((&users["items"][0]["login"], &users["items"][0]["admin"]), (&"ann@example.org".into(), &true.into()));
    let second = set_up();
    assert!(second.code == 6 && second.stderr.contains("used already"), "{}", second.stderr);
    assert_eq!(server.running.end(), 0);

    let again = serve(dir.path());
    assert!(again.link.is_empty(), "there is somebody");
    assert_eq!(again.running.end(), 0);
}
