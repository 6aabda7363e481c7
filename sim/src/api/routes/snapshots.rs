use serde_json::{Value, json};

use super::Answer;
use super::guests::split;
use crate::api::asked::Asked;
use crate::model::guest::{Guest, Kind};
use crate::refusal::Refusal;
use crate::tasks::snapshot;

pub(super) fn answer(name: &str, asked: &Asked) -> Option<Answer> {
    let (verb, rest, kind) = split(name)?;
    let rest = rest.strip_prefix("/{vmid}/snapshot")?;
    Some(match (verb, rest) {
        ("GET", "") => asked.guest(kind, asked.vmid(), |guest| Ok(list(guest).into())),
        ("POST", "") => take(asked, kind),
        ("GET", "/{snapname}") => Ok(super::subdirs(&["rollback", "config"]).into()),
        ("DELETE", "/{snapname}") => forget(asked, kind),
        ("GET", "/{snapname}/config") => config(asked, kind),
        ("PUT", "/{snapname}/config") => describe(asked, kind),
        ("POST", "/{snapname}/rollback") => rollback(asked, kind),
        _ => return None,
    })
}

fn list(guest: &Guest) -> Value {
    let mut rows: Vec<Value> = Vec::new();
    for kept in &guest.snapshots {
        let mut row = json!({"name": kept.name, "snaptime": kept.time, "description": kept.description});
        if let Some(parent) = &kept.parent {
            row["parent"] = json!(parent);
        }
        if guest.kind == Kind::Qemu {
            row["vmstate"] = json!(u8::from(kept.vmstate));
        }
        rows.push(row);
    }
    let mut now = json!({"name": "current", "description": "You are here!", "digest": guest.digest(), "running": u8::from(guest.running())});
    if let Some(parent) = guest.text("parent") {
        now["parent"] = json!(parent);
    }
    rows.push(now);
    Value::Array(rows)
}

fn names(kind: Kind) -> (&'static str, &'static str, &'static str) {
    if kind == Kind::Lxc {
        ("vzsnapshot", "vzrollback", "vzdelsnapshot")
    } else {
        ("qmsnapshot", "qmrollback", "qmdelsnapshot")
    }
}

fn take(asked: &Asked, kind: Kind) -> Answer {
    let (vmid, name) = (asked.vmid(), asked.need("snapname"));
    if name == "current" {
        return Err(Refusal::died("unable to use snapshot name 'current' (reserved name)"));
    }
    let (description, vmstate) = (asked.text("description").unwrap_or_default(), asked.flag("vmstate"));
    Ok(asked
        .task(names(kind).0, &vmid.to_string(), move |run| snapshot::take(run, kind, vmid, name, description, vmstate))
        .into())
}

fn rollback(asked: &Asked, kind: Kind) -> Answer {
    let (vmid, name, start) = (asked.vmid(), asked.need("snapname"), asked.flag("start"));
    Ok(asked.task(names(kind).1, &vmid.to_string(), move |run| snapshot::rollback(run, kind, vmid, name, start)).into())
}

fn forget(asked: &Asked, kind: Kind) -> Answer {
    let (vmid, name) = (asked.vmid(), asked.need("snapname"));
    Ok(asked.task(names(kind).2, &vmid.to_string(), move |run| snapshot::forget(run, kind, vmid, name)).into())
}

fn config(asked: &Asked, kind: Kind) -> Answer {
    let name = asked.need("snapname");
    asked.guest(kind, asked.vmid(), |guest| {
        let kept = guest
            .snapshots
            .iter()
            .find(|kept| kept.name == name)
            .ok_or_else(|| Refusal::died(format!("snapshot '{name}' does not exist")))?;
        let mut row: Value = kept.config.clone().into_iter().collect::<serde_json::Map<_, _>>().into();
        row["snaptime"] = json!(kept.time);
        if !kept.description.is_empty() {
            row["description"] = json!(kept.description);
        }
        if let Some(parent) = &kept.parent {
            row["parent"] = json!(parent);
        }
        Ok(row.into())
    })
}

fn describe(asked: &Asked, kind: Kind) -> Answer {
    let (vmid, name) = (asked.vmid(), asked.need("snapname"));
    asked.guest(kind, vmid, |_| Ok(()))?;
    asked.world.change(|state| {
        let kept =
            state.guests.get_mut(&vmid).and_then(|guest| guest.snapshots.iter_mut().find(|kept| kept.name == name));
        let kept = kept.ok_or_else(|| Refusal::died(format!("snapshot '{name}' does not exist")))?;
        kept.description = asked.text("description").unwrap_or_default();
        Ok(Value::Null.into())
    })
}
