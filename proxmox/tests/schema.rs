//! Every request is valid by the official schema of both versions: path, names, types, required ones, limits.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test code")]

mod host;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use host::{Host, Reply, Seen, data, decode};
use proxmox::{
    Backup, Client, Compress, Download, Error, Feature, LxcChange, LxcClone, LxcCreate, LxcDelete, Mode, Restore,
    Screen, TaskList, Timeframe, Upid,
};
use regex::Regex;
use serde_json::{Map, Value};

type Schema = BTreeMap<String, BTreeMap<String, Value>>;

const UPID: &str = "UPID:pve1:000013EC:00037937:6B0094BE:vzstart:201:root@pam!t1:";

fn schema(text: &str) -> Schema {
    serde_json::from_str(text).unwrap()
}

fn matched<'a>(schema: &'a Schema, seen: &Seen) -> Option<(&'a String, Vec<(String, String)>)> {
    schema.keys().find_map(|key| {
        let (method, template) = key.split_once(' ').unwrap();
        let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), seen.path.split('/').collect());
        if method != seen.method || template.len() != path.len() {
            return None;
        }
        let mut fill = Vec::new();
        for (wanted, given) in template.iter().zip(path) {
            match wanted.strip_prefix('{') {
                Some(name) => fill.push((name.trim_end_matches('}').to_owned(), decode(given))),
                None if *wanted != given => return None,
                None => {}
            }
        }
        Some((key, fill))
    })
}

/// The schema's key that a request is, or what is wrong with it.
fn check(schema: &Schema, seen: &Seen) -> Result<String, String> {
    let (key, mut given) = matched(schema, seen).ok_or(format!("no such call: {} {}", seen.method, seen.path))?;
    given.extend(seen.params.iter().cloned());
    let mut names = BTreeSet::new();
    for (name, value) in &given {
        if !names.insert(name) {
            return Err(format!("{key}: {name} twice"));
        }
        let indexed = format!("{}[n]", name.trim_end_matches(|c: char| c.is_ascii_digit()));
        let rule = schema[key].get(name).or_else(|| schema[key].get(&indexed)).ok_or(format!("{key}: no {name}"))?;
        fits(rule, value).map_err(|wrong| format!("{key}: {name}={value}: {wrong}"))?;
    }
    for (name, rule) in &schema[key] {
        if rule["optional"].as_u64() != Some(1) && !names.contains(name) {
            return Err(format!("{key}: without {name}"));
        }
    }
    Ok(key.clone())
}

fn number(rule: &Value) -> Option<f64> {
    rule.as_f64().or_else(|| rule.as_str().and_then(|text| text.parse().ok()))
}

fn fits(rule: &Value, value: &str) -> Result<(), String> {
    let whole = |pattern: &str| Regex::new(&format!("^(?:{})$", pattern.replace("(?^:", "(?:"))).unwrap();
    let kind = rule["type"].as_str().unwrap_or("string");
    let right = match kind {
        "integer" => whole(r"-?\d+").is_match(value),
        "number" => value.parse::<f64>().is_ok(),
        "boolean" => value == "0" || value == "1",
        _ => true,
    };
    if !right {
        return Err(format!("not of type {kind}"));
    }
    let size = value.parse::<f64>().unwrap_or(0.0);
    if number(&rule["minimum"]).is_some_and(|min| size < min) || number(&rule["maximum"]).is_some_and(|max| size > max)
    {
        return Err("beyond its limits".into());
    }
    let length = value.chars().count() as f64;
    if number(&rule["minLength"]).is_some_and(|min| length < min)
        || number(&rule["maxLength"]).is_some_and(|max| length > max)
    {
        return Err("too short or too long".into());
    }
    if let Some(allowed) = rule["enum"].as_array()
        && !allowed.iter().any(|each| each.as_str().map_or(each.to_string(), str::to_owned) == value)
    {
        return Err("not among those allowed".into());
    }
    if let Some(pattern) = rule["pattern"].as_str()
        && !whole(pattern).is_match(value)
    {
        return Err(format!("not like {pattern}"));
    }
    match &rule["format"] {
        Value::Object(parts) => properties(parts, value),
        Value::String(name) => named(name, value).then_some(()).ok_or(format!("not a {name}")),
        _ => Ok(()),
    }
}

