//! What a real Proxmox VE 9.1 answered, asked again of the simulator.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use sim::Options;

use crate::caller::{As, Caller, Got, dry};

/// One recording, replayed in its order on a host that is prepared as the real one was.
struct Replay {
    host: Caller,
    file: &'static str,
    /// UPIDs of the recording and of this run.
    upids: BTreeMap<String, String>,
    tokens: BTreeMap<String, String>,
    ticket: (String, String),
    seen: BTreeMap<String, usize>,
    differing: BTreeMap<String, String>,
    compared: usize,
}

impl Replay {
    async fn new(file: &'static str, durations: &[(&str, u64)]) -> Self {
        // In the recording with VMs pvestatd had not yet come by.
        let stat_interval = Duration::from_secs(if file == "qemu" { 600 } else { 0 });
        let durations = durations.iter().map(|(kind, ms)| ((*kind).to_owned(), Duration::from_millis(*ms))).collect();
        let host = Caller::new(Options { durations, stat_interval, ..dry() }).await;
        let log_in = host
            .request(&As::Nobody, "POST", &host.url("/access/ticket"))
            .form(&[("username", "root@pam"), ("password", "gantry-sim")]);
        let got = host.send(log_in).await.data();
        let text = |key: &str| got[key].as_str().unwrap().to_owned();
        let ticket = (text("ticket"), text("CSRFPreventionToken"));
        Self {
            host,
            file,
            upids: BTreeMap::new(),
            tokens: BTreeMap::new(),
            ticket,
            seen: BTreeMap::new(),
            differing: BTreeMap::new(),
            compared: 0,
        }
    }

    async fn run(mut self) -> (usize, BTreeMap<String, String>) {
        let text =
            std::fs::read_to_string(format!("{}/tests/recorded/{}.jsonl", env!("CARGO_MANIFEST_DIR"), self.file))
                .unwrap();
        for line in text.lines() {
            let case: Value = serde_json::from_str(line).unwrap();
            let label = case["label"].as_str().unwrap();
            let count = self.seen.entry(label.to_owned()).or_default();
            *count += 1;
            let name = if *count == 1 {
                format!("{}: {label}", self.file)
            } else {
                format!("{}: {label} #{count}", self.file)
            };
            if name == "locks2: start" {
                // Between these lines somebody ran `pct unlock 103`.
                self.host.sim.world().unlock(103);
            }
            let difference = if case["task"].is_object() {
                self.task(&case["task"]).await
            } else if case["method"].is_string() {
                self.call(label, &case).await
            } else {
                if name == "locks: parallel create same id" {
                    self.race().await;
                }
                continue;
            };
            self.compared += 1;
            if let Err(difference) = difference {
                self.differing.insert(name, difference);
            }
        }
        self.host.sim.stop().await;
        (self.compared, self.differing)
    }

    /// Four creates with one id, then three starts at once: the requests behind the recording's unnamed lines.
    async fn race(&self) {
        let form = [
            ("vmid", "100"),
            ("ostemplate", "local:vztmpl/busybox-1.37-alpine-like_amd64.tar.gz"),
            ("storage", "local-btrfs"),
        ];
        let create = || self.host.call("POST", "/nodes/pve1/lxc", &form);
        let (a, b, c, d) = tokio::join!(create(), create(), create(), create());
        let all = [a, b, c, d];
        let mut lines: Vec<_> = all.iter().map(Got::line).collect();
        lines.sort();
        assert_eq!(
            lines,
            [
                "200 OK",
                "500 CT 100 already exists on node 'pve1'",
                "500 CT 100 already exists on node 'pve1'",
                "500 CT 100 already exists on node 'pve1'"
            ]
        );
        let made = all.iter().find(|got| got.status == 200).unwrap();
        assert_eq!(self.host.wait(&made.data()).await, "OK");
        let start = || self.host.call("POST", "/nodes/pve1/lxc/100/status/start", &[]);
        let (a, b, c) = tokio::join!(start(), start(), start());
        for got in [a, b, c].iter().filter(|got| got.status == 200) {
            assert_eq!(self.host.wait(&got.data()).await, "OK");
        }
    }

