//! The hosts that are registered now.

use chrono::{DateTime, Utc};
use domain::{
    HostId,
    host::{Host, HostEvent, HostSettings, Node},
};
use serde::{Deserialize, Serialize};

use super::{Conditions, Life, Row, Sort, Stamped, Table, Values};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HostRow {
    pub id: HostId,
    pub settings: HostSettings,
    pub nodes: Vec<Node>,
    pub in_maintenance: bool,
    #[serde(default)]
    pub nodes_in_maintenance: Vec<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub version: i64,
}

#[derive(Debug, Clone, Default)]
pub struct HostFilter {
    pub name: Option<String>,
}

impl Row for HostRow {
    type Aggregate = Host;
    type Filter = HostFilter;

    const SORTS: &'static [Sort] = &[
        Sort { field: "name", column: "name", values: Values::Text },
        Sort { field: "updated_at", column: "updated_at", values: Values::Number },
    ];
    const TABLE: Table =
        Table { name: "hosts", key: "id", columns: &["id", "name", "version", "created_at", "updated_at", "document"] };

    fn of(life: &Life, state: &Host, _: &[Stamped<HostEvent>]) -> Option<Self> {
        Some(Self {
            id: life.stream.id().parse().ok()?,
            settings: state.settings()?.clone(),
            nodes: state.nodes().to_vec(),
            in_maintenance: state.in_maintenance(),
            nodes_in_maintenance: state.nodes_in_maintenance().iter().cloned().collect(),
            created_at: life.created_at,
            updated_at: life.updated_at,
            version: life.version.0,
        })
    }

    fn filters(&self) -> Vec<Option<String>> {
        vec![Some(self.settings.name.clone())]
    }

    fn conditions(filter: &HostFilter) -> Conditions {
        Conditions::default().is("name", filter.name.as_ref())
    }
}
