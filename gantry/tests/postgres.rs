//! What only a database that somebody meddled with shows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, reason = "tests")]

mod run;

use std::process::Command;

use domain::{Meta, NewEvent, StreamId};
use platform::{
    clock::{self, Clock},
    db::{Db, Options},
    log::{Append, Expected, Log},
};
use run::{gantry, json};

/// A database of its own on the server that `cargo xtask test` started.
fn database(name: &str) -> String {
    let server = std::env::var("GANTRY_TEST_POSTGRES_URL").unwrap();
    let name = format!("{name}_{}", std::process::id());
    psql(&server, &format!("CREATE DATABASE {name}"));
    let (base, _) = server.rsplit_once('/').unwrap();
    format!("{base}/{name}")
}

fn psql(url: &str, sql: &str) {
    let program = xtask::servers::find("psql").unwrap();
    let output = Command::new(program).args([url, "--quiet", "-v", "ON_ERROR_STOP=1", "-c", sql]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "needs Postgres: cargo xtask test"]
fn a_newer_schema_is_left_alone() {
    let url = database("newer_schema");
    json(gantry(&["migrate", "--json"]).database(&url));
    psql(&url, "INSERT INTO schema_migrations VALUES (9999, 'of the future', '', 0)");
    for command in [&["migrate"][..], &["log", "verify"], &["log", "replay", "--rebuild"]] {
        let ran = gantry(command).database(&url).run();
        assert_eq!(ran.code, 1, "{command:?}");
        assert!(ran.stderr.contains("9999") && ran.stderr.contains("newer gantry"), "{}", ran.stderr);
    }
}

#[test]
#[ignore = "needs Postgres: cargo xtask test"]
fn a_log_whose_head_was_moved_does_not_verify() {
    let url = database("moved_head");
    json(gantry(&["migrate", "--json"]).database(&url));
    psql(&url, "UPDATE log_head SET position = 7");
    let ran = gantry(&["log", "verify"]).database(&url).run();
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("position 0") && ran.stderr.contains("backup"), "{}", ran.stderr);
}

/// One event, of a kind that no read model follows.
async fn filled(url: &str) {
    let db = Db::connect(url, &Options::default()).await.unwrap();
    db.migrate(clock::now()).await.unwrap();
    let log = Log::open(db, Vec::new(), Clock::system()).await.unwrap();
    let event = NewEvent { kind: "test.done".into(), kind_version: 1, data: serde_json::json!({ "by": "ann" }) };
    let append = Append::new(Meta::system("test"));
    log.append(append.stream(StreamId::new("test", "1"), Expected::New, vec![event])).await.unwrap();
    log.close().await;
}

#[tokio::test]
#[ignore = "needs Postgres: cargo xtask test"]
async fn an_event_that_was_changed_is_found_and_left_alone() {
    let url = database("changed_event");
    filled(&url).await;
    assert_eq!(json(gantry(&["log", "verify", "--json"]).database(&url))["events"], 1);
    for (data, commands) in [
        (r#"{"by":"bob"}"#, &[&["log", "verify"][..]][..]),
        ("{", &[&["log", "verify"], &["log", "replay", "--rebuild"]]),
    ] {
        psql(&url, &format!("UPDATE log SET data = '{data}'"));
        for command in commands {
            let ran = gantry(command).database(&url).run();
            assert!(ran.code == 1 && ran.stderr.contains("position 1"), "{command:?}: {}", ran.stderr);
        }
    }
}
