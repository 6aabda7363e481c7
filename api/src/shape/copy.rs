//! Snapshots and backups as their readers see them.

use chrono::{DateTime, Utc};
use domain::copy::{self, Backup, Snapshot};
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
pub struct SnapshotView {
    #[schema(example = "before-upgrade")]
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "all is well")]
    pub description: Option<String>,
    /// The snapshot that it was taken after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_at: Option<DateTime<Utc>>,
    /// The operation that took it; absent for one that was made outside of Gantry.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/v1/operations/0199a4c0-5f6e-7c3a-9d53-0d6b2f3c1a77")]
    pub taken_by: Option<String>,
}

impl From<Snapshot> for SnapshotView {
    fn from(snapshot: Snapshot) -> Self {
        Self {
            name: snapshot.name,
            description: snapshot.description,
            parent: snapshot.parent,
            taken_at: snapshot.taken_at,
            taken_by: snapshot.operation.map(|id| format!("/v1/operations/{id}")),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct BackupView {
    /// What it is called by here.
    #[schema(example = "vzdump-lxc-100-2026_01_31-02_30_00.tar.zst")]
    pub name: String,
    #[schema(example = "local")]
    pub storage: String,
    pub size_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "before the upgrade")]
    pub notes: Option<String>,
    /// It can't be deleted before that is taken away on Proxmox.
    pub protected: bool,
    /// The operation that made it; absent for one that was made outside of Gantry.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/v1/operations/0199a4c0-5f6e-7c3a-9d53-0d6b2f3c1a77")]
    pub made_by: Option<String>,
}

impl From<Backup> for BackupView {
    fn from(backup: Backup) -> Self {
        Self {
            name: copy::file(&backup.volume).to_owned(),
            storage: backup.volume.split(':').next().unwrap_or_default().to_owned(),
            size_bytes: backup.size_bytes,
            made_at: backup.made_at,
            notes: backup.notes,
            protected: backup.protected,
            made_by: backup.operation.map(|id| format!("/v1/operations/{id}")),
        }
    }
}
