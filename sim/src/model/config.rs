//! Values of a guest's configuration, from what a caller gave to what Proxmox keeps.

use std::collections::BTreeMap;

use rand::RngExt;
use serde_json::{Value, json};

use super::State;
use super::guest::Kind;
use super::storage::{self, GIB};
use crate::schema::{self, Format};

/// The call whose parameters are the keys of such a guest's configuration.
pub(crate) fn call(kind: Kind) -> &'static str {
    match kind {
        Kind::Lxc => "PUT /nodes/{node}/lxc/{vmid}/config",
        Kind::Qemu => "PUT /nodes/{node}/qemu/{vmid}/config",
    }
}

/// Parameters that steer the call and are no part of the configuration.
pub(crate) const STEERING: &[&str] = &[
    "node",
    "vmid",
    "delete",
    "digest",
    "revert",
    "skiplock",
    "force",
    "ostemplate",
    "storage",
    "password",
    "ssh-public-keys",
    "pool",
    "restore",
    "unique",
    "start",
    "bwlimit",
    "ignore-unpack-errors",
    "archive",
    "live-restore",
    "import-working-storage",
    "background_delay",
    "ha-managed",
];

/// A plain value as it is kept: numbers for integers and booleans, text for the rest.
pub(crate) fn keep(kind: Kind, key: &str, value: &Value) -> Value {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Bool(truth) => u8::from(*truth).to_string(),
        // A JSON null is kept as a blank, and makes the guest unstartable.
        Value::Null => return json!(" "),
        other => other.to_string(),
    };
    let found = schema::param(call(kind), key);
    let number =
        found.and_then(|param| param.kind.as_deref()).is_some_and(|kind| matches!(kind, "integer" | "boolean"));
    if key == "description" && !text.ends_with('\n') {
        return json!(format!("{text}\n"));
    }
    match text.parse::<i64>() {
        Ok(value) if number => json!(value),
        _ => json!(text),
    }
}

/// The parts of a property string of such a guest.
pub(crate) fn parts(kind: Kind, key: &str, text: &str) -> BTreeMap<String, String> {
    match schema::param(call(kind), key).and_then(|param| param.format.as_ref()) {
        Some(Format::Nested(format)) => {
            schema::parse_property(format, text, key).unwrap_or_default().into_iter().collect()
        }
        _ => loose(text),
    }
}

/// The same where the schema has no format for it: the first piece without a key is the volume.
fn loose(text: &str) -> BTreeMap<String, String> {
    text.split(',')
        .map(|piece| {
            piece.split_once('=').map_or_else(
                || ("volume".to_owned(), piece.to_owned()),
                |(key, value)| (key.to_owned(), value.to_owned()),
            )
        })
        .collect()
}

pub(crate) fn is_net(key: &str) -> bool {
    key.strip_prefix("net").is_some_and(|number| number.parse::<u32>().is_ok())
}

/// Keys that name a disk.
pub(crate) fn is_disk(kind: Kind, key: &str) -> bool {
    let stem = key.trim_end_matches(|c: char| c.is_ascii_digit());
    match kind {
        Kind::Lxc => key == "rootfs" || (stem == "mp" && stem != key),
        Kind::Qemu => {
            matches!(stem, "scsi" | "virtio" | "sata" | "ide") && stem != key || matches!(key, "efidisk0" | "tpmstate0")
        }
    }
}

/// A network card, with the address that Proxmox gives it.
pub(crate) fn net(kind: Kind, key: &str, text: &str) -> String {
    let mut parts = parts(kind, key, text);
    let mac = random_mac();
    match kind {
        Kind::Lxc => {
            parts.entry("hwaddr".to_owned()).or_insert(mac);
            parts.entry("type".to_owned()).or_insert_with(|| "veth".to_owned());
            let name = parts.remove("name").unwrap_or_else(|| "eth0".to_owned());
            let others: Vec<_> = parts.into_iter().collect();
            schema::write_property(Some(&format!("name={name}")), &others)
        }
        Kind::Qemu => {
            let model = parts.remove("model").unwrap_or_else(|| "virtio".to_owned());
            let mac = parts.remove("macaddr").filter(|mac| !mac.is_empty()).unwrap_or(mac);
            let others: Vec<_> = parts.into_iter().collect();
            schema::write_property(Some(&format!("{model}={mac}")), &others)
        }
    }
}

fn random_mac() -> String {
    let tail: [u8; 3] = rand::rng().random();
    format!("BC:24:11:{:02X}:{:02X}:{:02X}", tail[0], tail[1], tail[2])
}

/// A disk that a caller asked for.
pub(crate) enum Disk {
    /// `local-lvm:8`: a new one of that size.
    New { storage: String, size: u64, others: Vec<(String, String)> },
    /// One that is there already, or a path of the host.
    Given(String),
}

pub(crate) fn disk(text: &str) -> Disk {
    let mut parts = loose(text);
    let volume = parts.remove("volume").or_else(|| parts.remove("file")).unwrap_or_default();
    let fresh = volume.split_once(':').and_then(|(storage, size)| {
        Some((storage.to_owned(), size.parse::<f64>().ok().and_then(|_| storage::bytes(size, GIB))?))
    });
    match fresh {
        Some((storage, size)) => {
            Disk::New { storage, size, others: parts.into_iter().filter(|(key, _)| key != "size").collect() }
        }
        None => Disk::Given(text.to_owned()),
    }
}

/// The volume that a disk's value names, and its size.
pub(crate) fn volume(text: &str) -> (String, u64) {
    let parts = loose(text);
    let size = parts.get("size").and_then(|size| storage::bytes(size, 1)).unwrap_or_default();
    (parts.get("volume").or_else(|| parts.get("file")).cloned().unwrap_or_default(), size)
}

pub(crate) fn disk_value(volume: &str, size: u64, others: &[(String, String)]) -> String {
    let mut all = others.to_vec();
    all.push(("size".to_owned(), storage::size(size)));
    schema::write_property(Some(volume), &all)
}

impl State {
    /// The size of a guest's first disk.
    pub(crate) fn disk_size(&self, vmid: u32) -> u64 {
        let Some(guest) = self.guests.get(&vmid) else { return 0 };
        let key = match guest.kind {
            Kind::Lxc => Some("rootfs".to_owned()),
            Kind::Qemu => {
                let is_own = |key: &&String| {
                    is_disk(Kind::Qemu, key) && !guest.text(key).is_some_and(|value| value.contains("media=cdrom"))
                };
                guest.config.keys().find(is_own).cloned()
            }
        };
        key.and_then(|key| guest.text(&key).map(|text| volume(text).1)).unwrap_or(4 * GIB)
    }
}
