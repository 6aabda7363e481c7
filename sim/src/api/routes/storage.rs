use serde_json::{Value, json};

use super::Answer;
use crate::api::asked::Asked;
use crate::model::State;
use crate::model::storage::{Storage, Volume};
use crate::refusal::Refusal;

pub(super) fn answer(name: &str, asked: &Asked) -> Option<Answer> {
    Some(match name {
        "GET /storage" => Ok(configured(asked).into()),
        "GET /storage/{storage}" => with(asked, |_, name, storage| Ok(config_row(name, storage).into())),
        "GET /nodes/{node}/storage" => Ok(list(asked).into()),
        "GET /nodes/{node}/storage/{storage}" => {
            Ok(super::subdirs(&["content", "download-url", "prunebackups", "rrd", "rrddata", "status", "upload"])
                .into())
        }
        "GET /nodes/{node}/storage/{storage}/status" => {
            with(asked, |state, name, storage| Ok(row(asked, state, name, storage).into()))
        }
        "GET /nodes/{node}/storage/{storage}/content" => content(asked),
        "GET /nodes/{node}/storage/{storage}/content/{volume}" => volume(asked),
        "PUT /nodes/{node}/storage/{storage}/content/{volume}" => note(asked),
        "DELETE /nodes/{node}/storage/{storage}/content/{volume}" => remove(asked),
        _ => return None,
    })
}

fn with(asked: &Asked, read: impl FnOnce(&State, &str, &Storage) -> Answer) -> Answer {
    let (state, name) = (asked.world.state(), asked.need("storage"));
    let storage = state.storages.get(&name).ok_or_else(|| Refusal::died(format!("storage '{name}' does not exist")))?;
    read(&state, &name, storage)
}

fn config_row(name: &str, storage: &Storage) -> Value {
    let mut row = json!({"storage": name, "type": storage.kind, "content": storage.content.join(","), "digest": "da39a3ee5e6b4b0d3255bfef95601890afd80709"});
    match storage.kind.as_str() {
        "dir" => row["path"] = json!("/var/lib/vz"),
        "lvmthin" => {
            row["vgname"] = json!("pve");
            row["thinpool"] = json!("data");
        }
        _ => row["path"] = json!(format!("/mnt/pve/{name}")),
    }
    row
}

fn configured(asked: &Asked) -> Value {
    let state = asked.world.state();
    let seen =
        state.storages.iter().filter(|(name, _)| state.may(&asked.who, &format!("/storage/{name}"), "Datastore.Audit"));
    seen.map(|(name, storage)| config_row(name, storage)).collect()
}

#[allow(clippy::cast_precision_loss, reason = "a share of a disk needs no last digit")]
fn row(asked: &Asked, state: &State, name: &str, storage: &Storage) -> Value {
    let used = state.used(name, &asked.node);
    json!({"storage": name, "type": storage.kind, "content": storage.content.join(","), "active": 1, "enabled": 1, "shared": u8::from(storage.shared), "total": storage.total,
        "used": used, "avail": storage.total.saturating_sub(used), "used_fraction": used as f64 / storage.total as f64})
}

fn list(asked: &Asked) -> Value {
    let state = asked.world.state();
    let seen = state.storages.iter().filter(|(name, storage)| {
        let path = format!("/storage/{name}");
        (state.may(&asked.who, &path, "Datastore.Audit") || state.may(&asked.who, &path, "Datastore.AllocateSpace"))
            && asked.text("storage").is_none_or(|wanted| wanted == **name)
            && asked.list("content").iter().all(|content| storage.holds(content))
    });
    seen.map(|(name, storage)| row(asked, &state, name, storage)).collect()
}

fn volume_row(volume: &Volume) -> Value {
    let mut row = json!({"volid": volume.id, "content": volume.content, "format": volume.format, "size": volume.size, "ctime": volume.ctime});
    if let Some(vmid) = volume.vmid {
        row["vmid"] = json!(vmid);
    }
    if volume.content == "backup" {
        row["subtype"] = json!(if volume.id.contains("vzdump-lxc") { "lxc" } else { "qemu" });
    } else {
        row["used"] = json!(volume.used);
    }
    if let Some(notes) = &volume.notes {
        row["notes"] = json!(notes);
    }
    if volume.protected {
        row["protected"] = json!(1);
    }
    row
}

fn content(asked: &Asked) -> Answer {
    with(asked, |state, name, _| {
        let fits = |volume: &&Volume| {
            asked.text("content").is_none_or(|content| volume.content == content)
                && asked.number("vmid").is_none_or(|vmid| volume.vmid.map(u64::from) == Some(vmid))
                && (!matches!(volume.content.as_str(), "backup" | "images" | "rootdir")
                    || state.may(&asked.who, &format!("/storage/{name}"), "Datastore.Allocate")
                    || volume.vmid.is_some_and(|vmid| state.may(&asked.who, &format!("/vms/{vmid}"), "VM.Backup")))
        };
        Ok(state.volumes_on(name, &asked.node).filter(fits).map(volume_row).collect::<Value>().into())
    })
}

/// A volume by its full id or its name on the asked storage.
fn id(asked: &Asked) -> String {
    let (storage, volume) = (asked.need("storage"), asked.need("volume"));
    if volume.contains(':') { volume } else { format!("{storage}:{volume}") }
}

fn gone(id: &str) -> Refusal {
    Refusal::died(format!("volume_size_info on '{id}' failed - no such volume"))
}

fn volume(asked: &Asked) -> Answer {
    let (state, id) = (asked.world.state(), id(asked));
    let volume = state.volumes.iter().find(|volume| volume.id == id).ok_or_else(|| gone(&id))?;
    let mut row = volume_row(volume);
    row["path"] = json!(crate::model::storage::path(&id));
    Ok(row.into())
}

fn note(asked: &Asked) -> Answer {
    let id = id(asked);
    asked.world.change(|state| {
        let volume = state.volumes.iter_mut().find(|volume| volume.id == id).ok_or_else(|| gone(&id))?;
        if let Some(notes) = asked.text("notes") {
            volume.notes = Some(notes);
        }
        if asked.text("protected").is_some() {
            volume.protected = asked.flag("protected");
        }
        Ok(Value::Null.into())
    })
}

fn remove(asked: &Asked) -> Answer {
    let id = id(asked);
    {
        let state = asked.world.state();
        let Some(volume) = state.volume(&id) else { return Err(gone(&id)) };
        let over = state.may(&asked.who, &format!("/storage/{}", volume.storage), "Datastore.Allocate");
        let own = volume.content == "backup"
            && volume.vmid.is_some_and(|vmid| state.may(&asked.who, &format!("/vms/{vmid}"), "VM.Backup"));
        if !over && !own {
            return Err(Refusal::forbidden(&format!("/storage/{}, Datastore.Allocate", volume.storage)));
        }
        if volume.protected {
            return Err(Refusal::died(format!("can't remove protected volume '{id}'")));
        }
    }
    let name = id.clone();
    let storage = asked.need("storage");
    let upid = asked.task(
        "imgdel",
        &format!("{}@{storage}", id.split_once(':').map_or("", |(_, name)| name)),
        move |run| async move {
            run.work().await;
            let removed = std::fs::remove_file(run.world.dump_file(name.rsplit('/').next().unwrap_or_default()));
            tracing::debug!(?removed, "the file of a volume");
            run.world.change(|state| state.volumes.retain(|volume| volume.id != name));
            run.log(format!("Removed volume '{name}'"));
            Ok(())
        },
    );
    Ok(upid.into())
}
