//! Accounts, their members and keys, as the API shows them.

use chrono::{DateTime, Utc};
use domain::quota::{Quota, Usage};
use platform::views::{AccountRow, ApiKeyRow, MemberRow, UserRow};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01990000-0000-7000-8000-0000000000a1", "name": "shop", "quota": { "containers": 10, "cores": 40 },
    "used": { "containers": 3, "cores": 6, "memory_mb": 3072, "disk_gb": 30, "snapshots": 0, "backups": 0 },
    "created_at": "2026-01-01T00:00:00Z"
}))]
pub(crate) struct AccountView {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) quota: QuotaView,
    pub(crate) used: UsageView,
    pub(crate) created_at: DateTime<Utc>,
}

/// How much it may have at once; what is absent is without limit.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({ "containers": 10, "cores": 40, "memory_mb": 65536, "disk_gb": 500 }))]
pub(crate) struct QuotaView {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) containers: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cores: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) memory_mb: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) disk_gb: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) snapshots: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) backups: Option<u32>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UsageView {
    containers: u64,
    cores: u64,
    memory_mb: u64,
    disk_gb: u64,
    snapshots: u64,
    backups: u64,
}

impl AccountView {
    pub(crate) fn of(row: AccountRow, used: Usage) -> Self {
        let Usage { containers, cores, memory_mb, disk_gb, snapshots, backups } = used;
        Self {
            id: row.id.uuid(),
            name: row.name,
            quota: row.quota.into(),
            used: UsageView { containers, cores, memory_mb, disk_gb, snapshots, backups },
            created_at: row.created_at,
        }
    }
}

impl From<Quota> for QuotaView {
    fn from(quota: Quota) -> Self {
        let Quota { containers, cores, memory_mb, disk_gb, snapshots, backups } = quota;
        Self { containers, cores, memory_mb, disk_gb, snapshots, backups }
    }
}

impl From<QuotaView> for Quota {
    fn from(quota: QuotaView) -> Self {
        let QuotaView { containers, cores, memory_mb, disk_gb, snapshots, backups } = quota;
        Self { containers, cores, memory_mb, disk_gb, snapshots, backups }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MemberView {
    pub(crate) user: Uuid,
    /// None when the person was forgotten.
    pub(crate) login: Option<String>,
    #[schema(example = "operator")]
    pub(crate) role: String,
    pub(crate) since: DateTime<Utc>,
}

impl MemberView {
    pub(crate) fn of(row: &MemberRow, login: Option<String>) -> Self {
        Self { user: row.user.uuid(), login, role: row.role.to_string(), since: row.since }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserView {
    pub(crate) id: Uuid,
    #[schema(example = "ann@example.org")]
    pub(crate) login: Option<String>,
    /// Administrator of the whole installation.
    pub(crate) admin: bool,
    pub(crate) disabled: bool,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) signed_in_at: Option<DateTime<Utc>>,
    /// Where a password is set, once; only in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) password_link: Option<String>,
}

impl UserView {
    pub(crate) fn of(row: &UserRow, login: Option<String>) -> Self {
        Self {
            id: row.id.uuid(),
            login,
            admin: row.admin,
            disabled: row.disabled,
            created_at: row.created_at,
            signed_in_at: row.signed_in_at,
            password_link: None,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApiKeyView {
    pub(crate) id: Uuid,
    #[schema(example = "ci")]
    pub(crate) name: String,
    /// None: of the installation.
    pub(crate) account: Option<Uuid>,
    /// How the key begins.
    #[schema(example = "gantry_key_0a1b2c3d4e")]
    pub(crate) prefix: String,
    #[schema(example = json!(["containers:read", "containers:write"]))]
    pub(crate) scopes: Vec<String>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    /// Addresses and networks it may come from; any when empty.
    #[schema(example = json!(["192.0.2.0/24"]))]
    pub(crate) addresses: Vec<String>,
    pub(crate) revoked: bool,
    pub(crate) replaces: Option<Uuid>,
    pub(crate) replaced_by: Option<Uuid>,
    pub(crate) created_at: DateTime<Utc>,
    /// To the minute.
    pub(crate) last_used_at: Option<DateTime<Utc>>,
    pub(crate) last_used_from: Option<String>,
    /// The key itself; only in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
}

impl ApiKeyView {
    pub(crate) fn of(row: ApiKeyRow, used: Option<(DateTime<Utc>, Option<String>)>) -> Self {
        let (last_used_at, last_used_from) = used.map_or((None, None), |(at, from)| (Some(at), from));
        Self {
            id: row.id.uuid(),
            name: row.issued.name,
            account: row.issued.account.map(|id| id.uuid()),
            prefix: format!("{}{}", crate::access::KEY, row.issued.prefix),
            scopes: row.issued.scopes.iter().map(ToString::to_string).collect(),
            expires_at: row.expires_at,
            addresses: row.issued.addresses,
            revoked: row.revoked,
            replaces: row.issued.replaces.map(|id| id.uuid()),
            replaced_by: row.replaced_by.map(|id| id.uuid()),
            created_at: row.created_at,
            last_used_at,
            last_used_from,
            key: None,
        }
    }
}
