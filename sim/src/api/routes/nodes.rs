use serde_json::{Value, json};

use super::Answer;
use crate::api::asked::Asked;
use crate::model::storage::GIB;
use crate::model::{Node, State, stats};
use crate::tasks::images;

const BELOW: &[&str] = &[
    "aplinfo",
    "apt",
    "capabilities",
    "ceph",
    "certificates",
    "config",
    "disks",
    "dns",
    "firewall",
    "hardware",
    "hosts",
    "journal",
    "lxc",
    "migrateall",
    "netstat",
    "network",
    "qemu",
    "query-oci-repo-tags",
    "query-url-metadata",
    "replication",
    "report",
    "rrd",
    "rrddata",
    "scan",
    "sdn",
    "services",
    "spiceshell",
    "startall",
    "status",
    "stopall",
    "storage",
    "subscription",
    "suspendall",
    "syslog",
    "tasks",
    "termproxy",
    "time",
    "version",
    "vncshell",
    "vzdump",
    "wakeonlan",
];

pub(super) fn answer(name: &str, asked: &Asked) -> Option<Answer> {
    Some(match name {
        "GET /nodes" => Ok(list(asked).into()),
        "GET /nodes/{node}" => Ok(super::names(BELOW).into()),
        "GET /nodes/{node}/version" => {
            Ok(json!({"version": "9.1.7", "release": "9.1", "repoid": "0307225d4bc8b3ed"}).into())
        }
        "GET /nodes/{node}/status" => Ok(status(asked).into()),
        "GET /nodes/{node}/time" => {
            let now = asked.world.clock.seconds();
            Ok(json!({"time": now, "localtime": now, "timezone": "UTC"}).into())
        }
        "GET /nodes/{node}/network" => {
            let state = asked.world.state();
            let bridges = state.nodes.get(&asked.node).map(|node| node.bridges.clone()).unwrap_or_default();
            Ok(bridges.iter().map(|name| json!({"iface": name, "type": "bridge", "active": 1, "autostart": 1, "method": "static", "method6": "manual", "priority": 3, "families": ["inet"]})).collect::<Value>().into())
        }
        "GET /nodes/{node}/rrddata" => Ok(rrd(asked, 7, true).into()),
        "GET /nodes/{node}/aplinfo" => Ok(images::CATALOGUE.iter().map(entry).collect::<Value>().into()),
        _ => return None,
    })
}

fn list(asked: &Asked) -> Value {
    let (state, now) = (asked.world.state(), asked.world.clock.now());
    let rows = state.nodes.iter().map(|(name, node)| {
        let mut row = json!({"node": name, "id": format!("node/{name}"), "type": "node", "status": if node.online { "online" } else { "offline" }, "level": "", "ssl_fingerprint": node.fingerprint});
        if node.online && state.may(&asked.who, &format!("/nodes/{name}"), "Sys.Audit") {
            measure(&state, name, node, now, &mut row);
        }
        row
    });
    rows.collect()
}

fn seed(name: &str) -> u32 {
    name.bytes().map(u32::from).sum()
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "measurements, which are positive and need no last digit"
)]
fn share(of: u64, share: f64) -> u64 {
    (of as f64 * share) as u64
}

