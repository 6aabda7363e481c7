use std::collections::BTreeMap;

use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::secret::Secret;

/// What a container is to be. Whatever is left out comes from the template, or else from Gantry's own defaults.
#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "hostname": "web1", "template": "nginx", "cores": 2, "memory_mb": 1024 }))]
pub(crate) struct CreateContainer {
    /// 1 to 63 letters, digits and hyphens; unique among the containers that are there.
    #[schema(value_type = String, example = "web1", min_length = 1, max_length = 63)]
    pub(crate) hostname: Option<String>,
    /// How it is equipped; see `/v1/templates`. Either this or `image`.
    #[schema(example = "nginx")]
    pub(crate) template: Option<String>,
    /// A bare OS image, as Proxmox names it.
    #[schema(example = "local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst")]
    pub(crate) image: Option<String>,
    #[schema(minimum = 1, maximum = 128)]
    pub(crate) cores: Option<u32>,
    #[schema(minimum = 128, maximum = 65536)]
    pub(crate) memory_mb: Option<u32>,
    #[schema(minimum = 0, maximum = 65536)]
    pub(crate) swap_mb: Option<u32>,
    #[schema(minimum = 1, maximum = 10240)]
    pub(crate) disk_gb: Option<u32>,
    /// Where the root disk goes; left out: the node's first that may hold it.
    #[schema(example = "local-lvm")]
    pub(crate) storage: Option<String>,
    #[validate(nested)]
    #[serde(default)]
    pub(crate) network: NetworkWish,
    /// Public keys that may log in as root, one line each as in a `.pub` file.
    #[validate(length(max = 50, message = "give at most 50 keys"))]
    #[serde(default)]
    pub(crate) ssh_keys: Vec<String>,
    /// Left out: one is made, and told once in the answer.
    #[schema(value_type = Option<String>, format = Password, min_length = 8, max_length = 128, write_only)]
    pub(crate) root_password: Option<Secret>,
    pub(crate) unprivileged: Option<bool>,
    #[validate(nested)]
    #[serde(default)]
    pub(crate) features: FeaturesWish,
    #[validate(length(max = 20, message = "give at most 20 tags"))]
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    /// What is to be read beside it, here and in Proxmox.
    #[schema(max_length = 4096)]
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) start_on_boot: bool,
    /// On top of the template's.
    #[validate(length(max = 500, message = "give at most 500 packages"))]
    #[serde(default)]
    pub(crate) packages: Vec<String>,
    /// `all` (when left out), `none`, or the names of some of the template's.
    #[schema(value_type = Option<ScriptsWish>, example = json!("all"))]
    pub(crate) scripts: Option<ScriptsWish>,
    /// Answers to the template's questions, by their names.
    #[schema(value_type = BTreeMap<String, String>, example = json!({ "SERVER_NAME": "example.org" }))]
    #[serde(default)]
    pub(crate) inputs: BTreeMap<String, Answer>,
    /// The host's name or id; left out: Gantry chooses a place.
    #[schema(example = "pve")]
    pub(crate) host: Option<String>,
    #[schema(example = "pve1")]
    pub(crate) node: Option<String>,
    /// Containers that bear this tag are kept on different nodes as long as there are enough.
    #[schema(example = "web")]
    pub(crate) spread_by: Option<String>,
    /// Left out: the next free one.
    #[schema(minimum = 100, maximum = 999_999_999)]
    pub(crate) vmid: Option<u32>,
    /// What was built stays when the create fails, for somebody to look at.
    #[serde(default)]
    pub(crate) keep_on_failure: bool,
}

#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NetworkWish {
    /// `vmbr0` when left out.
    #[schema(example = "vmbr0")]
    pub(crate) bridge: Option<String>,
    #[schema(minimum = 1, maximum = 4094)]
    pub(crate) vlan: Option<u32>,
    /// `dhcp` when left out.
    pub ipv4: Option<AddressWish>,
    /// `none` when left out.
    pub ipv6: Option<AddressWish>,
    #[validate(length(max = 3, message = "give at most 3 name servers"))]
    #[serde(default)]
    pub(crate) nameservers: Vec<String>,
    /// The DNS domain that names are looked up in.
    #[schema(example = "example.org")]
    pub(crate) domain: Option<String>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddressWish {
    /// `static` when an address is given.
    pub(crate) mode: Option<Mode>,
    /// With its prefix.
    #[schema(example = "192.0.2.10/24")]
    pub(crate) address: Option<String>,
    #[schema(example = "192.0.2.1")]
    pub(crate) gateway: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    Dhcp,
    Static,
    /// IPv6 only: from the router's advertisements.
    Auto,
    None,
}

#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeaturesWish {
    pub(crate) nesting: Option<bool>,
    pub(crate) keyctl: Option<bool>,
    pub(crate) fuse: Option<bool>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged, expecting = "all, none, or a list of script names")]
pub(crate) enum ScriptsWish {
    Word(ScriptsWord),
    Only(Vec<String>),
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ScriptsWord {
    All,
    None,
}

/// Some of them are secret, so all are treated so.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a text, a whole number, or true or false")]
pub(crate) enum Answer {
    Text(Secret),
    Number(i64),
    Switch(bool),
}

impl Answer {
    #[must_use]
    pub(crate) fn text(&self) -> Secret {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string().into(),
            Self::Switch(switch) => switch.to_string().into(),
        }
    }
}
