//! A host as its readers see it. Its secrets are not among what one can read.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::host::{Auth, Node, SshAccess};
use platform::views::HostRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Serialize, ToSchema)]
pub struct HostView {
    pub id: Uuid,
    #[schema(example = "pve")]
    pub name: String,
    #[schema(example = json!(["pve1.example.org:8006"]))]
    pub addresses: Vec<String>,
    /// `token` or `password`.
    #[schema(example = "token")]
    pub auth: String,
    /// Who Gantry is there: `gantry@pve!main` or `root@pam`.
    #[schema(example = "gantry@pve!main")]
    pub user: String,
    /// The SHA-256 of the certificate that is trusted; absent until it is pinned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// The same for addresses that show another certificate.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub pins: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssh: Option<SshView>,
    pub limits: LimitsView,
    pub in_maintenance: bool,
    pub nodes: Vec<NodeView>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SshView {
    pub user: String,
    pub port: u16,
    /// `SHA256:…`; absent until it is pinned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_key: Option<String>,
    /// The same for each node of a cluster, and where its SSH is.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub nodes: BTreeMap<String, SshNodeView>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SshNodeView {
    #[schema(example = "192.0.2.11:22")]
    pub address: String,
    pub host_key: String,
}

/// How many operations may be at work at once.
#[derive(Debug, Serialize, ToSchema)]
pub struct LimitsView {
    pub per_host: u16,
    pub per_node: u16,
    pub per_storage: u16,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct NodeView {
    pub name: String,
    pub online: bool,
    /// Nothing new is placed on it.
    pub in_maintenance: bool,
    /// Of Proxmox VE.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// As the cluster tells it; absent for a single server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    pub storages: Vec<StorageView>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct StorageView {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub content: Vec<String>,
    pub active: bool,
}

impl From<HostRow> for HostView {
    fn from(row: HostRow) -> Self {
        let settings = row.settings;
        let (auth, user) = match settings.auth {
            Auth::Token { id, .. } => ("token", id),
            Auth::Password { user, .. } => ("password", user),
        };
        Self {
            id: row.id.uuid(),
            name: settings.name,
            addresses: settings.addresses,
            auth: auth.to_owned(),
            user,
            fingerprint: settings.fingerprint,
            pins: settings.pins,
            ssh: settings.ssh.map(SshView::from),
            limits: LimitsView {
                per_host: settings.limits.per_host,
                per_node: settings.limits.per_node,
                per_storage: settings.limits.per_storage,
            },
            in_maintenance: row.in_maintenance,
            nodes: row.nodes.into_iter().map(|node| NodeView::of(node, &row.nodes_in_maintenance)).collect(),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl From<SshAccess> for SshView {
    fn from(ssh: SshAccess) -> Self {
        let nodes = ssh.nodes.into_iter();
        let nodes =
            nodes.map(|(name, it)| (name, SshNodeView { address: it.address, host_key: it.host_key })).collect();
        Self { user: ssh.user, port: ssh.port, host_key: ssh.host_key, nodes }
    }
}

impl NodeView {
    fn of(node: Node, in_maintenance: &[String]) -> Self {
        let storages = node.storages.into_iter().map(|storage| StorageView {
            name: storage.name,
            kind: storage.kind,
            content: storage.content,
            active: storage.active,
        });
        Self {
            in_maintenance: in_maintenance.contains(&node.name),
            name: node.name,
            online: node.online,
            version: node.version,
            address: node.address,
            storages: storages.collect(),
        }
    }
}
