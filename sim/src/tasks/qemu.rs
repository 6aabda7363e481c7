//! What only virtual machines do.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{look, unlocked};
use crate::model::config::{self, Disk};
use crate::model::guest::{Config, Kind, Status};
use crate::model::run::Run;
use crate::model::storage;
use crate::model::world::new_secret;

pub(crate) async fn create(run: Run, vmid: u32, given: BTreeMap<String, Value>) -> Result<(), String> {
    let _held = run.lock(Kind::Qemu, vmid).await?;
    run.work().await;
    let made = configure(&run, vmid, &given);
    match made {
        Ok(config) => {
            run.world.change(|state| {
                if let Some(guest) = state.guests.get_mut(&vmid) {
                    guest.config = config;
                }
            });
            Ok(())
        }
        Err(error) => {
            run.world.change(|state| {
                state.guests.remove(&vmid);
                state.volumes.retain(|volume| volume.vmid != Some(vmid));
            });
            Err(format!("unable to create VM {vmid} - {error}"))
        }
    }
}

fn configure(run: &Run, vmid: u32, given: &BTreeMap<String, Value>) -> Result<Config, String> {
    let now = run.world.clock.seconds();
    let mut made = Config::new();
    let mut order = Vec::new();
    for (key, value) in given.iter().filter(|(key, _)| !config::STEERING.contains(&key.as_str())) {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let kept = if config::is_net(key) {
            order.push(key.clone());
            json!(config::net(Kind::Qemu, key, &text))
        } else if config::is_disk(Kind::Qemu, key) {
            json!(disk(run, vmid, key, &text, now)?)
        } else {
            config::keep(Kind::Qemu, key, value)
        };
        made.insert(key.clone(), kept);
    }
    order.splice(0..0, made.keys().filter(|key| config::is_disk(Kind::Qemu, key)).cloned());
    made.entry("boot".to_owned()).or_insert_with(|| json!(format!("order={}", order.join(";"))));
    made.insert("meta".to_owned(), json!(format!("creation-qemu=10.0.13,ctime={now}")));
    made.insert("vmgenid".to_owned(), json!(new_secret()));
    made.entry("smbios1".to_owned()).or_insert_with(|| json!(format!("uuid={}", new_secret())));
    Ok(made)
}

fn disk(run: &Run, vmid: u32, key: &str, text: &str, now: i64) -> Result<String, String> {
    if let Some(storage) = text.strip_suffix(":cloudinit") {
        return Ok(format!("{storage}:vm-{vmid}-cloudinit,media=cdrom,size=4M"));
    }
    let Disk::New { storage, size, others } = config::disk(text) else { return Ok(text.to_owned()) };
    let volume = run.world.change(|state| {
        if !state.storages.contains_key(&storage) {
            return Err(format!("storage '{storage}' does not exist"));
        }
        Ok(state.new_disk(&storage, &run.node, vmid, "images", size, now))
    })?;
    run.log(format!("Formatting '{}', fmt=raw size={size} preallocation=off", storage::path(&volume)));
    let value = config::disk_value(&volume, size, &others);
    run.log(format!("{key}: successfully created disk '{value}'"));
    Ok(value)
}

pub(crate) async fn pause(run: Run, vmid: u32, to: Status) -> Result<(), String> {
    let _held = run.lock(Kind::Qemu, vmid).await?;
    unlocked(&run, Kind::Qemu, vmid)?;
    run.work().await;
    run.world.change(|state| {
        if let Some(guest) = state.guests.get_mut(&vmid).filter(|guest| guest.running()) {
            guest.status = to;
        }
    });
    Ok(())
}

pub(crate) async fn reset(run: Run, vmid: u32) -> Result<(), String> {
    let _held = run.lock(Kind::Qemu, vmid).await?;
    look(&run, Kind::Qemu, vmid, |guest| if guest.running() { Ok(()) } else { Err(format!("VM {vmid} not running")) })?;
    run.work().await;
    Ok(())
}