/// `name=eth0,bridge=vmbr0`: a property string.
fn properties(rules: &Map<String, Value>, text: &str) -> Result<(), String> {
    let mut given = BTreeSet::new();
    for pair in text.split(',') {
        let default =
            rules.iter().find(|(_, rule)| rule["default_key"].as_u64() == Some(1)).map(|(name, _)| name.as_str());
        let (name, value) = pair.split_once('=').or(default.map(|name| (name, pair))).ok_or("a part without a name")?;
        fits(rules.get(name).ok_or(format!("no part {name}"))?, value).map_err(|wrong| format!("{name}: {wrong}"))?;
        given.insert(name.to_owned());
    }
    let missing = rules.iter().find(|(name, rule)| rule["optional"].as_u64() != Some(1) && !given.contains(*name));
    missing.map_or(Ok(()), |(name, _)| Err(format!("without part {name}")))
}

/// Formats whose rule is in Perl only; those that we send.
fn named(name: &str, value: &str) -> bool {
    let pattern = match name {
        "pve-vmid" => "[1-9][0-9]{2,8}",
        "pve-vmid-list" => "[1-9][0-9]{2,8}(,[1-9][0-9]{2,8})*",
        "pve-node" => "[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?",
        "pve-configid" => "[A-Za-z][A-Za-z0-9_-]+",
        "pve-configid-list" => "[A-Za-z][A-Za-z0-9_-]+(,[A-Za-z][A-Za-z0-9_-]+)*",
        "pve-storage-id" => "[A-Za-z][A-Za-z0-9_.-]*[A-Za-z0-9]",
        "pve-poolid" => "[A-Za-z0-9._/-]+",
        "pve-userid" => r"[^\s:/]+@[A-Za-z][A-Za-z0-9._-]+",
        "dns-name" => "[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*",
        "dns-name-list" => "[A-Za-z0-9. -]+",
        "pve-tag-list" => "[a-z0-9_][a-z0-9_+.-]*(;[a-z0-9_][a-z0-9_+.-]*)*",
        "pve-volume-id" | "pve-lxc-mp-string" => "[A-Za-z][A-Za-z0-9_.-]*:.+|/.+",
        "pve-storage-content" | "pve-storage-content-list" => "(images|rootdir|vztmpl|iso|backup|snippets|import)",
        "disk-size" => r"\d+(\.\d+)?[KMGT]?",
        _ => ".*",
    };
    Regex::new(&format!("^(?:{pattern})$")).unwrap().is_match(value)
}

