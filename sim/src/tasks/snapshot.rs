//! Snapshots that bring files back.

use serde_json::json;

use super::{look, power, sandbox, set_lock, unlocked};
use crate::model::State;
use crate::model::config;
use crate::model::guest::{Guest, Kind, Snapshot};
use crate::model::run::Run;

/// Whether every disk of a guest is on a storage that keeps snapshots.
pub(crate) fn possible(state: &State, guest: &Guest) -> bool {
    guest.config.iter().filter(|(key, _)| config::is_disk(guest.kind, key)).all(|(_, value)| {
        let (volume, _) = config::volume(value.as_str().unwrap_or_default());
        volume.split_once(':').is_none_or(|(storage, _)| {
            state.storages.get(storage).is_some_and(crate::model::storage::Storage::snapshots)
        })
    })
}

pub(crate) async fn take(
    run: Run,
    kind: Kind,
    vmid: u32,
    name: String,
    description: String,
    vmstate: bool,
) -> Result<(), String> {
    let _held = run.lock(kind, vmid).await?;
    unlocked(&run, kind, vmid)?;
    look(&run, kind, vmid, |guest| {
        if guest.snapshots.iter().any(|kept| kept.name == name) {
            Err(format!("snapshot name '{name}' already used"))
        } else {
            Ok(())
        }
    })?;
    let fits = {
        let state = run.world.state();
        state.guests.get(&vmid).is_some_and(|guest| possible(&state, guest))
    };
    if !fits {
        return Err("snapshot feature is not available".to_owned());
    }
    set_lock(&run, vmid, Some("snapshot"));
    run.work().await;
    let kept = if kind == Kind::Lxc { run.world.guests.snapshot(vmid, &name).await.map_err(sandbox) } else { Ok(()) };
    set_lock(&run, vmid, None);
    kept?;
    let time = run.world.clock.seconds();
    run.world.change(|state| {
        if let Some(guest) = state.guests.get_mut(&vmid) {
            let parent = guest.text("parent").map(str::to_owned);
            let mut config = guest.config.clone();
            config.remove("parent");
            guest.snapshots.push(Snapshot {
                name: name.clone(),
                parent,
                time,
                description,
                config,
                image: guest.image.clone(),
                vmstate,
            });
            guest.config.insert("parent".to_owned(), json!(name));
        }
    });
    Ok(())
}

pub(crate) async fn rollback(run: Run, kind: Kind, vmid: u32, name: String, start: bool) -> Result<(), String> {
    let held = run.lock(kind, vmid).await?;
    unlocked(&run, kind, vmid)?;
    let back = look(&run, kind, vmid, |guest| {
        guest
            .snapshots
            .iter()
            .find(|kept| kept.name == name)
            .cloned()
            .ok_or_else(|| format!("snapshot '{name}' does not exist"))
    })?;
    set_lock(&run, vmid, Some("rollback"));
    run.work().await;
    power::halt(&run, kind, vmid).await?;
    let brought =
        if kind == Kind::Lxc { run.world.guests.rollback(vmid, &name).await.map_err(sandbox) } else { Ok(()) };
    set_lock(&run, vmid, None);
    brought?;
    run.world.change(|state| {
        if let Some(guest) = state.guests.get_mut(&vmid) {
            guest.config = back.config;
            guest.image = back.image;
            guest.config.insert("parent".to_owned(), json!(name));
        }
    });
    drop(held);
    if start || back.vmstate {
        power::start(run, kind, vmid).await?;
    }
    Ok(())
}

pub(crate) async fn forget(run: Run, kind: Kind, vmid: u32, name: String) -> Result<(), String> {
    let _held = run.lock(kind, vmid).await?;
    unlocked(&run, kind, vmid)?;
    look(&run, kind, vmid, |guest| {
        if guest.snapshots.iter().any(|kept| kept.name == name) {
            Ok(())
        } else {
            Err(format!("snapshot '{name}' does not exist"))
        }
    })?;
    set_lock(&run, vmid, Some("snapshot-delete"));
    run.work().await;
    let gone =
        if kind == Kind::Lxc { run.world.guests.delete_snapshot(vmid, &name).await.map_err(sandbox) } else { Ok(()) };
    set_lock(&run, vmid, None);
    gone?;
    run.world.change(|state| {
        let Some(guest) = state.guests.get_mut(&vmid) else { return };
        let Some(at) = guest.snapshots.iter().position(|kept| kept.name == name) else { return };
        let removed = guest.snapshots.remove(at);
        for kept in guest.snapshots.iter_mut().filter(|kept| kept.parent.as_deref() == Some(name.as_str())) {
            kept.parent.clone_from(&removed.parent);
        }
        if guest.text("parent") == Some(name.as_str()) {
            match removed.parent {
                Some(parent) => guest.config.insert("parent".to_owned(), json!(parent)),
                None => guest.config.remove("parent"),
            };
        }
    });
    Ok(())
}
