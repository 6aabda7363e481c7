//! What differs between a guest as Proxmox has it and its container as it is recorded.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::container::{Container, Features, Network, Power, marker};

/// A guest as Proxmox has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Actual {
    pub node: String,
    pub hostname: String,
    pub cores: u32,
    pub memory_mb: u32,
    pub swap_mb: u32,
    pub disk_gb: u32,
    pub network: Network,
    pub features: Features,
    /// Without our own.
    pub tags: Vec<String>,
    pub start_on_boot: bool,
    pub power: Power,
    /// It bears our marker.
    pub marked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drifted {
    /// There is no guest any more.
    Guest,
    Node,
    /// What says that it is ours.
    Marker,
    Power,
    Hostname,
    Cores,
    MemoryMb,
    SwapMb,
    DiskGb,
    Network,
    Features,
    Tags,
    StartOnBoot,
}

impl Drifted {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Node => "node",
            Self::Marker => "marker",
            Self::Power => "power",
            Self::Hostname => "hostname",
            Self::Cores => "cores",
            Self::MemoryMb => "memory_mb",
            Self::SwapMb => "swap_mb",
            Self::DiskGb => "disk_gb",
            Self::Network => "network",
            Self::Features => "features",
            Self::Tags => "tags",
            Self::StartOnBoot => "start_on_boot",
        }
    }
}

impl fmt::Display for Drifted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    pub what: Drifted,
    pub recorded: Value,
    pub found: Value,
}

/// In the order of [`Drifted`]; `None` as actual: there is no such guest.
#[must_use]
pub fn differences(container: &Container, actual: Option<&Actual>) -> Vec<Difference> {
    let (Some(request), Some(guest)) = (container.request(), container.guest()) else { return Vec::new() };
    let Some(actual) = actual else {
        let recorded = json!(format!("{}/{}", guest.node, guest.vmid));
        return vec![Difference { what: Drifted::Guest, recorded, found: Value::Null }];
    };
    let spec = &request.spec;
    let power = match container.power() {
        Power::Suspended => Power::Stopped,
        other => other,
    };
    let sorted = |tags: &[String]| {
        let mut tags: Vec<String> = tags.iter().filter(|tag| *tag != marker::TAG).cloned().collect();
        tags.sort_unstable();
        tags.dedup();
        tags
    };
    let known = power != Power::Unknown && actual.power != Power::Unknown;
    let all = [
        (Drifted::Node, json!(guest.node), json!(actual.node)),
        (Drifted::Marker, json!(true), json!(actual.marked)),
        (
            Drifted::Power,
            if known { json!(power) } else { Value::Null },
            if known { json!(actual.power) } else { Value::Null },
        ),
        (Drifted::Hostname, json!(spec.hostname), json!(actual.hostname)),
        (Drifted::Cores, json!(spec.cores), json!(actual.cores)),
        (Drifted::MemoryMb, json!(spec.memory_mb), json!(actual.memory_mb)),
        (Drifted::SwapMb, json!(spec.swap_mb), json!(actual.swap_mb)),
        (Drifted::DiskGb, json!(spec.disk_gb), json!(actual.disk_gb)),
        (Drifted::Network, json!(spec.network), json!(actual.network)),
        (Drifted::Features, json!(spec.features), json!(actual.features)),
        (Drifted::Tags, json!(sorted(&spec.tags)), json!(sorted(&actual.tags))),
        (Drifted::StartOnBoot, json!(spec.start_on_boot), json!(actual.start_on_boot)),
    ];
    let different = all.into_iter().filter(|(_, recorded, found)| recorded != found);
    different.map(|(what, recorded, found)| Difference { what, recorded, found }).collect()
}
