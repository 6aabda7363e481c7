//! The configuration, and the size of disks.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::Lxc;
use crate::call::Call;
use crate::error::Result;
use crate::lenient;
use crate::upid::Upid;

/// As Proxmox keeps it: `net0`, `rootfs`, `memory`, …, each as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config(BTreeMap<String, String>);

impl Config {
    pub(crate) fn of(values: BTreeMap<String, Value>) -> Self {
        let text = |value: Value| if let Value::String(text) = value { text } else { value.to_string() };
        Self(values.into_iter().filter(|(_, v)| !v.is_null()).map(|(name, value)| (name, text(value))).collect())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// What [`ConfigChange::digest`] takes, so that nobody's change is overwritten.
    pub fn digest(&self) -> Option<&str> {
        self.get("digest")
    }

    pub fn lock(&self) -> Option<&str> {
        self.get("lock")
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// What is to change; all else stays.
#[derive(Clone, Debug, Default)]
pub struct ConfigChange {
    pub hostname: Option<String>,
    pub cores: Option<u32>,
    pub cpu_limit: Option<f64>,
    pub cpu_units: Option<u32>,
    /// MiB
    pub memory: Option<u64>,
    /// MiB
    pub swap: Option<u64>,
    pub onboot: Option<bool>,
    pub protection: Option<bool>,
    pub description: Option<String>,
    pub tags: Option<Vec<String>>,
    pub nameserver: Option<String>,
    pub searchdomain: Option<String>,
    pub features: Option<String>,
    pub startup: Option<String>,
    /// By number: `net0` is 0.
    pub networks: BTreeMap<u8, String>,
    pub mounts: BTreeMap<u8, String>,
    /// Keys to take out.
    pub delete: Vec<String>,
    /// Refused with [`Error::Conflict`](crate::Error::Conflict) if the configuration is another by now.
    pub digest: Option<String>,
}

/// A key, and what it becomes at the next start.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Pending {
    pub key: String,
    #[serde(default, deserialize_with = "lenient::maybe_text")]
    pub value: Option<String>,
    #[serde(default, deserialize_with = "lenient::maybe_text")]
    pub pending: Option<String>,
    #[serde(default, deserialize_with = "lenient::flag")]
    pub delete: bool,
}

impl Lxc {
    pub async fn config(&self) -> Result<Config> {
        let call = Call::get("/nodes/{node}/lxc/{vmid}/config", &[&self.node, &self.vmid]);
        self.client.call(call).await.map(Config::of)
    }

    pub async fn configure(&self, change: &ConfigChange) -> Result<()> {
        let mut call = Call::put("/nodes/{node}/lxc/{vmid}/config", &[&self.node, &self.vmid])
            .maybe("hostname", &change.hostname)
            .maybe("cores", &change.cores)
            .maybe("cpulimit", &change.cpu_limit)
            .maybe("cpuunits", &change.cpu_units)
            .maybe("memory", &change.memory)
            .maybe("swap", &change.swap)
            .maybe("onboot", &change.onboot)
            .maybe("protection", &change.protection)
            .maybe("description", &change.description)
            .maybe("tags", &change.tags.as_ref().map(|tags| tags.join(";")))
            .maybe("nameserver", &change.nameserver)
            .maybe("searchdomain", &change.searchdomain)
            .maybe("features", &change.features)
            .maybe("startup", &change.startup)
            .maybe("digest", &change.digest);
        for (number, value) in &change.networks {
            call = call.with(format!("net{number}"), value);
        }
        for (number, value) in &change.mounts {
            call = call.with(format!("mp{number}"), value);
        }
        if !change.delete.is_empty() {
            call = call.with("delete", change.delete.join(","));
        }
        self.client.order(call).await
    }

    pub async fn pending(&self) -> Result<Vec<Pending>> {
        self.client.list(Call::get("/nodes/{node}/lxc/{vmid}/pending", &[&self.node, &self.vmid])).await
    }

    /// `disk` is `rootfs` or `mp0` …; `size` is `16G`, or `+1G` to add. Disks only grow.
    pub async fn resize(&self, disk: &str, size: &str) -> Result<Upid> {
        let call = Call::put("/nodes/{node}/lxc/{vmid}/resize", &[&self.node, &self.vmid]);
        self.client.call(call.with("disk", disk).with("size", size)).await
    }
}
