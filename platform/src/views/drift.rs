//! The containers whose guest differs from their record.

use chrono::{DateTime, Utc};
use domain::{
    AccountId, ContainerId,
    drift::{Difference, Drift, DriftEvent, Drifted},
};
use serde::{Deserialize, Serialize};

use super::{Conditions, Life, Row, Stamped, Table};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftRow {
    pub container: ContainerId,
    pub account: Option<AccountId>,
    pub differences: Vec<Difference>,
    pub found_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
}

impl DriftRow {
    /// It has no guest any more.
    #[must_use]
    pub fn missing(&self) -> bool {
        self.differences.iter().any(|one| one.what == Drifted::Guest)
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub struct DriftFilter {
    pub account: Option<AccountId>,
    pub missing: Option<bool>,
}

const fn yes(missing: bool) -> &'static str {
    if missing { "yes" } else { "no" }
}

impl Row for DriftRow {
    type Aggregate = Drift;
    type Filter = DriftFilter;

    const TABLE: Table = Table {
        name: "drift",
        key: "id",
        columns: &["id", "account", "missing", "version", "created_at", "updated_at", "document"],
    };

    fn of(life: &Life, state: &Drift, history: &[Stamped<DriftEvent>]) -> Option<Self> {
        let found = history.iter().rev().find(|one| matches!(one.event, DriftEvent::Found { .. }))?;
        (!state.differences().is_empty()).then_some(Self {
            container: life.stream.id().parse().ok()?,
            account: state.account(),
            differences: state.differences().to_vec(),
            found_at: found.at,
            changed_at: life.updated_at,
        })
    }

    fn filters(&self) -> Vec<Option<String>> {
        vec![self.account.map(|id| id.to_string()), Some(yes(self.missing()).to_owned())]
    }

    fn conditions(filter: &DriftFilter) -> Conditions {
        Conditions::default().is("account", filter.account).is("missing", filter.missing.map(yes))
    }
}
