//! The whole of it, end to end: simulator, API, worker, and a container from a real template.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod run;

use run::gantry;

#[test]
fn a_container_becomes_ready_from_any_directory() {
    let elsewhere = tempfile::tempdir().unwrap();
    let ran = gantry(&["demo", "--exit", "--port", "0"]).dir(elsewhere.path()).run();
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    for said in ["syncing", "40-site.sh", "✓ Ready", "http://10."] {
        assert!(ran.stdout.contains(said), "{said}: {}", ran.stdout);
    }
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0, "it leaves nothing where it was started");
}

#[test]
fn where_no_script_can_run_it_says_so_and_calls_nothing_ready() {
    let ran = gantry(&["demo", "--exit", "--dry-shell", "--port", "0"]).run();
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    for said in ["dry shell", "deploying", "can't be run on this machine", "– "] {
        assert!(ran.stdout.contains(said), "{said}: {}", ran.stdout);
    }
    assert!(!ran.stdout.contains("Ready"), "{}", ran.stdout);
}
