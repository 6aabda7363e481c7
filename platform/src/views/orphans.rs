//! The guests that bear our marker, and no container has.

use chrono::{DateTime, Utc};
use domain::{
    HostId,
    orphan::{Orphan, OrphanEvent, Stray},
    vmid::Vmid,
};
use serde::{Deserialize, Serialize};

use super::{Conditions, Life, Row, Stamped, Table};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrphanRow {
    pub host: HostId,
    pub vmid: Vmid,
    pub stray: Stray,
    pub found_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy, Default)]
pub struct OrphanFilter {
    pub host: Option<HostId>,
}

impl Row for OrphanRow {
    type Aggregate = Orphan;
    type Filter = OrphanFilter;

    const TABLE: Table = Table {
        name: "orphans",
        key: "id",
        columns: &["id", "host", "version", "created_at", "updated_at", "document"],
    };

    fn of(life: &Life, state: &Orphan, _: &[Stamped<OrphanEvent>]) -> Option<Self> {
        // `<host>:<vmid>`, as the domain names its streams.
        let (host, vmid) = life.stream.id().rsplit_once(':')?;
        let vmid = Vmid::try_from(vmid.parse::<u32>().ok()?).ok()?;
        Some(Self { host: host.parse().ok()?, vmid, stray: state.stray()?.clone(), found_at: life.updated_at })
    }

    fn filters(&self) -> Vec<Option<String>> {
        vec![Some(self.host.to_string())]
    }

    fn conditions(filter: &OrphanFilter) -> Conditions {
        Conditions::default().is("host", filter.host)
    }
}
