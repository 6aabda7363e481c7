//! Who belongs to which account now.

use chrono::{DateTime, Utc};
use domain::{
    AccountId, Role, UserId,
    membership::{Membership, MembershipEvent},
};
use serde::{Deserialize, Serialize};

use super::{Conditions, Life, Row, Sort, Stamped, Table, Values};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRow {
    pub account: AccountId,
    pub user: UserId,
    pub role: Role,
    pub since: DateTime<Utc>,
}

#[derive(Debug, Clone, Default)]
pub struct MemberFilter {
    pub account: Option<AccountId>,
    pub user: Option<UserId>,
}

impl Row for MemberRow {
    type Aggregate = Membership;
    type Filter = MemberFilter;

    const SORTS: &'static [Sort] = &[Sort {
        field: "login",
        column: "COALESCE((SELECT login FROM people WHERE people.id = memberships.member), '')",
        values: Values::Text,
    }];
    const TABLE: Table = Table {
        name: "memberships",
        key: "id",
        columns: &["id", "account", "member", "version", "created_at", "updated_at", "document"],
    };

    fn of(life: &Life, state: &Membership, _: &[Stamped<MembershipEvent>]) -> Option<Self> {
        // `<account>:<user>`, as the domain names its streams.
        let (account, user) = life.stream.id().split_once(':')?;
        Some(Self {
            account: account.parse().ok()?,
            user: user.parse().ok()?,
            role: state.role()?,
            since: life.updated_at,
        })
    }

    fn filters(&self) -> Vec<Option<String>> {
        vec![Some(self.account.to_string()), Some(self.user.to_string())]
    }

    fn conditions(filter: &MemberFilter) -> Conditions {
        Conditions::default().is("account", filter.account).is("member", filter.user)
    }
}
