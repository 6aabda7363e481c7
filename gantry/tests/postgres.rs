//! What only a database that somebody meddled with shows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, reason = "tests")]

mod run;

use std::process::Command;

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
