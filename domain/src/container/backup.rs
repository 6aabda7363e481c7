//! The backups that we made of a container, as its stream tells. Those that others made only Proxmox knows.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::vmid::Vmid;
use crate::{HostId, OperationId};

/// A backup that was made. It outlives the container: that is what it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupMade {
    /// As Proxmox names it: `local:backup/vzdump-lxc-100-2026_01_31-02_30_00.tar.zst`.
    pub volume: String,
    pub host: HostId,
    /// Whose storage it is on, if nodes don't share it.
    pub node: String,
    pub vmid: Vmid,
    pub size_bytes: u64,
    pub made_at: DateTime<Utc>,
    #[serde(default)]
    pub protected: bool,
    pub operation: OperationId,
    /// The schedule that wanted it, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
}
