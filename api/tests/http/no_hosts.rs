//! What is there of hosts for a server without a worker's side.

use serde_json::json;

/// Without a worker's side nobody reaches a host.
pub(super) struct NoHosts;

impl api::copies::Copies for NoHosts {
    fn snapshots<'a>(
        &'a self,
        _: &'a domain::container::Guest,
    ) -> futures_util::future::BoxFuture<'a, Result<Vec<domain::copy::Snapshot>, domain::copy::NotSeen>> {
        Box::pin(async { Err(domain::copy::NotSeen::HostAway) })
    }

    fn backups(
        &self,
        _: domain::ContainerId,
    ) -> futures_util::future::BoxFuture<'_, Result<Vec<domain::copy::Backup>, domain::copy::NotSeen>> {
        Box::pin(async { Err(domain::copy::NotSeen::HostAway) })
    }
}

impl api::guests::Guests for NoHosts {
    /// 101 is a guest as people make them, all others are not there.
    fn import(
        &self,
        host: domain::HostId,
        vmid: domain::vmid::Vmid,
    ) -> futures_util::future::BoxFuture<'_, Result<domain::adopt::Imported, domain::copy::NotSeen>> {
        Box::pin(async move {
            let spec = json!({
                "hostname": if vmid.get() == 103 { "not a name" } else { "by-hand" },
                "source": { "image": "debian" }, "cores": 2, "memory_mb": 1024, "swap_mb": 0, "disk_gb": 8,
                "place": { "node": { "host": host, "node": "pve1" } }, "vmid": vmid,
            });
            match vmid.get() {
                101 | 103 => Ok(domain::adopt::Imported {
                    node: "pve1".into(),
                    spec: serde_json::from_value(spec).unwrap(),
                    owner: None,
                }),
                _ => Err(domain::copy::NotSeen::Gone),
            }
        })
    }

    fn look(&self) -> futures_util::future::BoxFuture<'_, Result<api::guests::Looked, String>> {
        Box::pin(async { Ok(api::guests::Looked { containers: 0, drifted: 0, orphans: 0, away: vec![] }) })
    }
}
