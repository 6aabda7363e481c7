use serde::{Deserialize, Serialize};

use crate::HostId;

/// What a container is to be. Texts stay texts until [`validate`](Self::validate), so that all that is wrong can be
/// told at once. Holds no secret: passwords and answers to a template's questions are sealed beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContainerSpec {
    pub hostname: String,
    pub source: Source,
    pub cores: u32,
    pub memory_mb: u32,
    pub swap_mb: u32,
    pub disk_gb: u32,
    /// Where the root disk goes; none: the node's first that may hold it.
    #[serde(default)]
    pub storage: Option<String>,
    #[serde(default)]
    pub network: Network,
    /// Public keys that may log in as root.
    #[serde(default)]
    pub ssh_keys: Vec<String>,
    #[serde(default = "yes")]
    pub unprivileged: bool,
    #[serde(default)]
    pub features: Features,
    #[serde(default)]
    pub tags: Vec<String>,
    /// What its owner wants to be read beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default)]
    pub start_on_boot: bool,
    /// On top of the template's.
    #[serde(default)]
    pub packages: Vec<String>,
    #[serde(default)]
    pub scripts: Scripts,
    #[serde(default)]
    pub place: Where,
    /// Containers that bear this tag are kept on different nodes as long as there are enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread_by: Option<String>,
    /// None: the next free one.
    #[serde(default)]
    pub vmid: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Template(String),
    /// A bare OS image.
    Image(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Network {
    pub bridge: String,
    pub vlan: Option<u32>,
    pub ipv4: Ipv4,
    pub ipv6: Ipv6,
    pub nameservers: Vec<String>,
    /// The DNS domain that names are looked up in.
    pub domain: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case")]
pub enum Ipv4 {
    #[default]
    Dhcp,
    /// `address` with its prefix: `192.0.2.10/24`.
    Static {
        address: String,
        #[serde(default)]
        gateway: Option<String>,
    },
    None,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case")]
pub enum Ipv6 {
    Dhcp,
    /// From the router's advertisements.
    Auto,
    Static {
        address: String,
        #[serde(default)]
        gateway: Option<String>,
    },
    #[default]
    None,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Features {
    pub nesting: bool,
    pub keyctl: bool,
    pub fuse: bool,
}

/// Which of the template's scripts run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scripts {
    #[default]
    All,
    None,
    Only(Vec<String>),
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Where {
    /// "Place it for me."
    #[default]
    Anywhere,
    Host(HostId),
    Node {
        host: HostId,
        node: String,
    },
}

const fn yes() -> bool {
    true
}

impl Default for Network {
    fn default() -> Self {
        Self {
            bridge: "vmbr0".to_owned(),
            vlan: None,
            ipv4: Ipv4::Dhcp,
            ipv6: Ipv6::None,
            nameservers: vec![],
            domain: None,
        }
    }
}

impl ContainerSpec {
    /// The same container, as it is kept: no comments on keys (they name people), tags and names as Proxmox has them.
    #[must_use]
    pub fn normalized(mut self) -> Self {
        self.hostname.make_ascii_lowercase();
        self.tags.iter_mut().for_each(|tag| tag.make_ascii_lowercase());
        self.spread_by.iter_mut().for_each(|tag| tag.make_ascii_lowercase());
        for key in &mut self.ssh_keys {
            *key = key.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        }
        self
    }
}
