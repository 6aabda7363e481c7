//! What each container takes of its account's quota: from the moment it is asked for until there is nothing left of it.

use domain::{
    AccountId, ContainerId,
    container::{Container, ContainerEvent, Lifecycle},
    quota::Usage,
};
use serde::{Deserialize, Serialize};

use super::{Conditions, Life, Row, Stamped, Table};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationRow {
    pub container: ContainerId,
    pub account: AccountId,
    pub usage: Usage,
}

#[derive(Debug, Clone, Default)]
pub struct ReservationFilter {
    pub account: Option<AccountId>,
}

impl Row for ReservationRow {
    type Aggregate = Container;
    type Filter = ReservationFilter;

    const TABLE: Table = Table {
        name: "reservations",
        key: "id",
        columns: &["id", "account", "cores", "memory_mb", "disk_gb", "version", "created_at", "updated_at", "document"],
    };

    fn of(life: &Life, state: &Container, _: &[Stamped<ContainerEvent>]) -> Option<Self> {
        let request = state.request()?;
        let taken = match state.lifecycle() {
            Lifecycle::Creating | Lifecycle::Ready => true,
            // One that failed and was kept for somebody to look at still takes its place, and one that is to be made anew.
            Lifecycle::Failed => state.guest().is_some() || state.is_rebuilt(),
            Lifecycle::Unknown | Lifecycle::Removed => false,
        };
        taken.then_some(Self {
            container: life.stream.id().parse().ok()?,
            account: request.account?,
            usage: state.changing().map_or_else(
                || Usage::of(&request.spec),
                // What is being given back counts until it is.
                |change| Usage::of(&request.spec).most(Usage::of(&change.of(&request.spec))),
            ),
        })
    }

    fn filters(&self) -> Vec<Option<String>> {
        let Usage { cores, memory_mb, disk_gb, .. } = self.usage;
        vec![
            Some(self.account.to_string()),
            Some(cores.to_string()),
            Some(memory_mb.to_string()),
            Some(disk_gb.to_string()),
        ]
    }

    fn conditions(filter: &ReservationFilter) -> Conditions {
        Conditions::default().is("account", filter.account)
    }
}
