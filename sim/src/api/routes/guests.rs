//! Reading guests of both kinds.

use serde_json::{Value, json};

use super::{Answer, nodes};
use crate::api::asked::Asked;
use crate::model::guest::{Guest, Kind};
use crate::model::stats;
use crate::refusal::Refusal;
use crate::tasks::snapshot;

pub(super) fn answer(name: &str, asked: &Asked) -> Option<Answer> {
    let (verb, rest, kind) = split(name)?;
    Some(match (verb, rest) {
        ("GET", "") => Ok(list(asked, kind).into()),
        ("GET", "/{vmid}") => Ok(super::subdirs(&[
            "config",
            "pending",
            "status",
            "vncproxy",
            "termproxy",
            "vncwebsocket",
            "spiceproxy",
            "migrate",
            "clone",
            "rrd",
            "rrddata",
            "firewall",
            "snapshot",
            "resize",
            "interfaces",
        ])
        .into()),
        ("GET", "/{vmid}/status") => {
            Ok(super::subdirs(&["current", "start", "stop", "shutdown", "suspend", "resume", "reboot"]).into())
        }
        ("GET", "/{vmid}/status/current") => current(asked, kind),
        ("GET", "/{vmid}/config") => asked.guest(kind, asked.vmid(), |guest| read(asked, guest)),
        ("GET", "/{vmid}/pending") => asked.guest(kind, asked.vmid(), |guest| Ok(pending(guest).into())),
        ("GET", "/{vmid}/feature") => feature(asked, kind),
        ("GET", "/{vmid}/rrddata") => rrd(asked, kind),
        ("GET", "/{vmid}/interfaces") => {
            let (now, delay) = (asked.world.clock.now(), asked.world.options.dhcp_delay.as_secs_f64());
            asked.guest(kind, asked.vmid(), |guest| {
                Ok(if guest.running() {
                    stats::interfaces(guest, now - guest.started >= delay).into()
                } else {
                    Value::Null.into()
                })
            })
        }
        _ => return None,
    })
}

/// `GET /nodes/{node}/lxc/{vmid}/config` as its verb, the path below the kind, and the kind.
pub(super) fn split(name: &str) -> Option<(&str, &str, Kind)> {
    let (verb, path) = name.split_once(' ')?;
    let rest = path.strip_prefix("/nodes/{node}/")?;
    match rest.strip_prefix("lxc") {
        Some(rest) => Some((verb, rest, Kind::Lxc)),
        None => Some((verb, rest.strip_prefix("qemu")?, Kind::Qemu)),
    }
}

fn list(asked: &Asked, kind: Kind) -> Value {
    let (state, now) = (asked.world.state(), asked.world.clock.now());
    let seen = state.guests.values().filter(|guest| {
        guest.kind == kind
            && guest.node == asked.node
            && state.may(&asked.who, &format!("/vms/{}", guest.vmid), "VM.Audit")
    });
    seen.map(|guest| stats::current(&state, guest, now)).collect()
}

fn current(asked: &Asked, kind: Kind) -> Answer {
    let vmid = asked.vmid();
    asked.guest(kind, vmid, |_| Ok(()))?;
    let (state, now) = (asked.world.state(), asked.world.clock.now());
    let Some(guest) = state.guests.get(&vmid) else { return Err(Refusal::died(kind.missing(&asked.node, vmid))) };
    let mut row = stats::current(&state, guest, now);
    row["ha"] = json!({"managed": 0});
    if kind == Kind::Qemu {
        row["qmpstatus"] = json!(stats::qmp(guest));
        if guest.text("agent").is_some_and(|agent| agent.starts_with('1') || agent.contains("enabled=1")) {
            row["agent"] = json!(1);
        }
        if guest.running() {
            row["nics"] = json!({format!("tap{vmid}i0"): {"netin": row["netin"], "netout": row["netout"]}});
        }
    }
    Ok(row.into())
}

fn read(asked: &Asked, guest: &Guest) -> Answer {
    let source = match asked.text("snapshot") {
        Some(name) => {
            &guest
                .snapshots
                .iter()
                .find(|kept| kept.name == name)
                .ok_or_else(|| Refusal::died(format!("snapshot '{name}' does not exist")))?
                .config
        }
        None => &guest.config,
    };
    let mut row: Value = source.clone().into_iter().collect::<serde_json::Map<_, _>>().into();
    if !asked.flag("current") && asked.text("snapshot").is_none() {
        for (key, value) in &guest.pending {
            row[key] = value.clone();
        }
    }
    row["digest"] = json!(guest.digest());
    Ok(row.into())
}

fn pending(guest: &Guest) -> Value {
    let mut rows: Vec<Value> = guest
        .config
        .iter()
        .map(|(key, value)| match guest.pending.get(key) {
            Some(next) => json!({"key": key, "value": value, "pending": next}),
            None => json!({"key": key, "value": value}),
        })
        .collect();
    rows.extend(
        guest
            .pending
            .iter()
            .filter(|(key, _)| !guest.config.contains_key(*key))
            .map(|(key, next)| json!({"key": key, "pending": next})),
    );
    rows.push(json!({"key": "digest", "value": guest.digest()}));
    Value::Array(rows)
}

fn feature(asked: &Asked, kind: Kind) -> Answer {
    let vmid = asked.vmid();
    asked.guest(kind, vmid, |_| Ok(()))?;
    let state = asked.world.state();
    let has = state.guests.get(&vmid).is_some_and(|guest| match asked.need("feature").as_str() {
        "snapshot" => snapshot::possible(&state, guest),
        _ => true,
    });
    let mut row = json!({"hasFeature": u8::from(has)});
    if kind == Kind::Qemu {
        row["nodes"] = json!([asked.node]);
    }
    Ok(row.into())
}

fn rrd(asked: &Asked, kind: Kind) -> Answer {
    let vmid = asked.vmid();
    let (now, interval) = (asked.world.clock.now(), asked.world.options.stat_interval.as_secs_f64());
    let written = asked.guest(kind, vmid, |guest| Ok(now - guest.created >= interval))?;
    if !written {
        let file = format!("/var/lib/rrdcached/db/pve-vm-9.0/{vmid}");
        return Err(Refusal::died(format!(
            "RRD error: rrdcached@unix:/var/run/rrdcached.sock: rrd_fetch_r failed: opening '{file}': No such file or directory"
        )));
    }
    Ok(nodes::rrd(asked, vmid, false).into())
}