    async fn task(&mut self, recorded: &Value) -> Result<(), String> {
        let Some(upid) = self.upids.get(recorded["upid"].as_str().unwrap()).cloned() else { return Ok(()) };
        if recorded["exitstatus"] == "unexpected status" {
            // The recording's worker was killed from outside, where that was not asked of the API.
            let path = format!("/nodes/pve1/tasks/{upid}");
            self.host.call("DELETE", &path, &[]).await;
        }
        let exit = self.host.wait(&Value::String(upid.clone())).await;
        let wanted = recorded["exitstatus"].as_str().unwrap();
        let kind = upid.split(':').nth(5).unwrap();
        if kind != recorded["type"] {
            return Err(format!("task type {kind}, real {}", recorded["type"]));
        }
        if exit == wanted { Ok(()) } else { Err(format!("task ends with {exit:?}, real {wanted:?}")) }
    }

    fn who(&self, label: &str) -> As<'_> {
        let token = |user: &str| self.tokens.get(user).map_or(As::Root, |token| As::Token(token));
        match self.file {
            "permissions" if label.contains("root ticket") => As::Ticket(&self.ticket.0, &self.ticket.1),
            "permissions" if label.starts_with("auditor") => token("aud@pve!kk"),
            "permissions" if label.starts_with("nobody") => token("none@pve!kk"),
            "permissions" if label.starts_with("privsep") => token("sep@pve!kk"),
            "permissions" if label.contains("vmadmin") || label.contains("non-root") => token("vmadm@pve!kk"),
            _ => As::Root,
        }
    }

    async fn call(&mut self, label: &str, case: &Value) -> Result<(), String> {
        let mut path = case["path"].as_str().unwrap().to_owned();
        let decoded = path.replace("%3A", ":").replace("%40", "@").replace("%21", "!");
        for (theirs, ours) in &self.upids {
            if decoded.contains(theirs.as_str()) {
                path = decoded.replace(theirs.as_str(), ours);
            }
        }
        let url = match path.strip_prefix("/..") {
            Some(rest) => format!("{}/api2{rest}", self.host.sim.url()),
            None => self.host.url(&path),
        };
        let mut request = self.host.request(&self.who(label), case["method"].as_str().unwrap(), &url);
        let data = &case["data"];
        if let Some(form) = data.as_object() {
            let long = "A".repeat(600_000);
            let text = |value: &Value| match value.as_str() {
                Some("(long)") => long.clone(),
                Some(text) => text.to_owned(),
                None => value.to_string(),
            };
            request =
                request.form(&form.iter().map(|(key, value)| (key.clone(), text(value))).collect::<BTreeMap<_, _>>());
        } else if let Some(text) = data.as_str() {
            let kind = if text.starts_with('{') {
                "application/json"
            } else if label == "text/plain" {
                "text/plain"
            } else {
                "application/x-www-form-urlencoded"
            };
            request = request.header("Content-Type", kind).body(text.to_owned());
        }
        if case["json"].is_object() {
            request = request.json(&case["json"]);
        }
        let got = self.host.send(request).await;
        let answer = got.json();
        if let (Some(theirs), Some(ours)) = (case["answer"]["data"].as_str(), answer["data"].as_str())
            && theirs.starts_with("UPID:")
        {
            self.upids.insert(theirs.to_owned(), ours.to_owned());
        }
        if let (Some(id), Some(secret)) = (answer["data"]["full-tokenid"].as_str(), answer["data"]["value"].as_str()) {
            self.tokens.insert(id.to_owned(), format!("{id}={secret}"));
        }
        let wanted = format!("{} {}", case["status"], case["reason"].as_str().unwrap());
        if got.line() != wanted {
            return Err(format!("answers {:?}, real {wanted:?}", got.line()));
        }
        if let Some(text) = case["answer"].as_str() {
            return if text == got.body { Ok(()) } else { Err(format!("body {:?}, real {text:?}", got.body)) };
        }
        if case["status"] == 200 && case["answer"]["errors"].is_null() {
            return shape("", &case["answer"], &answer);
        }
        if case["answer"] == answer { Ok(()) } else { Err(format!("body {answer}, real {}", case["answer"])) }
    }
}

