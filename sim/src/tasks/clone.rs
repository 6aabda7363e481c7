//! Copies of guests.

use serde_json::json;

use super::{look, sandbox, set_lock};
use crate::model::config;
use crate::model::guest::{Config, Kind};
use crate::model::run::Run;

/// What a clone was asked to be.
pub(crate) struct Wanted {
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) snapshot: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) storage: Option<String>,
}

/// Fills the new guest, which is there with its lock already.
pub(crate) async fn clone(run: Run, kind: Kind, wanted: Wanted) -> Result<(), String> {
    run.log(format!(
        "creating a clone of {} {} with ID {}",
        if kind == Kind::Lxc { "container" } else { "VM" },
        wanted.from,
        wanted.to
    ));
    set_lock(&run, wanted.from, Some("disk"));
    run.work().await;
    let done = fill(&run, kind, &wanted).await;
    set_lock(&run, wanted.from, None);
    if let Err(error) = done {
        run.world.change(|state| {
            state.guests.remove(&wanted.to);
            state.volumes.retain(|volume| volume.vmid != Some(wanted.to));
        });
        return Err(format!("clone failed: {error}"));
    }
    Ok(())
}

async fn fill(run: &Run, kind: Kind, wanted: &Wanted) -> Result<(), String> {
    let (source, image, used) = look(run, kind, wanted.from, |guest| match &wanted.snapshot {
        Some(name) => guest
            .snapshots
            .iter()
            .find(|kept| kept.name == *name)
            .map(|kept| (kept.config.clone(), kept.image.clone(), guest.disk_used))
            .ok_or_else(|| format!("snapshot '{name}' does not exist")),
        None => Ok((guest.config.clone(), guest.image.clone(), guest.disk_used)),
    })?;
    let mut made = Config::new();
    let now = run.world.clock.seconds();
    for (key, value) in source {
        let text = value.as_str().unwrap_or_default();
        if matches!(key.as_str(), "lock" | "parent" | "template") {
            continue;
        }
        if config::is_disk(kind, &key) {
            let (volume, size) = config::volume(text);
            let storage =
                wanted.storage.clone().unwrap_or_else(|| volume.split(':').next().unwrap_or("local").to_owned());
            run.log(format!(
                "create full clone of {} {key} ({volume})",
                if kind == Kind::Lxc { "mountpoint" } else { "drive" }
            ));
            let content = if kind == Kind::Lxc { "rootdir" } else { "images" };
            let copy = run.world.change(|state| state.new_disk(&storage, &run.node, wanted.to, content, size, now));
            made.insert(key, json!(config::disk_value(&copy, size, &[])));
        } else if config::is_net(&key) {
            // A copy has an address of its own.
            let kept: Vec<&str> = text.split(',').filter(|part| !part.starts_with("hwaddr=")).collect();
            let kept = if kind == Kind::Qemu {
                text.split_once('=').map_or(text.to_owned(), |(model, rest)| {
                    format!("{model},{}", rest.split_once(',').map_or("", |(_, rest)| rest))
                })
            } else {
                kept.join(",")
            };
            made.insert(key.clone(), json!(config::net(kind, &key, &kept)));
        } else {
            made.insert(key, value);
        }
    }
    if let Some(name) = &wanted.name {
        made.insert(if kind == Kind::Lxc { "hostname" } else { "name" }.to_owned(), json!(name));
    }
    if let Some(text) = &wanted.description {
        made.insert("description".to_owned(), json!(format!("{text}\n")));
    }
    let hostname = made.get("hostname").and_then(|name| name.as_str()).unwrap_or("localhost").to_owned();
    if kind == Kind::Lxc {
        run.world
            .guests
            .clone_guest(wanted.from, wanted.snapshot.as_deref(), wanted.to, &hostname)
            .await
            .map_err(sandbox)?;
        super::create::take_space(run, wanted.to, used)?;
    }
    run.world.change(|state| {
        if let Some(guest) = state.guests.get_mut(&wanted.to) {
            guest.config = made;
            guest.image = image;
            guest.disk_used = used;
        }
    });
    Ok(())
}
