//! A bucket as the catalogue shows it.

use std::sync::Arc;

use platform::catalogue::{Bucket, Listed};
use serde::Serialize;
use utoipa::ToSchema;

use super::template::{FindingView, installed};

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "name": "editors", "packages": ["apt/vim", "apt/nano", "apk/vim"], "templates": ["base"], "findings": [] }))]
pub(crate) struct BucketView {
    name: String,
    /// What is installed, as `apt/vim`; with the package manager that the system has.
    packages: Vec<String>,
    /// The usable templates that take it.
    templates: Vec<String>,
    findings: Vec<FindingView>,
}

impl BucketView {
    pub(crate) fn of(bucket: &Bucket, templates: &[Arc<Listed>]) -> Self {
        let takes = |listed: &&Arc<Listed>| {
            listed.usable.as_ref().is_some_and(|usable| usable.settings.buckets.contains(&bucket.name))
        };
        Self {
            name: bucket.name.clone(),
            packages: installed(&bucket.lists),
            templates: templates.iter().filter(takes).map(|listed| listed.name.clone()).collect(),
            findings: bucket.findings.iter().map(FindingView::from).collect(),
        }
    }
}
