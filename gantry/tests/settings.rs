//! What is wrong with the settings is told before anything is done.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod run;

use run::{gantry, json, sqlite};

#[test]
fn what_is_in_force_is_shown_with_its_source_and_without_secrets() {
    let key = json(gantry(&["keys", "new", "--json"]))["key"].as_str().unwrap().to_owned();
    let shown = json(gantry(&["config", "--json", "--set", "worker.slots=3"]).env("GANTRY_VAULT_KEYS", &key));
    let find = |name: &str| shown.as_array().unwrap().iter().find(|one| one["key"] == name).unwrap().clone();
    assert_eq!((&find("worker.slots")["value"], &find("worker.slots")["source"]), (&"3".into(), &"flag".into()));
    assert_eq!(find("vault.keys")["value"], "***");
    assert!(!shown.to_string().contains(&key));
}

#[test]
fn an_unknown_key_is_refused_with_its_nearest() {
    let dir = tempfile::tempdir().unwrap();
    for command in [&["serve"][..], &["migrate"], &["config"]] {
        let ran = gantry(command).dir(dir.path()).env("GANTRY_WORKER__SLOT", "3").run();
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains("worker.slots"), "{}", ran.stderr);
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing was changed");
}

#[test]
fn half_a_backend_and_a_wrong_key_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let url = sqlite(dir.path(), "gantry.db");
    let needs = gantry(&["worker"]).database(&url).run();
    assert!(needs.code == 2 && needs.stderr.contains("Postgres"), "{}", needs.stderr);
    json(gantry(&["migrate", "--json"]).database(&url));
    let short = gantry(&["serve"]).database(&url).env("GANTRY_VAULT_KEYS", "abc").run();
    assert!(
        short.code == 2 && short.stderr.contains("64") && short.stderr.contains("gantry keys new"),
        "{}",
        short.stderr
    );
}

#[test]
fn redis_that_does_not_answer_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let ran = gantry(&["worker"])
        .dir(dir.path())
        .database("postgres://gantry@127.0.0.1:1/gantry")
        .env("REDIS_URL", "redis://127.0.0.1:1")
        .env("GANTRY_VAULT_KEYS", &"ab".repeat(32))
        .run();
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("127.0.0.1:1"), "{}", ran.stderr);
}

#[test]
fn a_client_without_a_token_or_an_api_says_what_to_set() {
    let without = gantry(&["ls"]).run();
    assert!(without.code == 2 && without.stderr.contains("GANTRY_TOKEN"), "{}", without.stderr);
    let alone = gantry(&["ls", "--url", "http://127.0.0.1:1"]).env("GANTRY_TOKEN", "x").run();
    assert!(alone.code == 5 && alone.stderr.contains("gantry serve"), "{}", alone.stderr);
}
