//! Making a container, from an image or from a backup.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{images, power, sandbox};
use crate::guest::{Fresh, Os};
use crate::model::config::{self, Disk};
use crate::model::guest::{Config, Kind};
use crate::model::run::Run;
use crate::model::storage::{self, GIB};

/// What `POST /nodes/{node}/lxc` was given.
pub(crate) struct Wanted {
    pub(crate) vmid: u32,
    pub(crate) given: BTreeMap<String, Value>,
    /// Restore over a container that is there.
    pub(crate) over: bool,
}

impl Wanted {
    fn text(&self, key: &str) -> Option<&str> {
        self.given.get(key).and_then(Value::as_str)
    }

    fn flag(&self, key: &str) -> bool {
        self.given.get(key).is_some_and(|value| {
            matches!(value.as_str(), Some("1")) || value.as_i64() == Some(1) || value.as_bool() == Some(true)
        })
    }
}

pub(crate) async fn container(run: Run, wanted: Wanted) -> Result<(), String> {
    let vmid = wanted.vmid;
    let guard = run.lock(Kind::Lxc, vmid).await?;
    let made = if wanted.flag("restore") {
        super::backup::restore(&run, &wanted.given, vmid, wanted.over).await
    } else {
        fresh(&run, &wanted).await
    };
    if let Err(error) = made {
        if let Err(error) = run.world.guests.destroy(vmid).await {
            tracing::warn!(%error, "what a failed create left could not be removed");
        }
        run.world.change(|state| {
            state.guests.remove(&vmid);
            state.volumes.retain(|volume| volume.vmid != Some(vmid) || volume.content == "backup");
            for pool in state.pools.values_mut() {
                pool.guests.retain(|id| *id != vmid);
            }
        });
        let verb = if wanted.flag("restore") { "restore" } else { "create" };
        return Err(format!("unable to {verb} CT {vmid} - {error}"));
    }
    drop(guard);
    if wanted.flag("start") {
        power::start(run, Kind::Lxc, vmid).await?;
    }
    Ok(())
}

async fn fresh(run: &Run, wanted: &Wanted) -> Result<(), String> {
    let vmid = wanted.vmid;
    let image = wanted.text("ostemplate").unwrap_or_default().to_owned();
    let default_storage = wanted.text("storage").unwrap_or("local").to_owned();
    let mut config = Config::new();
    for (key, value) in &wanted.given {
        if config::STEERING.contains(&key.as_str()) || config::is_disk(Kind::Lxc, key) {
            continue;
        }
        let kept = match value.as_str().filter(|_| config::is_net(key)) {
            Some(text) => json!(config::net(Kind::Lxc, key, text)),
            None => config::keep(Kind::Lxc, key, value),
        };
        config.insert(key.clone(), kept);
    }
    for (key, value) in [
        ("arch", json!("amd64")),
        ("memory", json!(512)),
        ("swap", json!(512)),
        ("hostname", json!(format!("CT{vmid}"))),
        ("unprivileged", json!(1)),
    ] {
        config.entry(key.to_owned()).or_insert(value);
    }
    config.insert("ostype".to_owned(), json!(images::ostype(&image)));
    if config.get("unprivileged") == Some(&json!(0)) {
        config.remove("unprivileged");
    }
    if !run
        .world
        .state()
        .volumes_on(image.split(':').next().unwrap_or_default(), &run.node)
        .any(|volume| volume.id == image)
    {
        run.work().await;
        return Err(format!("volume '{image}' does not exist"));
    }
    let rootfs = wanted.text("rootfs").map_or_else(|| format!("{default_storage}:4"), str::to_owned);
    let mut disks = vec![("rootfs".to_owned(), rootfs)];
    disks.extend(
        wanted
            .given
            .iter()
            .filter(|(key, _)| *key != "rootfs" && config::is_disk(Kind::Lxc, key))
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))),
    );
    for (key, text) in disks {
        let value = disk(run, vmid, &key, &text, &image)?;
        config.insert(key, json!(value));
    }
    run.log(format!("extracting archive '{}'", storage::path(&image)));
    run.work().await;
    let used = images::unpacked(&image);
    take_space(run, vmid, used)?;
    let keys = wanted
        .text("ssh-public-keys")
        .unwrap_or_default()
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(str::to_owned)
        .collect();
    let hostname = config.get("hostname").and_then(Value::as_str).unwrap_or("localhost").to_owned();
    let made = Fresh {
        os: Os::of_image(&image),
        hostname,
        root_password: wanted.text("password").map(str::to_owned),
        ssh_keys: keys,
    };
    run.world.guests.create(vmid, &made).await.map_err(sandbox)?;
    run.log(format!("Total bytes read: {used} ({}MiB, 90MiB/s)", used / (1 << 20)));
    run.log("Detected container architecture: amd64");
    run.world.change(|state| {
        if let Some(guest) = state.guests.get_mut(&vmid) {
            guest.config = config;
            guest.image = image;
            guest.disk_used = used;
        }
    });
    Ok(())
}

fn disk(run: &Run, vmid: u32, key: &str, text: &str, image: &str) -> Result<String, String> {
    let Disk::New { storage, size, others } = config::disk(text) else { return Ok(text.to_owned()) };
    let now = run.world.clock.seconds();
    let volume = run.world.change(|state| {
        if !state.storages.contains_key(&storage) {
            return Err(format!("storage '{storage}' does not exist"));
        }
        Ok(state.new_disk(&storage, &run.node, vmid, "rootdir", size, now))
    })?;
    run.log(format!("Creating filesystem with {} 4k blocks and {} inodes", size / 4096, size / 16_384));
    run.log(format!("Filesystem UUID: {}", crate::model::world::new_secret()));
    run.log("Superblock backups stored on blocks: ");
    run.log("\t32768, 98304, 163840, 229376");
    if key == "rootfs" && size < images::unpacked(image) + size / 10 {
        run.log(format!("extracting archive '{}'", storage::path(image)));
        run.log("tar: ./usr/lib: Cannot mkdir: No space left on device");
        return Err("command 'lxc-usernsexec -m u:0:100000:65536 -m g:0:100000:65536 -- tar xpf - --zstd --totals --one-file-system -p --sparse --numeric-owner --acls --xattrs '--xattrs-include=user.*' '--xattrs-include=security.capability' '--warning=no-file-ignored' '--warning=no-xattr-write' -C /var/lib/lxc/".to_owned()
            + &format!("{vmid}/rootfs --skip-old-files --anchored --exclude './dev/*'' failed: exit code 2"));
    }
    Ok(config::disk_value(&volume, size.max(GIB / 1024), &others))
}

/// Writes into a guest's first volume, if its storage still has the room.
pub(crate) fn take_space(run: &Run, vmid: u32, bytes: u64) -> Result<(), String> {
    run.world.change(|state| {
        let Some(at) = state.volumes.iter().position(|volume| volume.vmid == Some(vmid) && volume.content != "backup")
        else {
            return Ok(());
        };
        let storage = state.volumes[at].storage.clone();
        if state.free(&storage, &run.node) < bytes {
            return Err(format!("command 'tar xpf - -C /var/lib/lxc/{vmid}/rootfs' failed: No space left on device"));
        }
        state.volumes[at].used = bytes;
        Ok(())
    })
}
