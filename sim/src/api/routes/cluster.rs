use std::sync::PoisonError;

use serde_json::{Value, json};

use super::Answer;
use crate::api::asked::Asked;
use crate::model::{State, stats};
use crate::refusal::Refusal;

pub(super) fn answer(name: &str, asked: &Asked) -> Option<Answer> {
    Some(match name {
        "GET /version" => Ok(json!({"version": "9.1.7", "release": "9.1", "repoid": "0307225d4bc8b3ed"}).into()),
        "GET /cluster/nextid" => next_id(asked),
        "GET /cluster/resources" => Ok(Value::Array(resources(asked)).into()),
        "GET /cluster/status" => Ok(status(asked).into()),
        "GET /cluster/options" => Ok(json!({"keyboard": "en-us"}).into()),
        "GET /cluster/tasks" => Ok(tasks(asked).into()),
        _ => return None,
    })
}

fn next_id(asked: &Asked) -> Answer {
    let state = asked.world.state();
    match asked.text("vmid") {
        Some(text) => match text.parse::<u32>().ok().filter(|id| state.guests.contains_key(id)) {
            Some(id) => Err(Refusal::parameter("vmid", format!("VM {id} already exists"))),
            None => Ok(json!(text).into()),
        },
        None => Ok(json!(state.next_id().to_string()).into()),
    }
}

/// What pvestatd last saw: rows lag, and a guest it has not seen yet has no name.
fn resources(asked: &Asked) -> Vec<Value> {
    let now = asked.world.clock.now();
    let interval = asked.world.options.stat_interval.as_secs_f64();
    let state = asked.world.state();
    let rows = {
        let mut cached = asked.world.cached.lock().unwrap_or_else(PoisonError::into_inner);
        if interval == 0.0 || now - cached.0 >= interval {
            *cached = (now, seen(&state, now));
        }
        cached.1.clone()
    };
    let wanted = asked.text("type");
    let mut all: Vec<Value> = nodes(asked, &state, now);
    for guest in
        state.guests.values().filter(|guest| state.may(&asked.who, &format!("/vms/{}", guest.vmid), "VM.Audit"))
    {
        let id = json!(format!("{}/{}", guest.kind.word(), guest.vmid));
        match rows.iter().find(|row| row["id"] == id) {
            Some(row) if state.nodes.get(&guest.node).is_some_and(|node| node.online) => all.push(row.clone()),
            _ => all.push(json!({"id": id, "node": guest.node, "type": guest.kind.word(), "vmid": guest.vmid, "status": "unknown"})),
        }
    }
    for (name, storage) in
        state.storages.iter().filter(|(name, _)| state.may(&asked.who, &format!("/storage/{name}"), "Datastore.Audit"))
    {
        for node in state.nodes.keys() {
            all.push(json!({"id": format!("storage/{node}/{name}"), "type": "storage", "storage": name, "node": node, "status": "available", "plugintype": storage.kind,
                "content": storage.content.join(","), "shared": u8::from(storage.shared), "disk": state.used(name, node), "maxdisk": storage.total}));
        }
    }
    all.retain(|row| match wanted.as_deref() {
        Some("vm") => matches!(row["type"].as_str(), Some("lxc" | "qemu")),
        Some(kind) => row["type"] == kind,
        None => true,
    });
    all
}

fn seen(state: &State, now: f64) -> Vec<Value> {
    state.guests.values().map(|guest| stats::resource(state, guest, now)).collect()
}

fn nodes(asked: &Asked, state: &State, now: f64) -> Vec<Value> {
    state
        .nodes
        .iter()
        .map(|(name, node)| {
            let mut row = json!({"id": format!("node/{name}"), "type": "node", "node": name, "status": if node.online { "online" } else { "offline" }, "level": "", "cgroup-mode": 1});
            if node.online && state.may(&asked.who, &format!("/nodes/{name}"), "Sys.Audit") {
                super::nodes::measure(state, name, node, now, &mut row);
            }
            row
        })
        .collect()
}

fn status(asked: &Asked) -> Value {
    let state = asked.world.state();
    let mut all = Vec::new();
    if state.nodes.len() > 1 {
        let online = state.nodes.values().filter(|node| node.online).count();
        all.push(json!({"id": "cluster", "type": "cluster", "name": "sim", "version": 1, "nodes": state.nodes.len(), "quorate": u8::from(online * 2 > state.nodes.len())}));
    }
    for (number, (name, node)) in state.nodes.iter().enumerate() {
        all.push(json!({"id": format!("node/{name}"), "type": "node", "name": name, "nodeid": number + 1, "ip": asked.world.options.address.to_string(), "online": u8::from(node.online),
            "local": u8::from(*name == asked.node), "level": ""}));
    }
    Value::Array(all)
}

fn tasks(asked: &Asked) -> Value {
    let state = asked.world.state();
    let foreign = state.may(&asked.who, "/", "Sys.Audit");
    let mine = state.tasks.iter().rev().filter(|task| foreign || task.user == asked.who.id());
    let (active, ended): (Vec<_>, Vec<_>) = mine.partition(|task| task.exit.is_none());
    let ended = ended.into_iter().take(25).map(|task| {
        let mut row = task.finished();
        row["saved"] = json!("1");
        row
    });
    active.into_iter().map(crate::model::task::Task::active).chain(ended).collect()
}
