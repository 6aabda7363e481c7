//! One request for many containers, as it is asked and told.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::operation::ErrorView;
use crate::wish::TemplateOf;

#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "action": "start", "filter": { "tag": "web" } }))]
pub(crate) struct AskBulk {
    /// `start`, `stop`, `shutdown`, `reboot`, `rebuild` or `delete`.
    #[schema(value_type = String, example = "start")]
    pub(crate) action: Option<String>,
    /// 1 to 1000 containers. Either this or `filter`.
    pub(crate) ids: Option<Vec<Uuid>>,
    pub(crate) filter: Option<Among>,
    /// For `shutdown` and `reboot`: how long each may take to shut itself down.
    #[schema(minimum = 1, maximum = 3600)]
    pub(crate) timeout_seconds: Option<u32>,
    /// For `delete`: take them out of Proxmox's backup and replication jobs too.
    #[serde(default)]
    pub(crate) purge: bool,
    /// For `rebuild`: each from its own template, `as_made` (also when left out) or `current`.
    pub(crate) version: Option<TemplateOf>,
    /// For `rebuild`: back each up before it goes.
    #[serde(default)]
    pub(crate) backup_first: bool,
}

/// All that is said has to fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Among {
    #[schema(example = "web")]
    pub(crate) tag: Option<String>,
    pub(crate) template: Option<String>,
    pub(crate) host: Option<Uuid>,
    pub(crate) node: Option<String>,
    /// Really all that are there.
    pub(crate) all: bool,
}

/// How all of them go.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01990000-0000-7000-8000-0000000000d1", "action": "start", "percent": 50, "ended": false,
    "counts": { "total": 3, "accepted": 2, "refused": 1, "queued": 0, "running": 1, "succeeded": 1, "failed": 0, "cancelled": 0 },
    "refused": [{ "container": "01990000-0000-7000-8000-0000000000a1", "type": "busy", "detail": "operation … is at work on it" }],
    "failed": [], "operations": []
}))]
pub(crate) struct BulkView {
    pub(crate) id: Uuid,
    pub(crate) action: String,
    /// Of those that were accepted, together.
    #[schema(minimum = 0, maximum = 100)]
    pub(crate) percent: u8,
    pub(crate) ended: bool,
    pub(crate) counts: Counts,
    /// Which were not accepted, and why.
    pub(crate) refused: Vec<BulkRefusal>,
    /// Which were accepted and failed.
    pub(crate) failed: Vec<BulkFailure>,
    /// An operation each, in the containers' order; those of refused containers do not exist.
    pub(crate) operations: Vec<Uuid>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Counts {
    pub(crate) total: usize,
    pub(crate) accepted: usize,
    pub(crate) refused: usize,
    pub(crate) queued: usize,
    pub(crate) running: usize,
    pub(crate) succeeded: usize,
    pub(crate) failed: usize,
    pub(crate) cancelled: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct BulkRefusal {
    pub(crate) container: Uuid,
    #[serde(rename = "type")]
    #[schema(example = "busy")]
    pub(crate) kind: String,
    pub(crate) detail: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct BulkFailure {
    pub(crate) container: Uuid,
    pub(crate) operation: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<ErrorView>,
}
