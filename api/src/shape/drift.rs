//! How containers differ from their records, and guests that nobody has, as their readers see them.

use chrono::{DateTime, Utc};
use domain::drift::Difference;
use platform::views::{ContainerRow, DriftRow, OrphanRow};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::operation::word;

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DriftView {
    pub container: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "web1")]
    pub hostname: Option<String>,
    pub differences: Vec<DifferenceView>,
    pub found_at: DateTime<Utc>,
    /// When it was last found to be otherwise than before.
    pub changed_at: DateTime<Utc>,
    pub links: DriftLinks,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DifferenceView {
    /// `guest` (there is none any more), `node`, `marker`, `power`, `hostname`, `cores`, `memory_mb`, `swap_mb`,
    /// `disk_gb`, `network`, `features`, `tags`, `start_on_boot`.
    #[schema(example = "memory_mb")]
    pub what: String,
    #[schema(value_type = Object, example = 512)]
    pub recorded: Value,
    #[schema(value_type = Object, example = 2048)]
    pub found: Value,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DriftLinks {
    pub container: String,
    pub accept: String,
    pub put_back: String,
}

impl From<Difference> for DifferenceView {
    fn from(from: Difference) -> Self {
        Self { what: from.what.as_str().to_owned(), recorded: from.recorded, found: from.found }
    }
}

impl DriftView {
    #[must_use]
    pub fn of(row: DriftRow, container: Option<ContainerRow>) -> Self {
        let own = format!("/v1/containers/{}", row.container);
        Self {
            container: row.container.uuid(),
            hostname: container.map(|container| container.hostname),
            differences: row.differences.into_iter().map(Into::into).collect(),
            found_at: row.found_at,
            changed_at: row.changed_at,
            links: DriftLinks {
                accept: format!("{own}/drift/accept"),
                put_back: format!("{own}/drift/put-back"),
                container: own,
            },
        }
    }
}

/// A guest that bears our marker, and no container has.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OrphanView {
    /// The host's id and the VMID.
    #[schema(example = "01990000-0000-7000-8000-0000000000a1:105")]
    pub id: String,
    pub host: Uuid,
    #[schema(example = "pve1")]
    pub node: String,
    pub vmid: u32,
    #[schema(example = "web1")]
    pub hostname: String,
    /// The one that its marker names.
    pub container: Uuid,
    /// `removed`, `copied`, `failed` or `unknown`.
    #[schema(example = "removed")]
    pub why: String,
    /// The same, for people.
    pub message: String,
    pub found_at: DateTime<Utc>,
    pub links: OrphanLinks,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OrphanLinks {
    pub remove: String,
}

impl From<OrphanRow> for OrphanView {
    fn from(row: OrphanRow) -> Self {
        let OrphanRow { host, vmid, stray, found_at } = row;
        let id = format!("{host}:{vmid}");
        Self {
            host: host.uuid(),
            node: stray.node,
            vmid: vmid.get(),
            hostname: stray.hostname,
            container: stray.container.uuid(),
            why: word(&stray.why),
            message: stray.why.words().to_owned(),
            found_at,
            links: OrphanLinks { remove: format!("/v1/orphans/{id}/remove") },
            id,
        }
    }
}

/// What is missing its other half.
#[derive(Debug, Serialize, ToSchema)]
pub struct Orphans {
    pub items: Vec<OrphanView>,
    /// Containers whose guest is gone; all of them, on the first page.
    pub containers: Vec<DriftView>,
    /// Give it as `cursor` to get what follows; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
