//! The committed document in the hands of others: a linter, a tester, and the clients that generators make of it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "../run/mod.rs"]
mod run;
mod site;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use site::Site;

const LINTER: &str = "@redocly/cli@2.77.0";
const TYPESCRIPT: [&str; 3] = ["openapi-typescript@7.13.0", "openapi-fetch@0.17.0", "typescript@5.9.3"];
const TESTER: &str = "schemathesis==4.32.5";
const PYTHON: &str = "openapi-python-client==0.29.1";

fn document() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi/gantry.json")
}

/// What it said, when it did what it was to do.
fn must(dir: &Path, program: &str, args: &[&str], env: &[(&str, &str)]) -> String {
    let output = Command::new(program).args(args).envs(env.iter().copied()).current_dir(dir).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {args:?}: {said}");
    said
}

fn with_npm(packages: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("package.json"), r#"{"private": true, "type": "module"}"#).unwrap();
    let install = ["install", "--silent", "--no-audit", "--no-fund"];
    must(dir.path(), "npm", &[&install[..], packages].concat(), &[]);
    std::fs::copy(document(), dir.path().join("gantry.json")).unwrap();
    dir
}

fn with_python(package: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    must(dir.path(), "python3", &["-m", "venv", "venv"], &[]);
    must(dir.path(), "venv/bin/pip", &["install", "--quiet", package], &[]);
    std::fs::copy(document(), dir.path().join("gantry.json")).unwrap();
    dir
}

/// Without the parameters by which a caller chooses another answer than the one the document has for everybody: a part of
/// it, or none. They have tests of their own.
fn without_choices(document: &Path) {
    let mut read: Value = serde_json::from_str(&std::fs::read_to_string(document).unwrap()).unwrap();
    let operations = read["paths"].as_object_mut().unwrap().values_mut();
    for operation in operations.flat_map(|item| item.as_object_mut().unwrap().values_mut()) {
        let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) else { continue };
        let choices = ["fields", "If-Match", "If-None-Match"].map(|name| format!("#/components/parameters/{name}"));
        parameters.retain(|one| !choices.iter().any(|choice| one["$ref"] == *choice));
    }
    std::fs::write(document, read.to_string()).unwrap();
}

#[test]
#[ignore = "needs npm: cargo xtask test"]
fn a_linter_finds_nothing_in_the_document() {
    let dir = with_npm(&[LINTER]);
    std::fs::write(dir.path().join("redocly.yaml"), include_str!("redocly.yaml")).unwrap();
    must(dir.path(), "npx", &["redocly", "lint", "gantry.json"], &[("REDOCLY_TELEMETRY", "off")]);
}

/// Requests that fit the document and such that do not, whatever comes to mind to a machine: no failure of ours, no answer
/// that the document does not know, none that is not of its shape, and nobody is let in without a token.
#[test]
#[ignore = "needs python: cargo xtask test"]
fn what_the_document_promises_is_kept() {
    let dir = with_python(TESTER);
    without_choices(&dir.path().join("gantry.json"));
    let site = Site::bare();
    let token = format!("Authorization: Bearer {}", site.token);
    std::fs::write(dir.path().join("schemathesis.toml"), include_str!("schemathesis.toml")).unwrap();
    let rules = ["--checks", "all", "--suppress-health-check", "all"];
    // A watcher is never answered to the end; and who adopts asks a host, of which none answers here.
    let bounds = ["--max-examples", "10", "--exclude-path-regex", "(events|adopt)$", "--request-timeout", "20"];
    let same = ["--seed", "1", "--generation-database", "none", "--no-color", "--workers", "2"];
    let run = ["run", "gantry.json", "--url", &site.url, "--header", &token, "--phases", "examples,coverage,fuzzing"];
    must(dir.path(), "venv/bin/schemathesis", &[&run[..], &rules, &bounds, &same].concat(), &[]);
}

#[test]
#[ignore = "needs python: cargo xtask test"]
fn a_generated_python_client_creates_watches_and_deletes() {
    let dir = with_python(PYTHON);
    let generate = ["generate", "--path", "gantry.json", "--output-path", "gantry_client", "--meta", "none"];
    let said = must(dir.path(), "venv/bin/openapi-python-client", &generate, &[]);
    assert!(!said.contains("will not be generated"), "{said}");
    let site = Site::with_cluster();
    std::fs::write(dir.path().join("script.py"), include_str!("client.py")).unwrap();
    must(dir.path(), "venv/bin/python", &["script.py", &site.url, &site.token], &[]);
}

#[test]
#[ignore = "needs npm: cargo xtask test"]
fn a_generated_typescript_client_creates_watches_and_deletes() {
    let dir = with_npm(&TYPESCRIPT);
    must(dir.path(), "npx", &["openapi-typescript", "gantry.json", "--output", "gantry.d.ts"], &[]);
    std::fs::write(dir.path().join("script.ts"), include_str!("client.ts")).unwrap();
    // What does not fit the document does not compile.
    let strict = ["--strict", "--target", "es2022", "--module", "nodenext", "--skipLibCheck", "--lib"];
    must(dir.path(), "npx", &[&["tsc"][..], &strict, &["es2023,dom,dom.asynciterable", "script.ts"]].concat(), &[]);
    let site = Site::with_cluster();
    must(dir.path(), "node", &["script.js", &site.url, &site.token], &[]);
}
