//! Every request is valid by the official schema of both versions.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "test code")]

mod calls;
mod check;
#[path = "../host/mod.rs"]
mod host;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use calls::{answer, containers, the_rest};
use check::{check, schema};
use host::Host;
use regex::Regex;

/// What the source says: a new call that nothing above makes fails here.
fn written() -> BTreeSet<String> {
    let find = Regex::new(r#"Call::(get|post|put|delete)\(\s*"(/[a-z][^"]+)""#).unwrap();
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    let mut calls = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(path).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap();
            calls.extend(find.captures_iter(text).map(|c| format!("{} {}", c[1].to_uppercase(), &c[2])));
        }
    }
    calls
}

#[tokio::test]
async fn every_call_is_made_and_every_request_is_valid_by_both_schemas() {
    let schemas = [schema(include_str!("9.1.json")), schema(include_str!("8.4.json"))];
    let made = Arc::new(Mutex::new((BTreeSet::new(), Vec::new())));
    let kept = made.clone();
    let host = Host::start(move |seen, _| {
        for schema in &schemas {
            let mut kept = kept.lock().unwrap();
            match check(schema, seen) {
                Ok(key) => drop(kept.0.insert(key)),
                Err(wrong) => kept.1.push(wrong),
            }
        }
        answer(seen)
    })
    .await;
    let auth = proxmox::Auth::Password { user: "root@pam".into(), password: "tiger".into() };
    let client = host::client(vec![host.address.clone()], auth);
    containers(&client).await.unwrap();
    the_rest(&client).await.unwrap();
    let made = made.lock().unwrap();
    assert_eq!(made.1, Vec::<String>::new(), "violations");
    let calls = written();
    assert!(calls.len() > 60, "{}", calls.len());
    assert_eq!(calls.difference(&made.0).collect::<Vec<_>>(), Vec::<&String>::new(), "calls that nothing above makes");
}
