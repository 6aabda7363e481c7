//! Backups, and bringing them back.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{sandbox, set_lock};
use crate::model::config;
use crate::model::guest::{Config, Kind};
use crate::model::run::Run;
use crate::model::storage::{self, Volume};
use crate::model::world::World;

/// What `POST /nodes/{node}/vzdump` was given.
pub(crate) struct Wanted {
    pub(crate) vmids: Vec<u32>,
    pub(crate) storage: String,
    pub(crate) mode: String,
    pub(crate) compress: String,
    pub(crate) notes: Option<String>,
    pub(crate) protected: bool,
}

pub(crate) async fn dump(run: Run, wanted: Wanted) -> Result<(), String> {
    let list: Vec<String> = wanted.vmids.iter().map(ToString::to_string).collect();
    run.log(format!(
        "INFO: starting new backup job: vzdump {} --mode {} --storage {}",
        list.join(" "),
        wanted.mode,
        wanted.storage
    ));
    let mut failed = false;
    for vmid in &wanted.vmids {
        if let Err(error) = one(&run, *vmid, &wanted).await {
            run.log(format!("ERROR: Backup of VM {vmid} failed - {error}"));
            failed = true;
        }
    }
    if failed {
        run.log("INFO: Backup job finished with errors");
        return Err("job errors".to_owned());
    }
    run.log("INFO: Backup job finished successfully");
    Ok(())
}

async fn one(run: &Run, vmid: u32, wanted: &Wanted) -> Result<(), String> {
    let (kind, running, name, mut kept, used) = {
        let state = run.world.state();
        let guest = state.guests.get(&vmid).ok_or_else(|| format!("unable to find VM '{vmid}'"))?;
        guest.unlocked().map_err(|refusal| refusal.message)?;
        (guest.kind, guest.running(), guest.name(), guest.config.clone(), guest.disk_used)
    };
    let _held = run.lock(kind, vmid).await?;
    run.log(format!("INFO: Starting Backup of VM {vmid} ({})", kind.word()));
    run.log(format!("INFO: status = {}", if running { "running" } else { "stopped" }));
    run.log(format!("INFO: {} Name: {name}", kind.short()));
    run.log(format!("INFO: backup mode: {}", if running { wanted.mode.as_str() } else { "stop" }));
    let now = run.world.clock.seconds();
    let stamp = chrono::DateTime::from_timestamp(now, 0).unwrap_or_default().format("%Y_%m_%d-%H_%M_%S");
    let end = match (kind, wanted.compress.as_str()) {
        (Kind::Lxc, "gzip" | "1") => "tar.gz",
        (Kind::Lxc, "lzo") => "tar.lzo",
        (Kind::Lxc, "0") => "tar",
        (Kind::Lxc, _) => "tar.zst",
        (Kind::Qemu, "0") => "vma",
        (Kind::Qemu, _) => "vma.zst",
    };
    let file = format!("vzdump-{}-{vmid}-{stamp}.{end}", kind.word());
    let id = format!("{}:backup/{file}", wanted.storage);
    run.log(format!("INFO: creating vzdump archive '{}'", storage::path(&id)));
    let locked = Locked::new(run, vmid);
    run.work().await;
    let archive = run.world.dump_file(&file);
    let packed =
        if kind == Kind::Lxc { run.world.guests.backup(vmid, &archive).await.map_err(sandbox) } else { Ok(()) };
    drop(locked);
    packed?;
    kept.remove("lock");
    kept.remove("parent");
    std::fs::write(run.world.dump_file(&format!("{file}.conf")), serde_json::to_vec(&kept).unwrap_or_default())
        .map_err(|error| error.to_string())?;
    let size = (used / 3).max(4096);
    run.world.change(|state| {
        if state.free(&wanted.storage, &run.node) < size {
            return Err("No space left on device".to_owned());
        }
        let shared = state.storages.get(&wanted.storage).is_some_and(|storage| storage.shared);
        state.volumes.push(Volume {
            storage: wanted.storage.clone(),
            node: (!shared).then(|| run.node.clone()),
            id,
            content: "backup".to_owned(),
            format: end.to_owned(),
            size,
            used: size,
            vmid: Some(vmid),
            ctime: now,
            notes: wanted.notes.as_ref().map(|notes| {
                notes
                    .replace("{{guestname}}", &name)
                    .replace("{{vmid}}", &vmid.to_string())
                    .replace("{{node}}", &run.node)
            }),
            protected: wanted.protected,
        });
        Ok(())
    })?;
    run.log(format!("INFO: archive file size: {}MB", size / (1 << 20)));
    run.log(format!("INFO: Finished Backup of VM {vmid} (00:00:01)"));
    Ok(())
}

