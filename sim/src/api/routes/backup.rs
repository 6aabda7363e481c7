use serde_json::Value;

use super::Answer;
use crate::api::asked::Asked;
use crate::refusal::Refusal;
use crate::tasks::backup;

pub(super) fn answer(name: &str, asked: &Asked) -> Option<Answer> {
    Some(match name {
        "POST /nodes/{node}/vzdump" => dump(asked),
        "GET /nodes/{node}/vzdump/defaults" => {
            Ok(serde_json::json!({"mode": "snapshot", "storage": "local", "remove": 1}).into())
        }
        "GET /cluster/backup" => Ok(Value::Array(Vec::new()).into()),
        _ => return None,
    })
}

fn dump(asked: &Asked) -> Answer {
    let here = |vmid: &u32| asked.world.state().guests.get(vmid).is_some_and(|guest| guest.node == asked.node);
    let mut vmids: Vec<u32> = if asked.flag("all") {
        asked.world.vmids()
    } else {
        asked.list("vmid").iter().filter_map(|id| id.parse().ok()).collect()
    };
    if asked.flag("all") {
        vmids.retain(|vmid| here(vmid));
    }
    if vmids.is_empty() {
        return Err(Refusal::parameter("vmid", "property is missing and it is not optional"));
    }
    for vmid in &vmids {
        asked.demand(&format!("/vms/{vmid}"), "VM.Backup")?;
    }
    let storage = asked.text("storage").unwrap_or_else(|| "local".to_owned());
    let holds = asked.world.state().storages.get(&storage).map(|found| found.holds("backup"));
    match holds {
        None => {
            return Err(Refusal::died(format!(
                "could not get storage information for '{storage}': storage '{storage}' does not exist"
            )));
        }
        Some(false) => {
            return Err(Refusal::died(format!(
                "could not get storage information for '{storage}': can't use storage type '{storage}' for backup"
            )));
        }
        Some(true) => asked.demand(&format!("/storage/{storage}"), "Datastore.AllocateSpace")?,
    }
    let wanted = backup::Wanted {
        storage,
        mode: asked.text("mode").unwrap_or_else(|| "snapshot".to_owned()),
        compress: asked.text("compress").unwrap_or_else(|| "0".to_owned()),
        notes: asked.text("notes-template"),
        protected: asked.flag("protected"),
        vmids,
    };
    let id = if let [one] = wanted.vmids.as_slice() { one.to_string() } else { String::new() };
    Ok(asked.task("vzdump", &id, move |run| backup::dump(run, wanted)).into())
}
