//! Storages, and the volumes on them.

use serde::{Deserialize, Serialize};

use super::State;

pub(crate) const GIB: u64 = 1 << 30;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Storage {
    /// `dir`, `btrfs`, `lvmthin`, `nfs`.
    pub(crate) kind: String,
    pub(crate) content: Vec<String>,
    pub(crate) shared: bool,
    pub(crate) total: u64,
    /// Used by what is not a volume here.
    pub(crate) base: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Volume {
    pub(crate) storage: String,
    /// None on a shared storage.
    pub(crate) node: Option<String>,
    pub(crate) id: String,
    pub(crate) content: String,
    pub(crate) format: String,
    pub(crate) size: u64,
    /// What it takes up: less than its size on thin storage.
    pub(crate) used: u64,
    pub(crate) vmid: Option<u32>,
    pub(crate) ctime: i64,
    pub(crate) notes: Option<String>,
    pub(crate) protected: bool,
}

impl Storage {
    pub(crate) fn snapshots(&self) -> bool {
        matches!(self.kind.as_str(), "btrfs" | "lvmthin" | "zfspool")
    }

    pub(crate) fn holds(&self, content: &str) -> bool {
        self.content.iter().any(|held| held == content)
    }
}

impl State {
    /// The volumes of a storage as a node sees them.
    pub(crate) fn volumes_on<'a>(&'a self, storage: &'a str, node: &'a str) -> impl Iterator<Item = &'a Volume> {
        self.volumes
            .iter()
            .filter(move |volume| volume.storage == storage && volume.node.as_deref().is_none_or(|on| on == node))
    }

    pub(crate) fn used(&self, storage: &str, node: &str) -> u64 {
        let base = self.storages.get(storage).map_or(0, |storage| storage.base);
        base + self.volumes_on(storage, node).map(|volume| volume.used).sum::<u64>()
    }

    pub(crate) fn free(&self, storage: &str, node: &str) -> u64 {
        self.storages.get(storage).map_or(0, |found| found.total.saturating_sub(self.used(storage, node)))
    }

    pub(crate) fn volume(&self, id: &str) -> Option<&Volume> {
        self.volumes.iter().find(|volume| volume.id == id)
    }

    /// Makes a disk for a guest and answers its id.
    pub(crate) fn new_disk(
        &mut self,
        storage: &str,
        node: &str,
        vmid: u32,
        content: &str,
        size: u64,
        now: i64,
    ) -> String {
        let number = (0..)
            .find(|n| {
                !self.volumes.iter().any(|volume| {
                    volume.id.starts_with(&format!("{storage}:")) && volume.id.contains(&format!("vm-{vmid}-disk-{n}"))
                })
            })
            .unwrap_or_default();
        let shared = self.storages.get(storage).is_some_and(|storage| storage.shared);
        let blocks =
            self.storages.get(storage).is_some_and(|storage| matches!(storage.kind.as_str(), "lvmthin" | "zfspool"));
        let id = if blocks {
            format!("{storage}:vm-{vmid}-disk-{number}")
        } else {
            format!("{storage}:{vmid}/vm-{vmid}-disk-{number}.raw")
        };
        self.volumes.push(Volume {
            storage: storage.to_owned(),
            node: (!shared).then(|| node.to_owned()),
            id: id.clone(),
            content: content.to_owned(),
            format: "raw".to_owned(),
            size,
            used: 0,
            vmid: Some(vmid),
            ctime: now,
            notes: None,
            protected: false,
        });
        id
    }
}

/// Where an image is below its storage's directory, for the words of a task's log.
pub(crate) fn path(id: &str) -> String {
    let (storage, name) = id.split_once(':').unwrap_or(("local", id));
    let name = name.replacen("vztmpl/", "template/cache/", 1).replacen("backup/", "dump/", 1);
    if storage == "local" { format!("/var/lib/vz/{name}") } else { format!("/mnt/pve/{storage}/{name}") }
}

/// `1G`, `0.1` (GiB) or `+512M`, in bytes.
pub(crate) fn bytes(text: &str, unit: u64) -> Option<u64> {
    let text = text.trim_start_matches('+');
    let (digits, factor) = match text.chars().last()? {
        'K' => (&text[..text.len() - 1], 1 << 10),
        'M' => (&text[..text.len() - 1], 1 << 20),
        'G' => (&text[..text.len() - 1], GIB),
        'T' => (&text[..text.len() - 1], 1 << 40),
        _ => (text, unit),
    };
    let number: f64 = digits.parse().ok().filter(|number: &f64| *number >= 0.0)?;
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "disk sizes are far below 2^52 and not negative"
    )]
    let bytes = (number * factor as f64) as u64;
    Some(bytes)
}

/// As Proxmox writes a size into a configuration.
pub(crate) fn size(bytes: u64) -> String {
    for (unit, factor) in [("G", GIB), ("M", 1 << 20), ("K", 1 << 10)] {
        if bytes.is_multiple_of(factor) && bytes > 0 {
            return format!("{}{unit}", bytes / factor);
        }
    }
    bytes.to_string()
}