fn answer(seen: &Seen) -> Reply {
    let path = seen.path.as_str();
    data(&match (seen.method.as_str(), path) {
        ("GET", "/version") => r#"{"version":"9.1.7"}"#.into(),
        ("GET", "/cluster/nextid") => r#""100""#.into(),
        ("POST", "/access/ticket") => r#"{"ticket":"PVE:x","CSRFPreventionToken":"y"}"#.into(),
        ("GET", _) if path.ends_with("/log") => "[]".into(),
        ("GET", _) if path.contains("/tasks/") => r#"{"status":"stopped","exitstatus":"OK"}"#.into(),
        ("GET", _) if path.ends_with("/current") => r#"{"vmid":101,"status":"running"}"#.into(),
        ("GET", _) if path.ends_with("/config") || path.ends_with("/feature") || path.ends_with("get-interfaces") => {
            "{}".into()
        }
        ("GET", "/nodes/pve1/status") => "{}".into(),
        ("GET", "/nodes/pve1/time") => r#"{"time":1}"#.into(),
        ("GET", _) if path.starts_with("/pools/") => r#"{"poolid":"p1"}"#.into(),
        ("GET", _) => "null".into(),
        ("POST", _) if path.contains("/token/") => r#"{"full-tokenid":"a@pve!b","value":"v"}"#.into(),
        ("POST", _) if path.ends_with("proxy") => {
            format!(r#"{{"port":"5900","ticket":"PVEVNC:1::x","user":"root@pam","upid":"{UPID}"}}"#)
        }
        ("POST", _) if path.starts_with("/pools") || path.ends_with("/ping") => "null".into(),
        _ => format!("\"{UPID}\""),
    })
}

fn biggest() -> LxcCreate {
    LxcCreate {
        vmid: 999_999_999,
        template: "local:vztmpl/debian-12.tar.zst".into(),
        rootfs: "local-zfs:8".into(),
        hostname: Some("a.b-c".into()),
        password: Some("fünf &+= %".into()),
        ssh_keys: Some("ssh-ed25519 AAAA+/= me@here\n".into()),
        cores: Some(8192),
        cpu_limit: Some(8192.0),
        cpu_units: Some(500_000),
        memory: Some(1 << 40),
        swap: Some(0),
        networks: vec!["name=eth0,bridge=vmbr0,ip=dhcp,type=veth".into(), "name=eth1,bridge=vmbr1,tag=4094".into()],
        mounts: vec!["local-zfs:8,mp=/data".into()],
        features: Some("nesting=1".into()),
        unprivileged: true,
        onboot: Some(true),
        start: true,
        protection: Some(false),
        tags: vec!["gantry".into(), "web".into()],
        description: Some("x".repeat(8192)),
        pool: Some("p1".into()),
        nameserver: Some("1.1.1.1".into()),
        searchdomain: Some("example.org".into()),
        timezone: Some("host".into()),
        ostype: Some("debian".into()),
        startup: Some("order=1".into()),
    }
}

fn smallest() -> LxcCreate {
    LxcCreate {
        vmid: 100,
        template: "local:vztmpl/x.tar.gz".into(),
        rootfs: "s1:1".into(),
        cores: Some(1),
        cpu_limit: Some(0.0),
        cpu_units: Some(0),
        memory: Some(16),
        ..LxcCreate::default()
    }
}

async fn containers(client: &Client) -> Result<(), Error> {
    client.create_lxc("pve1", &biggest()).await?;
    client.create_lxc("pve1", &smallest()).await?;
    let archive = "local:backup/vzdump-lxc-101.tar.zst".to_owned();
    let whole = Restore {
        unprivileged: Some(true),
        storage: Some("local-zfs".into()),
        hostname: Some("x".into()),
        pool: Some("p1".into()),
        bandwidth_kib: Some(0),
        ..Restore::default()
    };
    client
        .restore_lxc(
            "pve1",
            &Restore { vmid: 101, archive: archive.clone(), force: true, unique: true, start: true, ..whole },
        )
        .await?;
    client.restore_lxc("pve1", &Restore { vmid: 101, archive, ..Restore::default() }).await?;
    client.lxcs("pve1").await?;
    let guest = client.lxc("pve1", 101);
    guest.status().await?;
    guest.config().await?;
    guest.pending().await?;
    assert!(guest.interfaces().await?.is_empty());
    for timeframe in [Timeframe::Hour, Timeframe::Day, Timeframe::Week, Timeframe::Month, Timeframe::Year] {
        guest.metrics(timeframe).await?;
        client.node_metrics("pve1", timeframe).await?;
    }
    for feature in [Feature::Snapshot, Feature::Clone, Feature::Copy] {
        guest.has(feature).await?;
    }
    let change = LxcChange {
        hostname: Some("y".into()),
        cores: Some(8192),
        cpu_limit: Some(0.5),
        cpu_units: Some(500_000),
        memory: Some(16),
        swap: Some(0),
        onboot: Some(false),
        protection: Some(true),
        description: Some("ä\n".into()),
        tags: Some(vec!["a".into()]),
        nameserver: Some("1.1.1.1".into()),
        searchdomain: Some("example.org".into()),
        features: Some("nesting=1,keyctl=1".into()),
        startup: Some("order=1".into()),
        networks: [(31, "name=eth0,bridge=vmbr0".into())].into(),
        mounts: [(255, "local-zfs:8,mp=/x".into())].into(),
        delete: vec!["net1".into(), "mp0".into()],
        digest: Some("0".repeat(40)),
    };
    guest.configure(&change).await?;
    guest.configure(&LxcChange::default()).await?;
    guest.resize("rootfs", "+1G").await?;
    guest.resize("mp255", "0.5T").await?;
    guest.start().await?;
    guest.stop().await?;
    guest.shutdown(0, true).await?;
    guest.reboot(u32::MAX).await?;
    guest.suspend().await?;
    guest.resume().await?;
    guest.snapshots().await?;
    guest.snapshot("ab", Some("before + after")).await?;
    guest.snapshot("a-long_name", None).await?;
    guest.rollback("ab", true).await?;
    guest.delete_snapshot("ab", true).await?;
    guest.clone_to(&LxcClone { newid: 100, ..LxcClone::default() }).await?;
    guest
        .clone_to(&LxcClone {
            newid: 999_999_999,
            hostname: Some("z".into()),
            full: true,
            snapshot: Some("ab".into()),
            storage: Some("local-zfs".into()),
            target: Some("pve2".into()),
            pool: Some("p1".into()),
            description: Some("d".into()),
        })
        .await?;
    guest.delete(LxcDelete { force: true, purge: true, unreferenced_disks: true }).await?;
    for screen in [Screen::Vnc, Screen::Terminal] {
        let ticket = guest.console(screen).await?;
        client.open(&ticket).await.unwrap_err();
    }
    Ok(())
}

async fn the_rest(client: &Client) -> Result<(), Error> {
    let guest = client.qemu("pve1", 120);
    client.qemus("pve1").await?;
    guest.status().await?;
    guest.config().await?;
    guest.ping().await?;
    guest.interfaces().await?;
    guest.start().await?;
    guest.stop().await?;
    guest.shutdown(60, false).await?;
    guest.reboot(0).await?;
    guest.reset().await?;
    for screen in [Screen::Vnc, Screen::Terminal] {
        let ticket = guest.console(screen).await?;
        client.open(&ticket).await.unwrap_err();
    }
    client.version().await?;
    for kind in [None, Some("vm"), Some("storage"), Some("node")] {
        client.resources(kind).await?;
    }
    client.members().await?;
    client.next_id().await?;
    client.check_id(100).await?;
    client.nodes().await?;
    client.node_status("pve1").await?;
    client.node_time("pve1").await?;
    client.storages("pve1", Some("rootdir")).await?;
    client.storages("pve1", None).await?;
    client.storage_content("pve1", "local", Some("vztmpl"), None).await?;
    client.backups("pve1", "local", Some(100)).await?;
    client.describe_volume("pve1", "local", "local:backup/x.tar.zst", Some("n"), Some(true)).await?;
    client.delete_volume("pve1", "local", "local:backup/x.tar.zst").await?;
    client.templates("pve1").await?;
    client.download_template("pve1", "local", "debian-12.tar.zst").await?;
    for checksum in [None, Some(("sha256".into(), "0".repeat(64)))] {
        let from = Download {
            url: "https://example.org/x?a=b&c".into(),
            filename: "x.tar.zst".into(),
            content: "vztmpl".into(),
            checksum,
        };
        client.download_url("pve1", "local", &from).await?;
    }
    for (mode, compress) in [
        (Mode::Snapshot, Compress::Zstd),
        (Mode::Suspend, Compress::Gzip),
        (Mode::Stop, Compress::Lzo),
        (Mode::Stop, Compress::None),
    ] {
        let wanted = Backup {
            vmid: 101,
            storage: "local".into(),
            mode,
            compress,
            notes: Some("{{guestname}}".into()),
            protected: true,
            bandwidth_kib: Some(0),
        };
        client.backup("pve1", &wanted).await?;
    }
    client.pools().await?;
    client.create_pool("p1", Some("c")).await?;
    client.pool("p1").await?;
    client.change_pool("p1", &[100, 999_999_999], false).await?;
    client.change_pool("p1", &[100], true).await?;
    client.delete_pool("p1").await?;
    client.permissions().await?;
    client.permissions_on("/vms/101").await?;
    client.create_token("gantry@pve", "t1", true, Some("c")).await?;
    client.delete_token("gantry@pve", "t1").await?;
    let upid: Upid = UPID.parse().unwrap();
    client.task_status(&upid).await?;
    client.task_log(&upid, 0, 0).await?;
    client.stop_task(&upid).await?;
    client.tasks("pve1", &TaskList::default()).await?;
    client
        .tasks(
            "pve1",
            &TaskList {
                vmid: Some(100),
                kind: Some("vzstart".into()),
                since: Some(0),
                until: Some(u64::MAX / 4),
                errors_only: true,
                with_active: true,
                start: Some(0),
                limit: Some(0),
            },
        )
        .await?;
    Ok(())
}

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
    let schemas = [schema(include_str!("schema/9.1.json")), schema(include_str!("schema/8.4.json"))];
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

#[test]
fn the_check_itself_refuses_what_a_host_refuses() {
    let schema = schema(include_str!("schema/9.1.json"));
    let put = |params: &[(&str, &str)]| Seen {
        method: "PUT".into(),
        path: "/nodes/pve1/lxc/101/config".into(),
        params: params.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
        headers: Vec::new(),
    };
    check(&schema, &put(&[("memory", "16"), ("onboot", "1"), ("net31", "name=eth0")])).unwrap();
    for (name, value) in [
        ("memory", "15"),
        ("memory", "x"),
        ("onboot", "true"),
        ("cores", "8193"),
        ("nosuch", "1"),
        ("net0", "bridge=vmbr0"),
        ("net0", "name=eth0,x=1"),
        ("cmode", "tv"),
        ("password", "secret"),
    ] {
        check(&schema, &put(&[(name, value)])).unwrap_err();
    }
    let unknown = Seen { path: "/nodes/pve1/lxc/101/nosuch".into(), ..put(&[]) };
    check(&schema, &unknown).unwrap_err();
    let bare = Seen { method: "POST".into(), path: "/nodes/pve1/lxc".into(), ..put(&[("vmid", "101")]) };
    assert!(check(&schema, &bare).unwrap_err().contains("without ostemplate"));
}
