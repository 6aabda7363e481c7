//! Those who may sign in. What names them is in another table, outside of the log.

use chrono::{DateTime, Utc};
use domain::{
    UserId,
    user::{User, UserEvent},
};
use serde::{Deserialize, Serialize};

use super::{Conditions, Life, Row, Sort, Stamped, Table, Values};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRow {
    pub id: UserId,
    /// Administrator of the whole installation.
    pub admin: bool,
    pub disabled: bool,
    pub signed_in_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub version: i64,
}

#[derive(Debug, Clone, Default)]
pub struct UserFilter {
    pub id: Option<UserId>,
    pub admin: Option<bool>,
}

impl Row for UserRow {
    type Aggregate = User;
    type Filter = UserFilter;

    const SORTS: &'static [Sort] = &[Sort {
        field: "login",
        column: "COALESCE((SELECT login FROM people WHERE people.id = users.id), '')",
        values: Values::Text,
    }];
    const TABLE: Table = Table {
        name: "users",
        key: "id",
        columns: &["id", "admin", "version", "created_at", "updated_at", "document"],
    };

    fn of(life: &Life, state: &User, history: &[Stamped<UserEvent>]) -> Option<Self> {
        let signed_in =
            history.iter().rev().find(|stamped| matches!(stamped.event, UserEvent::SignedIn { .. })).map(|s| s.at);
        state.exists().then_some(Self {
            id: life.stream.id().parse().ok()?,
            admin: state.is_admin(),
            disabled: state.is_disabled(),
            signed_in_at: signed_in,
            created_at: life.created_at,
            updated_at: life.updated_at,
            version: life.version.0,
        })
    }

    fn filters(&self) -> Vec<Option<String>> {
        vec![Some(self.admin.to_string())]
    }

    fn conditions(filter: &UserFilter) -> Conditions {
        Conditions::default().is("id", filter.id).is("admin", filter.admin)
    }
}
