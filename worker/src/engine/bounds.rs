//! What bounds how much is at work at once, and what that is called.

use domain::host::HostSettings;
use domain::operation::WaitReason;
use domain::{AccountId, HostId};

/// Where an operation works; the storage when it writes whole disks to it.
pub(super) struct At {
    pub host: HostId,
    pub node: String,
    /// And whether all nodes share it.
    pub storage: Option<(String, bool)>,
}

/// So many at once, and what that means to who waits.
pub(super) struct Bound {
    pub key: String,
    pub limit: usize,
    words: String,
}

impl Bound {
    fn new(key: String, limit: u16, what: &str) -> Self {
        Self { key, limit: limit.into(), words: format!("{what} (at most {limit} at once)") }
    }

    pub(super) fn reason(&self, ahead: u64) -> WaitReason {
        let place = u32::try_from(ahead).unwrap_or(u32::MAX).saturating_add(1);
        WaitReason::Slot { limit: self.words.clone(), place, key: Some(self.key.clone()) }
    }
}

const SHARE: &str = "account:";

/// What an account may have at work on a node: as much as the node may.
pub(super) fn share(at: &At, settings: &HostSettings, account: Option<AccountId>) -> Bound {
    let (host, node, name) = (at.host, &at.node, &settings.name);
    let account = account.map_or_else(|| "none".to_owned(), |account| account.to_string());
    let words = format!("your share of node {node} of {name}");
    Bound::new(format!("{SHARE}{host}:{node}:{account}"), settings.limits.per_node, &words)
}

/// Whether who stands in that line is put aside until it is called.
pub(super) fn is_share(line: &str) -> bool {
    line.starts_with(SHARE)
}

/// From the narrowest to the widest.
pub(super) fn bounds(at: &At, settings: &HostSettings) -> Vec<Bound> {
    let (host, node, name, limits) = (at.host, &at.node, &settings.name, settings.limits);
    let mut bounds = Vec::new();
    if let Some((storage, shared)) = &at.storage {
        let key = if *shared { format!("{host}:{storage}") } else { format!("{host}:{node}:{storage}") };
        let words = format!("storage {storage} on node {node} of {name}");
        bounds.push(Bound::new(format!("storage:{key}"), limits.per_storage, &words));
    }
    bounds.push(Bound::new(format!("node:{host}:{node}"), limits.per_node, &format!("node {node} of {name}")));
    bounds.push(Bound::new(format!("host:{host}"), limits.per_host, &format!("host {name}")));
    bounds
}
