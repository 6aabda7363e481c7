//! The accounts that are open now.

use chrono::{DateTime, Utc};
use domain::{
    AccountId,
    account::{Account, AccountEvent},
    quota::Quota,
};
use serde::{Deserialize, Serialize};

use super::{Conditions, Life, Row, Sort, Stamped, Table, Values};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRow {
    pub id: AccountId,
    pub name: String,
    pub quota: Quota,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub version: i64,
}

#[derive(Debug, Clone, Default)]
pub struct AccountFilter {
    pub id: Option<AccountId>,
    pub name: Option<String>,
}

impl Row for AccountRow {
    type Aggregate = Account;
    type Filter = AccountFilter;

    const SORTS: &'static [Sort] = &[Sort { field: "name", column: "name", values: Values::Text }];
    const TABLE: Table = Table {
        name: "accounts",
        key: "id",
        columns: &["id", "name", "version", "created_at", "updated_at", "document"],
    };

    fn of(life: &Life, state: &Account, _: &[Stamped<AccountEvent>]) -> Option<Self> {
        Some(Self {
            id: life.stream.id().parse().ok()?,
            name: state.name()?.to_owned(),
            quota: *state.quota(),
            created_at: life.created_at,
            updated_at: life.updated_at,
            version: life.version.0,
        })
    }

    fn filters(&self) -> Vec<Option<String>> {
        vec![Some(self.name.clone())]
    }

    fn conditions(filter: &AccountFilter) -> Conditions {
        Conditions::default().is("id", filter.id).is("name", filter.name.as_ref())
    }
}
