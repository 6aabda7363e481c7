//! Changing a guest's configuration.

use serde_json::{Value, json};

use crate::api::asked::Asked;
use crate::model::config::{self, Disk};
use crate::model::guest::{Guest, Kind};
use crate::refusal::Refusal;

const READ_ONLY: &[&str] = &["unprivileged", "arch", "ostype"];
/// What a running VM takes on with its next start only.
const COLD: &[&str] =
    &["memory", "cores", "sockets", "cpu", "machine", "bios", "boot", "scsihw", "agent", "vga", "balloon"];

/// What only root itself may set, whoever else has which rights.
pub(super) fn root_only(asked: &Asked) -> Result<(), Refusal> {
    for (key, value) in &asked.params {
        let text = value.as_str().unwrap_or_default();
        if key == "features" && text.split(',').any(|part| !part.starts_with("nesting=")) {
            asked.only_root("changing feature flags (except nesting)")?;
        }
        if key == "hookscript" {
            asked.only_root("changing the hookscript")?;
        }
        if key.strip_prefix("dev").is_some_and(|number| number.parse::<u32>().is_ok()) {
            asked.only_root("configuring device passthrough")?;
        }
        if config::is_disk(Kind::Lxc, key) && text.starts_with('/') {
            asked.only_root("mount point type bind")?;
        }
    }
    Ok(())
}

/// Checks and makes the change that the parameters ask for.
pub(super) async fn apply(asked: &Asked, kind: Kind) -> Result<(), Refusal> {
    let vmid = asked.vmid();
    asked.guest(kind, vmid, |_| Ok(()))?;
    if kind == Kind::Lxc {
        root_only(asked)?;
    }
    let free = asked.world.lock_file(vmid);
    let _held = match free.try_lock_owned() {
        Ok(guard) if !asked.world.faults.lock_held(vmid) => guard,
        _ => asked.world.wait_for(kind, vmid).await.map_err(Refusal::died)?,
    };
    let unset = asked.list("delete");
    let digest = asked.text("digest");
    asked.guest(kind, vmid, |guest| {
        guest.same_digest(digest.as_deref())?;
        if !(asked.flag("skiplock") && asked.who.is_root()) {
            guest.unlocked()?;
        }
        if let Some(key) =
            asked.params.keys().chain(&unset).find(|key| kind == Kind::Lxc && READ_ONLY.contains(&key.as_str()))
        {
            return Err(Refusal::died(format!("unable to modify read-only option: '{key}'")));
        }
        let unknown = unset.iter().find(|key| crate::schema::param(config::call(kind), key).is_none());
        unknown.map_or(Ok(()), |key| Err(Refusal::parameter("delete", format!("unknown setting '{key}'\n"))))
    })?;
    cards_fit(asked, kind, vmid)?;
    let mut changes = Vec::new();
    for (key, value) in asked.params.iter().filter(|(key, _)| !config::STEERING.contains(&key.as_str())) {
        changes.push((key.clone(), changed(asked, kind, vmid, key, value)?));
    }
    asked.world.change(|state| {
        let Some(guest) = state.guests.get_mut(&vmid) else { return };
        write(guest, changes, &unset);
    });
    Ok(())
}

/// A card that is plugged into a running container needs its bridge.
fn cards_fit(asked: &Asked, kind: Kind, vmid: u32) -> Result<(), Refusal> {
    if kind == Kind::Qemu || !asked.runs(vmid) {
        return Ok(());
    }
    let bridges = asked.world.state().nodes.get(&asked.node).map(|node| node.bridges.clone()).unwrap_or_default();
    for (key, value) in asked.params.iter().filter(|(key, _)| config::is_net(key)) {
        let parts = config::parts(kind, key, value.as_str().unwrap_or_default());
        if let Some(bridge) = parts.get("bridge").filter(|bridge| !bridges.contains(bridge)) {
            return Err(Refusal::parameter(
                key,
                format!("unable to hotplug {key}: bridge '{bridge}' does not exist\n"),
            ));
        }
    }
    Ok(())
}

fn changed(asked: &Asked, kind: Kind, vmid: u32, key: &str, value: &Value) -> Result<Value, Refusal> {
    let text = value.as_str().unwrap_or_default();
    if config::is_net(key) {
        return Ok(json!(config::net(kind, key, text)));
    }
    if !config::is_disk(kind, key) {
        return Ok(config::keep(kind, key, value));
    }
    match config::disk(text) {
        Disk::Given(text) => Ok(json!(text)),
        Disk::New { storage, size, others } => {
            asked.demand(&format!("/storage/{storage}"), "Datastore.AllocateSpace")?;
            let now = asked.world.clock.seconds();
            asked.world.change(|state| {
                if !state.storages.contains_key(&storage) {
                    return Err(Refusal::died(format!("storage '{storage}' does not exist")));
                }
                let volume = state.new_disk(
                    &storage,
                    &asked.node,
                    vmid,
                    if kind == Kind::Lxc { "rootdir" } else { "images" },
                    size,
                    now,
                );
                Ok(json!(config::disk_value(&volume, size, &others)))
            })
        }
    }
}

fn write(guest: &mut Guest, changes: Vec<(String, Value)>, unset: &[String]) {
    for key in unset {
        guest.config.remove(key);
        guest.pending.remove(key);
    }
    for (key, value) in changes {
        if guest.kind == Kind::Qemu
            && guest.running()
            && COLD.contains(&key.as_str())
            && guest.config.get(&key) != Some(&value)
        {
            guest.pending.insert(key, value);
        } else {
            guest.pending.remove(&key);
            guest.config.insert(key, value);
        }
    }
}
