//! The VMIDs that are leased now.

use chrono::{DateTime, Utc};
use domain::{
    ContainerId, HostId,
    vmid::{Vmid, VmidEvent, VmidLease},
};
use serde::{Deserialize, Serialize};

use super::{Conditions, Life, Row, Stamped, Table};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VmidRow {
    pub host: HostId,
    pub vmid: Vmid,
    pub container: ContainerId,
    pub leased_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Default)]
pub struct VmidFilter {
    pub host: Option<HostId>,
    pub container: Option<ContainerId>,
}

impl Row for VmidRow {
    type Aggregate = VmidLease;
    type Filter = VmidFilter;

    const TABLE: Table = Table {
        name: "vmids",
        key: "id",
        columns: &["id", "host", "container", "version", "created_at", "updated_at", "document"],
    };

    fn of(life: &Life, state: &VmidLease, _: &[Stamped<VmidEvent>]) -> Option<Self> {
        // `<host>:<vmid>`, as the domain names its streams.
        let (host, vmid) = life.stream.id().rsplit_once(':')?;
        let vmid = Vmid::try_from(vmid.parse::<u32>().ok()?).ok()?;
        Some(Self { host: host.parse().ok()?, vmid, container: state.holder()?, leased_at: life.updated_at })
    }

    fn filters(&self) -> Vec<Option<String>> {
        vec![Some(self.host.to_string()), Some(self.container.to_string())]
    }

    fn conditions(filter: &VmidFilter) -> Conditions {
        Conditions::default().is("host", filter.host).is("container", filter.container)
    }
}
