//! Versions of templates as their readers see them.

use chrono::{DateTime, Utc};
use domain::template::Difference;
use serde::Serialize;
use utoipa::ToSchema;

use super::operation::word;

/// The template of a container.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TemplateOfContainer {
    #[schema(example = "nginx")]
    pub(crate) template: String,
    /// The hash of the version that it has.
    pub(crate) version: String,
    /// The template's newest; absent when the template is gone or broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) newest: Option<String>,
    /// The template has changed since.
    pub(crate) behind: bool,
    /// What is other in the newest.
    pub(crate) differences: Vec<DifferenceView>,
    /// Every version that it had, the newest first; one that was applied again stands there again.
    pub(crate) history: Vec<VersionOfContainer>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VersionOfContainer {
    pub(crate) version: String,
    pub(crate) at: DateTime<Utc>,
    /// What brought it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) operation: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "part": "file", "name": "/etc/nginx/conf.d/site.conf", "change": "changed" }))]
pub(crate) struct DifferenceView {
    /// `setting`, `package`, `file`, `script` or `readme`.
    pub(crate) part: String,
    pub(crate) name: String,
    /// `added`, `removed` or `changed`.
    pub(crate) change: String,
}

impl From<Difference> for DifferenceView {
    fn from(from: Difference) -> Self {
        Self { part: word(&from.part), name: from.name, change: word(&from.change) }
    }
}

/// A version of a template.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VersionView {
    pub(crate) version: String,
    /// It is what the template says now.
    pub(crate) newest: bool,
    /// How many of your containers have it.
    pub(crate) containers: u64,
}
