//! The answers of a real Proxmox VE 9.1: every error is what we say it is, every list and status can be read.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test code")]

mod host;

use host::{Host, Reply};
use proxmox::{Denied, Error, Lock, Outcome, Result, State, Thing, Timeframe};
use serde_json::Value;

fn answers() -> Vec<Value> {
    include_str!("recorded/answers.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// One word for what an error is, so that a table can say it.
fn name(error: &Error) -> String {
    match error {
        Error::NotFound(thing, _) => format!("missing {thing:?}"),
        Error::AlreadyExists(thing, _) => format!("exists {thing:?}"),
        Error::AlreadySo(State::Running, _) => "running".into(),
        Error::AlreadySo(State::Stopped, _) => "stopped".into(),
        Error::Locked(Lock::File, _) => "locked file".into(),
        Error::Locked(Lock::Config(by), _) => format!("locked {by}"),
        Error::Permission(Denied::Privilege { path, privilege }, _) => format!("denied {path} {privilege}"),
        Error::Permission(denied, _) => format!("denied {denied:?}"),
        Error::Unreachable(Outcome::NotDone, _) => "unreachable".into(),
        Error::Unreachable(Outcome::Unknown, _) => "unreachable unknown".into(),
        other => other.label().into(),
    }
}

/// Part of the words, and what that is.
const EXPECTED: &[(&str, &str)] = &[
    ("Permission check failed (pool 'nosuch' does not exist)", "missing Pool"),
    ("allowed for root@pam)", "denied RootOnly"),
    ("(/vms/102, VM.PowerMgmt)", "denied /vms/102 VM.PowerMgmt"),
    ("(/vms/102, VM.Console)", "denied /vms/102 VM.Console"),
    ("(/vms/102, VM.Allocate)", "denied /vms/102 VM.Allocate"),
    ("(/vms/102, VM.Audit)", "denied /vms/102 VM.Audit"),
    ("(/nodes/pve1, Sys.Audit)", "denied /nodes/pve1 Sys.Audit"),
    ("(/, Sys.Modify)", "denied / Sys.Modify"),
    ("Permission check failed", "denied Unnamed"),
    ("agent is not running", "other"),
    ("already running", "running"),
    ("not running", "stopped"),
    ("CT is locked (backup)", "locked backup"),
    ("can't lock file", "locked file"),
    ("create pool failed: pool 'p1' already exists", "exists Pool"),
    ("already exists on node", "exists Guest"),
    ("already used", "exists Snapshot"),
    ("pool 'zz' does not exist", "missing Pool"),
    ("storage 'nosuch' does not exist", "missing Storage"),
    ("bridge 'nosuch9' does not exist", "missing Bridge"),
    ("bridge 'vmbr77' does not exist", "missing Bridge"),
    ("snapshot 'zzz' does not exist", "missing Snapshot"),
    ("Configuration file 'nodes/pve1/", "missing Guest"),
    ("hostname lookup 'pve9' failed", "missing Node"),
    ("no such cluster node", "missing Node"),
    ("RRD error", "missing Metrics"),
    ("detected modified configuration", "conflict"),
    ("Connection timed out", "unreachable"),
];

#[tokio::test]
async fn every_recorded_error_is_classified_as_expected() {
    let mut used = std::collections::HashSet::new();
    let mut seen = 0;
    for record in answers() {
        let (Some(reason), Some(status)) = (record["reason"].as_str(), record["status"].as_u64()) else { continue };
        if status == 200 {
            continue;
        }
        let body = match &record["answer"] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let reads = record["method"] == "GET";
        let (status, reason) = (u16::try_from(status).unwrap(), reason.to_owned());
        let words = reason.clone();
        let answer = move |_: &host::Seen, _| Reply::Answer(status, reason.clone(), body.clone());
        let host = Host::start(answer).await;
        let client = host.client();
        let error = if reads { client.version().await.map(drop) } else { client.delete_pool("x").await }.unwrap_err();
        let errors = record["answer"]["errors"].as_object();
        let mut fields = errors.into_iter().flat_map(|e| e.values()).filter_map(Value::as_str);
        let kept = error.words() == words.trim() || fields.any(|field| field.trim_end() == error.words());
        assert!(kept, "{words}: {error:?}");
        let expected = EXPECTED.iter().position(|(sign, _)| {
            words.contains(sign) || errors.is_some_and(|e| e.values().any(|v| v.as_str().unwrap().contains(sign)))
        });
        match expected {
            Some(at) => {
                used.insert(at);
                assert_eq!(name(&error), EXPECTED[at].1, "{words}");
            }
            None if errors.is_some_and(|e| e.values().any(|v| v.as_str().unwrap().contains("Only root may"))) => {
                assert_eq!(name(&error), "denied RootOnly");
            }
            None if errors.is_some() => {
                let Error::Parameter(fields, _) = &error else { panic!("{error:?}") };
                assert_eq!(fields.len(), errors.unwrap().len());
            }
            None => assert_eq!(name(&error), "other", "{words}"),
        }
        seen += 1;
    }
    assert!(seen > 60 && used.len() > 18, "{seen} errors, {} kinds", used.len());
}

/// The recorded answer of the first call whose label or path fits.
fn recorded(method: &str, path: &str) -> Value {
    answers()
        .into_iter()
        .find(|r| {
            r["method"] == method
                && r["path"].as_str() == Some(path)
                && r["status"] == 200
                && !r["answer"]["data"].is_null()
        })
        .unwrap_or_else(|| panic!("{method} {path} was not recorded"))["answer"]
        .clone()
}

async fn replaying(method: &str, path: &str) -> Host {
    let body = recorded(method, path).to_string();
    Host::start(move |_, _| Reply::Answer(200, "OK".into(), body.clone())).await
}

#[tokio::test]
async fn what_was_really_answered_can_be_read() -> Result<()> {
    let host = replaying("GET", "/nodes/pve1/lxc/201/config").await;
    let config = host.client().lxc("pve1", 201).config().await?;
    assert_eq!((config.get("memory"), config.digest().map(str::len)), (Some("131"), Some(40)));
    let host = replaying("GET", "/nodes/pve1/lxc/").await;
    assert!(host.client().lxcs("pve1").await?.iter().any(|row| row.vmid == 201 && row.is_running()));
    let host = replaying("GET", "/nodes/pve1/lxc/201/interfaces").await;
    let interfaces = host.client().lxc("pve1", 201).interfaces().await?;
    let eth0 = interfaces.iter().find(|i| i.name == "eth0").unwrap();
    assert_eq!((eth0.addresses[0].address.to_string().as_str(), eth0.addresses[0].prefix), ("192.168.177.101", 24));
    assert_eq!(eth0.hardware, "bc:24:11:4d:af:2a");
    let host = replaying("GET", "/nodes/pve1/lxc/201/pending").await;
    assert!(host.client().lxc("pve1", 201).pending().await?.iter().any(|row| row.key == "memory"));
    let host = replaying("GET", "/nodes/pve1/qemu/120/config").await;
    assert_eq!(host.client().qemu("pve1", 120).config().await?.get("memory"), Some("64"));
    let host = replaying("GET", "/nodes/pve1/qemu/120/status/current").await;
    assert!(host.client().qemu("pve1", 120).status().await?.agent);
    let host = replaying("GET", "/nodes").await;
    assert_eq!(host.client().nodes().await?[0].status, "online");
    let host = replaying("GET", "/nodes/pve1/status").await;
    assert_eq!(host.client().node_status("pve1").await?.cpuinfo.cpus, 2);
    let host = replaying("GET", "/cluster/nextid").await;
    assert_eq!(host.client().next_id().await?, 100);
    let host = replaying("GET", "/nodes/pve1/lxc/103/rrddata?timeframe=hour&cf=MAX").await;
    assert!(host.client().lxc("pve1", 103).metrics(Timeframe::Hour).await?.iter().any(|s| s.mem.is_some()));
    let host = replaying("GET", "/access/permissions").await;
    let allowed = host.client().permissions().await?;
    assert!(allowed.allow("/vms/101", "VM.Audit") && !allowed.allow("/vms/101", "VM.PowerMgmt"));
    let host = replaying("GET", "/pools/p1").await;
    assert_eq!(host.client().pool("p1").await?.members[0].vmid, Some(102));
    let host = replaying("POST", "/nodes/pve1/lxc/201/status/start").await;
    assert_eq!(host.client().lxc("pve1", 201).start().await?.kind(), "vzstart");
    Ok(())
}

#[tokio::test]
async fn a_failed_task_is_classified_by_its_last_line() {
    let exits = [
        ("CT is locked (backup)", "locked backup"),
        ("can't lock file '/run/lock/lxc/pve-config-100.lock' - got timeout", "locked file"),
        ("VM 120 already running", "running"),
        ("snapshot 'zzz' does not exist", "missing Snapshot"),
        ("bridge 'vmbr77' does not exist", "missing Bridge"),
        ("unexpected status", "interrupted"),
    ];
    for (exit, expected) in exits {
        assert!(answers().iter().any(|r| r["task"]["exitstatus"] == exit), "{exit} was really seen");
        let body = format!(r#"{{"status":"stopped","exitstatus":"{exit}"}}"#);
        let host = Host::start(move |_, _| host::data(&body)).await;
        let upid = "UPID:pve1:000013EC:00037937:6B0094BE:vzstart:201:root@pam!t1:".parse().unwrap();
        let waiting = proxmox::Waiting { limit: std::time::Duration::from_secs(30), cancel: Default::default() };
        let error = host.client().wait_silently(&upid, &waiting).await.unwrap_err();
        assert_eq!((name(error.root()).as_str(), error.words()), (expected, exit));
        assert!(matches!(error, Error::TaskFailed { .. }));
        assert_eq!(error.is_missing(Thing::Snapshot), expected == "missing Snapshot");
    }
}
