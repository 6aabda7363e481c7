//! What Proxmox said last of our containers. Filled by whoever watches the hosts; read by lists and detail pages.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use domain::ContainerId;
use domain::container::Power;

/// Cheap to clone; all clones show the same.
#[derive(Debug, Clone, Default)]
pub struct LiveStates(Arc<RwLock<HashMap<ContainerId, Live>>>);

/// One container as its host saw it. Stays, and ages, while the host is away.
#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    pub power: Power,
    pub node: String,
    /// Of all its cores, 0 to 1.
    pub cpu: Option<f64>,
    pub memory_bytes: Option<u64>,
    pub disk_bytes: Option<u64>,
    pub uptime_seconds: Option<u64>,
    /// Proxmox's own lock: `backup`, `migrate`.
    pub lock: Option<String>,
    pub seen_at: DateTime<Utc>,
}

impl LiveStates {
    /// What was seen in one look.
    pub fn saw(&self, seen: impl IntoIterator<Item = (ContainerId, Live)>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).extend(seen);
    }

    /// The container is gone for good.
    pub fn forget(&self, id: ContainerId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    #[must_use]
    pub fn of(&self, id: ContainerId) -> Option<Live> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }
}
