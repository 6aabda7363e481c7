//! Containers as lists and detail pages show them. Those that were removed stay, for the audit and for links.

use chrono::{DateTime, Utc};
use domain::{
    AccountId, ContainerId, HostId, OperationId,
    container::{Container, ContainerEvent, ContainerSpec, Deletion, Lifecycle, Placement, Power, TemplateVersion},
    operation::Failure,
    vmid::Vmid,
};
use serde::{Deserialize, Serialize};

use super::{Conditions, Life, Row, Sort, Stamped, Table, Values, row::word};

/// In `to_delete`; else nothing.
const YES: &str = "yes";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContainerRow {
    pub id: ContainerId,
    pub account: Option<AccountId>,
    pub hostname: String,
    pub spec: ContainerSpec,
    pub template: Option<TemplateVersion>,
    /// Where its guest is, or is to be.
    pub host: Option<HostId>,
    pub node: Option<String>,
    /// Where it was to go, and why there.
    #[serde(default)]
    pub placement: Option<Placement>,
    pub vmid: Option<Vmid>,
    pub lifecycle: Lifecycle,
    pub power: Power,
    pub addresses: Vec<String>,
    /// The operation that makes it.
    pub created_by: OperationId,
    /// Why its create failed.
    pub error: Option<Failure>,
    /// A delete that is to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion: Option<Deletion>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub version: i64,
}

#[derive(Debug, Clone, Default)]
pub struct ContainerFilter {
    pub account: Option<AccountId>,
    pub host: Option<HostId>,
    pub node: Option<String>,
    pub hostname: Option<String>,
    pub template: Option<String>,
    /// Those of these templates that have another version than this one.
    pub behind: Option<Vec<TemplateVersion>>,
    /// Any of these; all when empty.
    pub lifecycle: Vec<Lifecycle>,
    /// Only those that are to be deleted.
    pub to_delete: bool,
    pub since: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
}

impl Row for ContainerRow {
    type Aggregate = Container;
    type Filter = ContainerFilter;

    const SORTS: &'static [Sort] = &[
        Sort { field: "hostname", column: "hostname", values: Values::Text },
        Sort { field: "lifecycle", column: "lifecycle", values: Values::Text },
        Sort { field: "updated_at", column: "updated_at", values: Values::Number },
    ];
    const TABLE: Table = Table {
        name: "containers",
        key: "id",
        columns: &[
            "id",
            "account",
            "host",
            "node",
            "hostname",
            "template",
            "template_version",
            "lifecycle",
            "to_delete",
            "version",
            "created_at",
            "updated_at",
            "document",
        ],
    };

    fn of(life: &Life, state: &Container, history: &[Stamped<ContainerEvent>]) -> Option<Self> {
        let request = state.request()?;
        let (guest, placement) = (state.guest(), request.placement.as_ref());
        let error = history.iter().rev().find_map(|stamped| match &stamped.event {
            ContainerEvent::CreateFailed { error } => Some(error.clone()),
            _ => None,
        });
        Some(Self {
            id: life.stream.id().parse().ok()?,
            account: request.account,
            hostname: request.spec.hostname.clone(),
            spec: request.spec.clone(),
            template: request.template.clone(),
            host: guest.map(|guest| guest.host).or(placement.map(|placement| placement.host)),
            node: guest.map(|guest| guest.node.clone()).or(placement.map(|placement| placement.node.clone())),
            placement: request.placement.clone(),
            vmid: guest.map(|guest| guest.vmid),
            lifecycle: state.lifecycle(),
            power: state.power(),
            addresses: state.addresses().to_vec(),
            created_by: request.operation,
            error: error.filter(|_| state.lifecycle() == Lifecycle::Failed),
            deletion: state.deletion().copied(),
            created_at: life.created_at,
            updated_at: life.updated_at,
            version: life.version.0,
        })
    }

    fn filters(&self) -> Vec<Option<String>> {
        vec![
            self.account.map(|id| id.to_string()),
            self.host.map(|id| id.to_string()),
            self.node.clone(),
            Some(self.hostname.clone()),
            self.template.as_ref().map(|template| template.name.clone()),
            self.template.as_ref().map(|template| template.hash.clone()),
            Some(word(&self.lifecycle)),
            self.deletion.map(|_| YES.to_owned()),
        ]
    }

    fn conditions(filter: &ContainerFilter) -> Conditions {
        let lifecycle: Vec<String> = filter.lifecycle.iter().map(word).collect();
        // Most containers are of most lifecycles: asking for several by their index would find, and sort, nearly all there are.
        let alone = lifecycle.len() == 1 && filter.account.is_none();
        let by_lifecycle = if alone { "lifecycle" } else { "(lifecycle || '')" };
        let newest = filter.behind.iter().flatten();
        let (names, hashes): (Vec<_>, Vec<_>) = newest.map(|newest| (&newest.name, &newest.hash)).unzip();
        let conditions = match &filter.behind {
            // A version tells its template too: no two have the same.
            Some(_) => Conditions::default().among("template", &names).none_of("template_version", &hashes),
            None => Conditions::default(),
        };
        conditions
            .is("account", filter.account)
            .is("host", filter.host)
            .is("node", filter.node.as_ref())
            .is("hostname", filter.hostname.as_ref())
            .is("template", filter.template.as_ref())
            .one_of(by_lifecycle, &lifecycle)
            .is("to_delete", filter.to_delete.then_some(YES))
            .since(filter.since)
            .until(filter.until)
    }
}
