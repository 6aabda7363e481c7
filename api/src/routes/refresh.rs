//! Looking at the tree of templates now, rather than in a few seconds.

use actix_web::post;
use actix_web::web::{Data, Json};
use domain::catalogue::CatalogueEvent;
use platform::catalogue::RefreshError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::accept::not_appended;
use crate::app::App;
use crate::asking::Asking;
use crate::problem::Problem;
use crate::unread::unread;

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "templates": 17, "changes": [{ "template": "nginx", "change": "changed", "version": "6b86b273ff34" }] }))]
pub(super) struct Refreshed {
    /// How many there are, the broken ones too.
    templates: usize,
    /// What was not known before.
    changes: Vec<TemplateChange>,
}

#[derive(Debug, Serialize, ToSchema)]
struct TemplateChange {
    template: String,
    /// `added`, `changed`, `broken` or `removed`.
    change: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// Why it can't be used any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Look at the templates now
///
/// Gantry sees by itself within seconds what changed in its directory of templates; this answers when it has looked.
#[utoipa::path(
    tag = "templates",
    responses((status = 200, description = "It has been looked at", body = Refreshed)),
)]
#[post("/v1/templates/refresh")]
pub(super) async fn refresh(app: Data<App>, asking: Asking) -> Result<Json<Refreshed>, Problem> {
    let refreshed = app.catalogue.refresh(&app.log, asking.meta()).await.map_err(|error| match error {
        RefreshError::Log(error) => unread(error),
        RefreshError::Catalogue(error) => unread(error),
        RefreshError::Append(error) => not_appended(&error),
        RefreshError::Unwritable(error) => Problem::internal(error),
    })?;
    let changes = refreshed.changes.into_iter().map(TemplateChange::from).collect();
    Ok(Json(Refreshed { templates: refreshed.templates, changes }))
}

impl From<CatalogueEvent> for TemplateChange {
    fn from(event: CatalogueEvent) -> Self {
        use CatalogueEvent as E;
        let (template, change, version, reason) = match event {
            E::Added { name, version } => (name, "added", Some(version), None),
            E::Changed { name, version } => (name, "changed", Some(version), None),
            E::Broken { name, reason } => (name, "broken", None, Some(reason)),
            E::Removed { name } => (name, "removed", None, None),
        };
        Self { template, change, version, reason }
    }
}
