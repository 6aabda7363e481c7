//! A container as its readers see it: what was asked for, what became of it, and what Proxmox says now.

use chrono::{DateTime, Utc};
use domain::ContainerId;
use domain::container::{Lifecycle, Placement, Power, Scripts, Source};
use platform::views::ContainerRow;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::drift::DriftView;
use super::operation::{ErrorView, word};
use super::plan::{ConsideredView, PlaceView};
use crate::live::Live;
use crate::wish::ScriptsWish;

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContainerView {
    pub id: Uuid,
    #[schema(example = "web1")]
    pub hostname: String,
    pub lifecycle: LifecycleView,
    /// The template it is made from; absent for a bare image.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "nginx")]
    pub template: Option<String>,
    /// The hash of the template as this container got it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vmid: Option<u32>,
    pub addresses: Vec<String>,
    pub cores: u32,
    pub memory_mb: u32,
    pub swap_mb: u32,
    pub disk_gb: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
    /// As it was asked for: bridge, VLAN, addresses, name servers.
    #[schema(value_type = Object)]
    pub network: Value,
    pub unprivileged: bool,
    pub tags: Vec<String>,
    /// What its owner wants to be read beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub start_on_boot: bool,
    /// Which of the template's scripts run: `all`, `none`, or their names.
    #[schema(value_type = ScriptsWish, example = json!("all"))]
    pub scripts: Value,
    /// Why it is where it is, and what spoke for or against the other nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placement: Option<PlacementView>,
    /// What Proxmox says, or said when it last answered.
    pub live: LiveView,
    /// How its guest on Proxmox differs from all this; only where one container is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<DriftView>,
    /// Why its create failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorView>,
    /// When it will be deleted; `undelete` takes that back until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub links: ContainerLinks,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LifecycleView {
    Creating,
    Ready,
    Failed,
    Removed,
}

/// Never missing: when Proxmox is away it is what was known last, and `age_seconds` tells how old that is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LiveView {
    /// `running`, `stopped` or `unknown`.
    #[schema(example = "running")]
    pub power: String,
    /// `proxmox`: its host told so; `gantry`: what our own actions left.
    #[schema(example = "proxmox")]
    pub source: String,
    pub seen_at: DateTime<Utc>,
    pub age_seconds: f64,
    /// Of all its cores, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptime_seconds: Option<u64>,
    /// Proxmox's own lock: `backup`, `migrate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PlacementView {
    #[serde(flatten)]
    pub place: PlaceView,
    pub considered: Vec<ConsideredView>,
}

impl From<Placement> for PlacementView {
    fn from(from: Placement) -> Self {
        let Placement { host, node, reason, storage, considered } = from;
        let place = PlaceView { host: host.uuid(), node, storage, reason };
        Self { place, considered: considered.into_iter().map(Into::into).collect() }
    }
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContainerLinks {
    #[serde(rename = "self")]
    pub own: String,
    /// The operation that made it.
    pub created_by: String,
    pub operations: String,
}

impl ContainerView {
    #[must_use]
    pub fn of(row: ContainerRow, live: Option<Live>, now: DateTime<Utc>) -> Self {
        let (spec, id) = (row.spec, row.id);
        let image = match spec.source {
            Source::Image(image) => Some(image),
            Source::Template(_) => None,
        };
        let node = live.as_ref().map(|live| live.node.clone()).or(row.node);
        Self {
            id: id.uuid(),
            hostname: row.hostname,
            lifecycle: row.lifecycle.into(),
            template: row.template.as_ref().map(|template| template.name.clone()),
            template_version: row.template.map(|template| template.hash),
            image,
            host: row.host.map(domain::HostId::uuid),
            node,
            vmid: row.vmid.map(domain::vmid::Vmid::get),
            addresses: row.addresses,
            cores: spec.cores,
            memory_mb: spec.memory_mb,
            swap_mb: spec.swap_mb,
            disk_gb: spec.disk_gb,
            storage: spec.storage,
            network: serde_json::to_value(spec.network).unwrap_or_default(),
            unprivileged: spec.unprivileged,
            tags: spec.tags,
            description: spec.description,
            start_on_boot: spec.start_on_boot,
            scripts: scripts(spec.scripts),
            placement: row.placement.map(Into::into),
            live: LiveView::of(live, row.power, row.updated_at, now),
            drift: None,
            error: row.error.as_ref().map(ErrorView::from),
            delete_at: row.deletion.map(|deletion| deletion.at),
            created_at: row.created_at,
            updated_at: row.updated_at,
            links: links(id, row.created_by),
        }
    }
}

fn links(id: ContainerId, created_by: domain::OperationId) -> ContainerLinks {
    ContainerLinks {
        own: format!("/v1/containers/{id}"),
        created_by: format!("/v1/operations/{created_by}"),
        operations: format!("/v1/operations?container={id}"),
    }
}

fn scripts(scripts: Scripts) -> Value {
    match scripts {
        Scripts::All => "all".into(),
        Scripts::None => "none".into(),
        Scripts::Only(names) => names.into(),
    }
}

impl LiveView {
    fn of(live: Option<Live>, power: Power, updated_at: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        let age = |at: DateTime<Utc>| (now - at).num_milliseconds().max(0) as f64 / 1e3;
        match live {
            Some(live) => Self {
                power: word(&live.power),
                source: "proxmox".into(),
                seen_at: live.seen_at,
                age_seconds: age(live.seen_at),
                cpu: live.cpu,
                memory_bytes: live.memory_bytes,
                disk_bytes: live.disk_bytes,
                uptime_seconds: live.uptime_seconds,
                lock: live.lock,
            },
            None => Self {
                power: word(&power),
                source: "gantry".into(),
                seen_at: updated_at,
                age_seconds: age(updated_at),
                cpu: None,
                memory_bytes: None,
                disk_bytes: None,
                uptime_seconds: None,
                lock: None,
            },
        }
    }
}

impl From<Lifecycle> for LifecycleView {
    fn from(lifecycle: Lifecycle) -> Self {
        match lifecycle {
            Lifecycle::Unknown | Lifecycle::Creating => Self::Creating,
            Lifecycle::Ready => Self::Ready,
            Lifecycle::Failed => Self::Failed,
            Lifecycle::Removed => Self::Removed,
        }
    }
}
