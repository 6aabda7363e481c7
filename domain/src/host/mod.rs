//! One Proxmox VE endpoint: where it is, how we come in, what it consists of.

mod settings;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use settings::{Auth, HostSettings, Limits, SshAccess, SshNode, Trust};

use crate::{Aggregate, Event, FieldError, HostId};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    pub name: String,
    pub online: bool,
    /// Of Proxmox VE; none while it is offline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Where its SSH is, as the cluster tells it; none for a single server, which is where its API is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(default)]
    pub storages: Vec<Storage>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Storage {
    pub name: String,
    pub kind: String,
    /// What it may hold: `rootdir`, `vztmpl`, `backup`, …
    pub content: Vec<String>,
    pub active: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum HostEvent {
    #[serde(rename = "host.registered")]
    Registered { settings: HostSettings },
    #[serde(rename = "host.updated")]
    Updated { settings: HostSettings },
    /// Of logs from before a host could have more than one; nothing appends it now.
    #[serde(rename = "host.fingerprint_pinned")]
    FingerprintPinned { fingerprint: String },
    /// What the host consists of is other than before.
    #[serde(rename = "host.nodes_synced")]
    NodesSynced { nodes: Vec<Node> },
    #[serde(rename = "host.maintenance_started")]
    MaintenanceStarted,
    #[serde(rename = "host.maintenance_ended")]
    MaintenanceEnded,
    #[serde(rename = "host.node_maintenance_started")]
    NodeMaintenanceStarted { node: String },
    #[serde(rename = "host.node_maintenance_ended")]
    NodeMaintenanceEnded { node: String },
    #[serde(rename = "host.removed")]
    Removed,
}

impl Event for HostEvent {}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostCommand {
    Register(HostSettings),
    Update(HostSettings),
    Trust(Trust),
    SyncNodes(Vec<Node>),
    SetMaintenance(bool),
    /// Of one node: nothing new is placed there.
    SetNodeMaintenance {
        node: String,
        on: bool,
    },
    Remove,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostRejection {
    #[error("there is no such host")]
    Unknown,
    #[error("the host is registered already: update it")]
    AlreadyRegistered,
    #[error("the host has no node {node}; it has {known}")]
    NoNode { node: String, known: String },
    #[error("the host's settings are not right: {}", crate::field::list(.0))]
    Invalid(Vec<FieldError>),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Host {
    settings: Option<HostSettings>,
    nodes: Vec<Node>,
    in_maintenance: bool,
    nodes_in_maintenance: BTreeSet<String>,
    removed: bool,
}

impl Host {
    /// None before it is registered and after it was removed.
    #[must_use]
    pub fn settings(&self) -> Option<&HostSettings> {
        self.settings.as_ref().filter(|_| !self.removed)
    }

    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    #[must_use]
    pub const fn in_maintenance(&self) -> bool {
        self.in_maintenance
    }

    /// Nodes that nothing new is placed on, while the others go on.
    #[must_use]
    pub const fn nodes_in_maintenance(&self) -> &BTreeSet<String> {
        &self.nodes_in_maintenance
    }
}

impl Aggregate for Host {
    const CATEGORY: &'static str = "host";

    type Id = HostId;
    type Command = HostCommand;
    type Event = HostEvent;
    type Rejection = HostRejection;
    type Given = ();

    fn decide(&self, command: HostCommand, (): &()) -> Result<Vec<HostEvent>, HostRejection> {
        use {HostCommand as C, HostEvent as E};
        if let C::Register(settings) = command {
            return match self.settings {
                Some(_) => Err(HostRejection::AlreadyRegistered),
                None => Ok(vec![E::Registered { settings: settings.checked()? }]),
            };
        }
        let known = self.settings().ok_or(HostRejection::Unknown)?;
        Ok(match command {
            C::Update(settings) if settings == *known => vec![],
            C::Update(settings) => vec![E::Updated { settings: settings.checked()? }],
            C::Trust(trust) => match known.clone().trusting(trust)? {
                settings if settings == *known => vec![],
                settings => vec![E::Updated { settings }],
            },
            C::SyncNodes(mut nodes) => {
                // Proxmox answers in any order; the order is no change.
                nodes.sort_by(|a, b| a.name.cmp(&b.name));
                nodes.iter_mut().for_each(|node| node.storages.sort_by(|a, b| a.name.cmp(&b.name)));
                if nodes == self.nodes { vec![] } else { vec![E::NodesSynced { nodes }] }
            }
            C::SetMaintenance(on) if on == self.in_maintenance => vec![],
            C::SetMaintenance(true) => vec![E::MaintenanceStarted],
            C::SetMaintenance(false) => vec![E::MaintenanceEnded],
            C::SetNodeMaintenance { node, on } => self.node_maintenance(node, on)?,
            C::Remove => vec![E::Removed],
            C::Register(_) => return Err(HostRejection::AlreadyRegistered),
        })
    }

    fn evolve(mut self, event: &HostEvent) -> Self {
        use HostEvent as E;
        match event {
            E::Registered { settings } | E::Updated { settings } => self.settings = Some(settings.clone()),
            E::FingerprintPinned { fingerprint } => {
                if let Some(settings) = &mut self.settings {
                    settings.fingerprint = Some(fingerprint.clone());
                }
            }
            E::NodesSynced { nodes } => self.nodes.clone_from(nodes),
            E::MaintenanceStarted => self.in_maintenance = true,
            E::MaintenanceEnded => self.in_maintenance = false,
            E::NodeMaintenanceStarted { node } => {
                self.nodes_in_maintenance.insert(node.clone());
            }
            E::NodeMaintenanceEnded { node } => {
                self.nodes_in_maintenance.remove(node);
            }
            E::Removed => self.removed = true,
        }
        self
    }
}

impl Host {
    fn node_maintenance(&self, node: String, on: bool) -> Result<Vec<HostEvent>, HostRejection> {
        let is = self.nodes_in_maintenance.contains(&node);
        // One that was taken out of the cluster meanwhile can still leave maintenance.
        if on && !self.nodes.iter().any(|known| known.name == node) {
            let known: Vec<&str> = self.nodes.iter().map(|node| node.name.as_str()).collect();
            return Err(HostRejection::NoNode { node, known: known.join(", ") });
        }
        Ok(match (is, on) {
            (false, true) => vec![HostEvent::NodeMaintenanceStarted { node }],
            (true, false) => vec![HostEvent::NodeMaintenanceEnded { node }],
            (true, true) | (false, false) => vec![],
        })
    }
}
