use std::collections::BTreeMap;

use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::create::{Answer, ScriptsWish};
use crate::secret::Secret;

/// What the container is to be made anew from. What is left out stays; all that is not named here does too.
#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "template": "nginx", "version": "current", "backup_first": true }))]
pub(crate) struct RebuildContainer {
    /// Another template than it has.
    #[schema(example = "nginx")]
    pub(crate) template: Option<String>,
    /// A bare OS image in place of a template.
    #[schema(example = "local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst")]
    pub(crate) image: Option<String>,
    /// Of its template; `as_made` when left out, as long as that is still kept.
    pub(crate) version: Option<TemplateOf>,
    /// `all`, `none`, or the names of some of the template's.
    #[schema(value_type = Option<Object>, example = json!("all"))]
    pub(crate) scripts: Option<ScriptsWish>,
    /// Answers to the template's questions; those that it gave to the same template stay.
    #[schema(value_type = BTreeMap<String, String>, example = json!({ "SERVER_NAME": "example.org" }))]
    #[serde(default)]
    pub(crate) inputs: BTreeMap<String, Answer>,
    /// Left out: the one that it has; when none is known, one is made and told once in the answer.
    #[schema(value_type = Option<String>, format = Password, min_length = 8, max_length = 128, write_only)]
    pub(crate) root_password: Option<Secret>,
    /// Back it up before it goes. A snapshot would go with it.
    #[serde(default)]
    pub(crate) backup_first: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TemplateOf {
    /// The version that the container was made from.
    AsMade,
    /// As the template is now.
    Current,
}