/// Whether an answer has the fields and types of the real one; of lists the first rows of a kind are compared.
fn shape(at: &str, real: &Value, ours: &Value) -> Result<(), String> {
    match (real, ours) {
        (Value::Object(real), Value::Object(ours)) => {
            let keys = |object: &serde_json::Map<String, Value>| object.keys().cloned().collect::<BTreeSet<_>>();
            let (a, b) = (keys(real), keys(ours));
            if a != b && !at.ends_with(".cap") {
                let missing: Vec<_> = a.difference(&b).collect();
                let more: Vec<_> = b.difference(&a).collect();
                return Err(format!("{at}: without {missing:?}, with {more:?} beside the real one's"));
            }
            real.iter().try_for_each(|(key, value)| {
                ours.get(key).map_or(Ok(()), |ours| shape(&format!("{at}.{key}"), value, ours))
            })
        }
        (Value::Array(real), Value::Array(ours)) if real.iter().any(|row| !row["vmid"].is_null()) => {
            let same = real.iter().filter_map(|row| Some((row, ours.iter().find(|ours| ours["vmid"] == row["vmid"])?)));
            let same: Vec<_> = same.collect();
            if same.is_empty() {
                return Err(format!("{at}: none of the real one's guests"));
            }
            same.into_iter().try_for_each(|(real, ours)| shape(&format!("{at}[{}]", real["vmid"]), real, ours))
        }
        (Value::Array(real), Value::Array(ours)) => match (real.first(), ours.first()) {
            (Some(real), Some(ours)) => shape(&format!("{at}[]"), real, ours),
            (None, None) => Ok(()),
            _ => Err(format!("{at}: {} rows, real {}", ours.len(), real.len())),
        },
        _ => {
            let kind = |value: &Value| match value {
                Value::Null => "null",
                Value::Bool(_) => "bool",
                Value::Number(_) => "number",
                Value::String(_) => "text",
                Value::Array(_) => "list",
                Value::Object(_) => "object",
            };
            if kind(real) == kind(ours) { Ok(()) } else { Err(format!("{at}: {}, real {}", kind(ours), kind(real))) }
        }
    }
}

async fn all() -> (usize, BTreeMap<String, String>) {
    let basic = Replay::new("basic", &[]).await;
    basic.host.container(102, "local", "deb102").await;
    basic.host.container(103, "local-btrfs", "bt103").await;
    for id in [102, 103] {
        basic.host.done("POST", &format!("/nodes/pve1/lxc/{id}/status/start"), &[]).await;
    }

    let locks = Replay::new("locks", &[("vzcreate", 1500)]).await;
    locks.host.container(103, "local-btrfs", "bt103").await;

    let locks2 = Replay::new("locks2", &[("vzshutdown", 61_000)]).await;
    locks2.host.container(103, "local-btrfs", "bt103").await;
    locks2.host.done("POST", "/nodes/pve1/lxc/103/snapshot", &[("snapname", "s1")]).await;

    let misc = Replay::new("misc", &[("vzdump", 60_000)]).await;
    misc.host.container(102, "local", "deb102").await;
    misc.host.done("POST", "/nodes/pve1/lxc/102/status/start", &[]).await;

    let permissions = Replay::new("permissions", &[]).await;
    for (id, name) in [(102, "deb102"), (103, "bt103"), (202, "b202")] {
        permissions.host.container(id, "local-btrfs", name).await;
        permissions.host.done("POST", &format!("/nodes/pve1/lxc/{id}/status/start"), &[]).await;
    }

    permissions.host.call("PUT", "/nodes/pve1/lxc/102/config", &[("features", "nesting=1")]).await;
    permissions.host.call("PUT", "/nodes/pve1/lxc/202/config", &[("lock", "backup")]).await;

    let qemu = Replay::new("qemu", &[("qmshutdown", 60_000)]).await;
    qemu.host
        .done("POST", "/nodes/pve1/qemu", &[("vmid", "110"), ("name", "vm110"), ("memory", "64"), ("scsi0", "local:1")])
        .await;

    let mut compared = 0;
    let mut differing = BTreeMap::new();
    for replay in [basic, locks, locks2, misc, permissions, qemu] {
        let (count, found) = replay.run().await;
        compared += count;
        differing.extend(found);
    }
    (compared, differing)
}

#[tokio::test]
async fn every_recorded_answer_is_given_again_but_for_the_listed_differences() {
    let (compared, differing) = all().await;
    let listed: BTreeSet<String> = include_str!("../../DIFFERENCES.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(name, _)| name.to_owned())
        .collect();
    let found: BTreeSet<String> = differing.keys().cloned().collect();
    for (name, difference) in &differing {
        println!("{name}: {difference}");
    }
    assert!(compared > 200, "only {compared} recorded cases were compared");
    assert_eq!(found, listed, "what differs and what DIFFERENCES.md lists are not the same");
}
