//! API keys, those that were revoked too: a list shows why one is of no use any more.

use chrono::{DateTime, Utc};
use domain::{
    AccountId, KeyId,
    api_key::{ApiKey, ApiKeyEvent, Issued},
};
use serde::{Deserialize, Serialize};

use super::{Conditions, Life, Row, Stamped, Table};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeyRow {
    pub id: KeyId,
    pub issued: Issued,
    /// The earlier of its own end and that of its overlap.
    pub expires_at: Option<DateTime<Utc>>,
    pub replaced_by: Option<KeyId>,
    pub revoked: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub version: i64,
}

#[derive(Debug, Clone, Default)]
pub struct ApiKeyFilter {
    pub id: Option<KeyId>,
    pub account: Option<AccountId>,
    pub prefix: Option<String>,
}

impl Row for ApiKeyRow {
    type Aggregate = ApiKey;
    type Filter = ApiKeyFilter;

    const TABLE: Table = Table {
        name: "api_keys",
        key: "id",
        columns: &["id", "account", "prefix", "version", "created_at", "updated_at", "document"],
    };

    fn of(life: &Life, state: &ApiKey, _: &[Stamped<ApiKeyEvent>]) -> Option<Self> {
        Some(Self {
            id: life.stream.id().parse().ok()?,
            issued: state.issued()?.clone(),
            expires_at: state.expires_at(),
            replaced_by: state.replaced_by(),
            revoked: state.is_revoked(),
            created_at: life.created_at,
            updated_at: life.updated_at,
            version: life.version.0,
        })
    }

    fn filters(&self) -> Vec<Option<String>> {
        vec![self.issued.account.map(|id| id.to_string()), Some(self.issued.prefix.clone())]
    }

    fn conditions(filter: &ApiKeyFilter) -> Conditions {
        Conditions::default().is("id", filter.id).is("account", filter.account).is("prefix", filter.prefix.as_ref())
    }
}