/// Fills a container from a backup; `over` replaces the files of the one that is there.
pub(crate) async fn restore(run: &Run, given: &BTreeMap<String, Value>, vmid: u32, over: bool) -> Result<(), String> {
    let text = |key: &str| given.get(key).and_then(Value::as_str);
    let id = text("ostemplate").unwrap_or_default();
    let (size, file) = {
        let state = run.world.state();
        let volume = state
            .volume(id)
            .filter(|volume| volume.content == "backup")
            .ok_or_else(|| format!("volume '{id}' does not exist"))?;
        (volume.size, volume.id.rsplit('/').next().unwrap_or_default().to_owned())
    };
    let kept = std::fs::read(run.world.dump_file(&format!("{file}.conf"))).map_err(|error| error.to_string())?;
    let kept: Config = serde_json::from_slice(&kept).map_err(|error| error.to_string())?;
    run.log(format!("recovering backed-up configuration from '{id}'"));
    if over {
        run.world.guests.destroy(vmid).await.map_err(sandbox)?;
        run.world
            .change(|state| state.volumes.retain(|volume| volume.vmid != Some(vmid) || volume.content == "backup"));
    }
    let now = run.world.clock.seconds();
    let mut made = Config::new();
    for (key, value) in kept {
        let old = value.as_str().unwrap_or_default();
        if config::is_disk(Kind::Lxc, &key) {
            let (volume, size) = config::volume(old);
            let storage = text("storage").unwrap_or_else(|| volume.split(':').next().unwrap_or("local")).to_owned();
            let fresh = run.world.change(|state| state.new_disk(&storage, &run.node, vmid, "rootdir", size, now));
            made.insert(key, json!(config::disk_value(&fresh, size, &[])));
        } else {
            made.insert(key, value);
        }
    }
    for (key, value) in
        given.iter().filter(|(key, _)| !config::STEERING.contains(&key.as_str()) && !config::is_disk(Kind::Lxc, key))
    {
        let kept = match value.as_str().filter(|_| config::is_net(key)) {
            Some(text) => json!(config::net(Kind::Lxc, key, text)),
            None => config::keep(Kind::Lxc, key, value),
        };
        made.insert(key.clone(), kept);
    }
    run.log(format!("restoring '{id}' now.."));
    run.log(format!("extracting archive '{}'", storage::path(id)));
    run.work().await;
    run.world.guests.restore(&run.world.dump_file(&file), vmid).await.map_err(sandbox)?;
    if let Some(name) = made.get("hostname").and_then(Value::as_str) {
        run.world.guests.rename_host(vmid, name).map_err(sandbox)?;
    }
    super::create::take_space(run, vmid, size * 3)?;
    run.world.change(|state| {
        if let Some(guest) = state.guests.get_mut(&vmid) {
            guest.config = made;
            guest.disk_used = size * 3;
            guest.snapshots.clear();
        }
    });
    Ok(())
}

/// The lock that a backup puts on a guest, which it takes away even when it is killed.
struct Locked<'a>(&'a Run, u32);

impl<'a> Locked<'a> {
    fn new(run: &'a Run, vmid: u32) -> Self {
        set_lock(run, vmid, Some("backup"));
        Self(run, vmid)
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        set_lock(self.0, self.1, None);
    }
}

impl World {
    /// Where the files of a backup are kept.
    pub(crate) fn dump_file(&self, file: &str) -> PathBuf {
        self.dumps.join(file)
    }
}
