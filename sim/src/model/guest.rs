use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::refusal::Refusal;

pub(crate) type Config = BTreeMap<String, Value>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Lxc,
    Qemu,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Stopped,
    Running,
    /// A VM that is still shown as running.
    Paused,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Guest {
    pub(crate) vmid: u32,
    pub(crate) kind: Kind,
    pub(crate) node: String,
    pub(crate) config: Config,
    /// What a running VM takes on with its next start.
    pub(crate) pending: Config,
    pub(crate) status: Status,
    /// A container whose state is on its node's disk.
    #[serde(default)]
    pub(crate) suspended: bool,
    pub(crate) started: f64,
    pub(crate) pid: u32,
    /// When pvestatd first saw it, and so its name and numbers are known.
    pub(crate) created: f64,
    pub(crate) snapshots: Vec<Snapshot>,
    pub(crate) image: String,
    /// Before that time nothing is known of what it uses.
    pub(crate) disk_used: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    pub(crate) name: String,
    pub(crate) parent: Option<String>,
    pub(crate) time: i64,
    pub(crate) description: String,
    pub(crate) config: Config,
    pub(crate) image: String,
    pub(crate) vmstate: bool,
}

impl Kind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Lxc => "lxc",
            Self::Qemu => "qemu",
        }
    }

    /// What Proxmox calls one of them.
    pub(crate) fn short(self) -> &'static str {
        match self {
            Self::Lxc => "CT",
            Self::Qemu => "VM",
        }
    }

    pub(crate) fn missing(self, node: &str, vmid: u32) -> String {
        let dir = if self == Self::Lxc { "lxc" } else { "qemu-server" };
        format!("Configuration file 'nodes/{node}/{dir}/{vmid}.conf' does not exist")
    }

    pub(crate) fn lock_timeout(self, vmid: u32) -> String {
        let file = if self == Self::Lxc {
            format!("/run/lock/lxc/pve-config-{vmid}.lock")
        } else {
            format!("/var/lock/qemu-server/lock-{vmid}.conf")
        };
        format!("can't lock file '{file}' - got timeout")
    }
}

impl Guest {
    pub(crate) fn new(vmid: u32, kind: Kind, node: &str, now: f64) -> Self {
        Self {
            vmid,
            kind,
            node: node.to_owned(),
            config: Config::new(),
            pending: Config::new(),
            status: Status::Stopped,
            started: 0.0,
            pid: 0,
            created: now,
            snapshots: Vec::new(),
            image: String::new(),
            suspended: false,
            disk_used: 0,
        }
    }

    pub(crate) fn running(&self) -> bool {
        self.status != Status::Stopped
    }

    pub(crate) fn lock(&self) -> Option<&str> {
        self.config.get("lock").and_then(Value::as_str)
    }

    pub(crate) fn unlocked(&self) -> Result<(), Refusal> {
        match self.lock() {
            Some(lock) => Err(Refusal::died(format!("{} is locked ({lock})", self.kind.short()))),
            None => Ok(()),
        }
    }

    pub(crate) fn flag(&self, key: &str) -> bool {
        self.config.get(key).is_some_and(|value| value.as_i64() == Some(1) || value.as_str() == Some("1"))
    }

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.config.get(key).and_then(Value::as_str)
    }

    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        let value = self.config.get(key)?;
        value.as_u64().or_else(|| value.as_str()?.parse().ok())
    }

    pub(crate) fn name(&self) -> String {
        match self.kind {
            Kind::Lxc => self.text("hostname").map_or_else(|| format!("CT{}", self.vmid), str::to_owned),
            Kind::Qemu => self.text("name").map_or_else(|| format!("VM {}", self.vmid), str::to_owned),
        }
    }

    /// The lines of its configuration as `pct config` prints them.
    pub(crate) fn lines(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        self.config.iter().map(|(key, value)| (key.clone(), text(value).trim_end().replace('\n', "%0A"))).collect()
    }

    /// 40 hex digits over the file as it is now, snapshots and pending changes included.
    pub(crate) fn digest(&self) -> String {
        let all = (
            &self.config,
            &self.pending,
            self.snapshots.iter().map(|kept| (&kept.name, &kept.description, &kept.config)).collect::<Vec<_>>(),
        );
        let mut text = hex::encode(Sha256::digest(serde_json::to_vec(&all).unwrap_or_default()));
        text.truncate(40);
        text
    }

    pub(crate) fn same_digest(&self, given: Option<&str>) -> Result<(), Refusal> {
        match given {
            Some(digest) if !digest.is_empty() && digest != self.digest() => {
                Err(Refusal::died("detected modified configuration - file changed by other user? Try again."))
            }
            _ => Ok(()),
        }
    }
}
