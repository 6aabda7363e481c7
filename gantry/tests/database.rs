//! Commands that work on the database directly: what they do, and what they say when they can't.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod run;

use run::gantry;

#[test]
fn help_is_on_standard_output_and_no_failure() {
    for arguments in [&["--help"][..], &["log", "--help"], &["migrate", "--help"], &["--version"]] {
        let ran = gantry(arguments).run();
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.stderr);
        assert!(!ran.stdout.is_empty() && ran.stderr.is_empty());
    }
}

#[test]
fn an_unknown_command_is_a_mistake_of_usage() {
    let ran = gantry(&["migrat"]).run();
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("migrate"), "{}", ran.stderr);
}

#[test]
fn a_database_that_was_never_migrated_says_which_command_does_it() {
    let dir = tempfile::tempdir().unwrap();
    let ran = gantry(&["log", "verify"]).database(&run::sqlite(dir.path(), "new.db")).run();
    assert_eq!(ran.code, 1);
    assert!(!dir.path().join("new.db").exists(), "a mistyped name must not leave a database behind");
    assert!(ran.stderr.contains("gantry migrate"), "{}", ran.stderr);
}

#[test]
fn a_url_of_no_database_is_a_mistake_of_usage() {
    let ran = gantry(&["migrate"]).database("mysql://here/gantry").run();
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("sqlite:") && ran.stderr.contains("postgres:"), "{}", ran.stderr);
}

#[test]
fn an_unreachable_database_is_named_without_its_password() {
    let ran = gantry(&["migrate"]).database("postgres://gantry:hunter2@127.0.0.1:1/gantry").run();
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("127.0.0.1:1") && !ran.stderr.contains("hunter2"), "{}", ran.stderr);
    assert!(ran.stderr.contains("refused") && ran.stderr.contains("DATABASE_URL"), "the reason: {}", ran.stderr);
}

#[test]
fn a_database_that_takes_the_call_and_says_nothing_is_told() {
    // The system takes connections for it; nobody ever reads them.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = silent.local_addr().unwrap().to_string();
    let ran = gantry(&["migrate"]).database(&format!("postgres://gantry@{place}/gantry")).run();
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains(&place) && ran.stderr.contains("did not answer within 3 s"), "{}", ran.stderr);
}

#[test]
fn failures_are_json_too_when_asked() {
    let ran = gantry(&["migrate", "--json"]).database("mysql://here/gantry").run();
    let told: serde_json::Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!(told["exit"], 2);
    assert!(ran.stdout.is_empty());
}