/// The numbers of a node, for those who may see them.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds since a start that is in the past")]
pub(super) fn measure(state: &State, name: &str, node: &Node, now: f64, row: &mut Value) {
    let busy = stats::wander(seed(name), now);
    for (key, value) in [
        ("cpu", json!(busy * 0.3)),
        ("maxcpu", json!(node.cpus)),
        ("mem", json!(share(node.memory, 0.2 + busy * 0.2))),
        ("maxmem", json!(node.memory)),
        ("disk", json!(state.used("local", name))),
        ("maxdisk", json!(state.storages.get("local").map_or(0, |storage| storage.total))),
        ("uptime", json!((now - node.booted) as u64)),
    ] {
        row[key] = value;
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds since a start that is in the past")]
fn status(asked: &Asked) -> Value {
    let (state, now) = (asked.world.state(), asked.world.clock.now());
    let Some(node) = state.nodes.get(&asked.node) else { return Value::Null };
    let busy = stats::wander(seed(&asked.node), now);
    let used = share(node.memory, 0.2 + busy * 0.2);
    let total = state.storages.get("local").map_or(0, |storage| storage.total);
    let on_disk = state.used("local", &asked.node);
    let load = |factor: f64| format!("{:.2}", busy * factor);
    json!({
        "uptime": (now - node.booted) as u64, "cpu": busy * 0.3, "wait": busy * 0.02, "idle": 0, "loadavg": [load(2.0), load(1.8), load(1.6)],
        "memory": {"total": node.memory, "used": used, "free": node.memory - used, "available": node.memory - used}, "swap": {"total": 8 * GIB, "used": 0, "free": 8 * GIB},
        "rootfs": {"total": total, "used": on_disk, "free": total.saturating_sub(on_disk), "avail": total.saturating_sub(on_disk)}, "ksm": {"shared": 0},
        "boot-info": {"mode": "legacy-bios"}, "kversion": "Linux 6.17.4-1-pve #1 SMP PREEMPT_DYNAMIC",
        "current-kernel": {"sysname": "Linux", "release": "6.17.4-1-pve", "version": "#1 SMP PREEMPT_DYNAMIC", "machine": "x86_64"}, "pveversion": "pve-manager/9.1.7/0307225d4bc8b3ed",
        "cpuinfo": {"model": "Simulated CPU", "cpus": node.cpus, "cores": node.cpus, "sockets": 1, "mhz": "2596.122", "hvm": "1", "vendor": "AuthenticAMD", "family": "26", "user_hz": 100, "flags": "fpu sse sse2"},
    })
}

/// Points of a chart, one for each step; what lies before the start has only its time.
#[allow(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^52")]
pub(super) fn rrd(asked: &Asked, seed: u32, of_node: bool) -> Value {
    let step: i64 = match asked.need("timeframe").as_str() {
        "hour" => 60,
        "day" => 1800,
        "week" => 10_800,
        "month" => 43_200,
        _ => 604_800,
    };
    let now = asked.world.clock.seconds() / step * step;
    (0..70)
        .map(|number| {
            let time = now - (69 - number) * step;
            let busy = stats::wander(seed, time as f64);
            if of_node {
                json!({"time": time, "cpu": busy * 0.3, "maxcpu": 8, "iowait": busy * 0.02, "loadavg": busy * 2.0, "memtotal": 32 * GIB, "memused": share(32 * GIB, 0.2 + busy * 0.2),
                    "roottotal": 252 * GIB, "rootused": 3 * GIB, "swaptotal": 8 * GIB, "swapused": 0, "netin": busy * 9000.0, "netout": busy * 4000.0})
            } else {
                json!({"time": time, "cpu": busy * 0.05, "maxcpu": 2, "mem": busy * 1e8, "maxmem": 536_870_912, "disk": 193_056_768, "maxdisk": 4 * GIB, "netin": busy * 100.0, "netout": busy * 40.0,
                    "diskread": busy * 500.0, "diskwrite": busy * 900.0})
            }
        })
        .collect()
}

fn entry(entry: &images::Entry) -> Value {
    json!({"template": entry.file, "package": entry.file.rsplit_once('_').map_or(entry.file, |(head, _)| head.rsplit_once('_').map_or(head, |(name, _)| name)), "os": entry.os, "version": entry.version,
        "headline": entry.headline, "description": entry.headline, "section": "system", "type": "lxc", "architecture": "amd64", "source": "http://download.proxmox.com/images",
        "location": format!("http://download.proxmox.com/images/system/{}", entry.file), "infopage": "https://pve.proxmox.com/wiki/Linux_Container", "sha512sum": "0".repeat(128)})
}
