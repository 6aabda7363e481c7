//! What would happen, as its reader sees it.

use std::collections::BTreeMap;

use domain::placement::{Chosen, Considered};
use domain::preview::Call;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::problem::FieldProblem;

/// Nothing of it has been done, and nothing is kept for it.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(example = json!({
    "action": "create", "possible": true,
    "place": { "host": "01990000-0000-7000-8000-0000000000b1", "node": "pve2", "storage": "local-lvm", "reason": "score 812: …" },
    "considered": [{ "host": "01990000-0000-7000-8000-0000000000b1", "host_name": "pve", "node": "pve1", "why": "it is in maintenance" }],
    "calls": [{ "method": "POST", "path": "/nodes/pve2/lxc", "parameters": { "vmid": "101", "hostname": "web1" } }],
    "conflicts": [], "notes": [], "quota": []
}))]
pub(crate) struct Plan {
    /// `create`, `resize`, `rebuild`, `delete`, `snapshot` or `backup`.
    pub(crate) action: String,
    /// False when something stands in its way; see `conflicts`.
    pub(crate) possible: bool,
    /// Where it would go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<PlaceView>,
    /// Every node that was looked at, the best first, with what speaks for or against it.
    pub(crate) considered: Vec<ConsideredView>,
    /// What would be asked of Proxmox, in this order.
    pub(crate) calls: Vec<CallView>,
    pub(crate) conflicts: Vec<FieldProblem>,
    pub(crate) notes: Vec<String>,
    /// Whose quota it would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<Uuid>,
    /// What it would do to each limit of the account; empty without an account.
    pub(crate) quota: Vec<QuotaEffect>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PlaceView {
    pub host: Uuid,
    pub node: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ConsideredView {
    pub host: Uuid,
    pub host_name: String,
    pub node: String,
    /// 0 to 1000; absent when it can't go there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
    pub why: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CallView {
    #[schema(example = "POST")]
    pub(crate) method: String,
    #[schema(example = "/nodes/pve1/lxc")]
    pub(crate) path: String,
    pub(crate) parameters: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuotaEffect {
    #[schema(example = "cores")]
    pub(crate) what: String,
    pub(crate) used: u64,
    /// Less than 0 is given back.
    pub(crate) asked: i64,
    /// Afterwards; absent without a limit, less than 0 when it would be passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) left: Option<i64>,
}

impl From<Chosen> for PlaceView {
    fn from(chosen: Chosen) -> Self {
        Self { host: chosen.host.uuid(), node: chosen.node, storage: Some(chosen.storage), reason: Some(chosen.reason) }
    }
}

impl From<Considered> for ConsideredView {
    fn from(one: Considered) -> Self {
        Self {
            host: one.host.uuid(),
            host_name: one.host_name,
            node: one.node,
            score: one.score,
            storage: one.storage,
            why: one.why,
        }
    }
}

impl From<Call> for CallView {
    fn from(call: Call) -> Self {
        Self { method: call.method.to_owned(), path: call.path, parameters: call.parameters }
    }
}
