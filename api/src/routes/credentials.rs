//! A container's passwords: sealed at rest, read by those who may, and every reading recorded.

use std::collections::BTreeMap;

use actix_web::get;
use actix_web::web::{Data, Json};
use domain::access::AccessEvent;
use domain::container::{Container, ContainerEvent, Lifecycle};
use domain::{Aggregate as _, ContainerId, SealedId, Version};
use platform::vault::VaultError;
use serde::Serialize;
use utoipa::ToSchema;

use super::id::Id;
use crate::access::record;
use crate::app::App;
use crate::asking::Asking;
use crate::problem::{Kind, Problem};
use crate::unread::unread;

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "user": "root", "root_password": "…", "services": { "database": { "PASSWORD": "…" } } }))]
pub(super) struct Credentials {
    user: &'static str,
    /// None when none was kept.
    root_password: Option<String>,
    /// What the template's scripts saved, by service and name.
    services: BTreeMap<String, BTreeMap<String, String>>,
}

/// Read a container's credentials
///
/// The root password of its create, and what the template's scripts saved. That you read them is in the audit, with
/// your `X-Reason`.
#[utoipa::path(
    tag = "containers",
    params(
        Id<ContainerId>,
        ("X-Reason" = Option<String>, Header, description = "Why, for the audit"),
    ),
    responses(
        (status = 200, body = Credentials),
        (status = 409, description = "It has been removed, and its secrets with it", body = Problem, content_type = "application/problem+json"),
    )
)]
#[get("/v1/containers/{id}/credentials")]
pub(super) async fn read(app: Data<App>, asking: Asking, id: Id<ContainerId>) -> Result<Json<Credentials>, Problem> {
    let loaded = app.log.load::<Container>(id.0).await.map_err(unread)?;
    let request = loaded.state.request().ok_or_else(|| Problem::new(Kind::NotFound))?;
    if loaded.state.lifecycle() == Lifecycle::Removed {
        return Err(Problem::new(Kind::NotPossible).detail("the container has been removed, and its secrets with it"));
    }
    let saved = saved(&app, id.0).await?;
    // Before anything is opened: what is not in the audit is not read.
    let mut meta = asking.meta();
    meta.account = request.account;
    let event = AccessEvent::SecretRead { container: id.0, what: "credentials".to_owned() };
    record(&app, event, meta).await.map_err(|error| crate::accept::not_appended(&error))?;
    let root_password = match request.root_password {
        Some(sealed) => open(&app, sealed).await?,
        None => None,
    };
    let mut services = BTreeMap::new();
    for sealed in saved {
        if let Some(text) = open(&app, sealed).await? {
            let more: BTreeMap<String, BTreeMap<String, String>> =
                serde_json::from_str(&text).map_err(|_| Problem::internal("a sealed row is not what it should be"))?;
            services.extend(more);
        }
    }
    Ok(Json(Credentials { user: "root", root_password, services }))
}

async fn saved(app: &App, id: ContainerId) -> Result<Vec<SealedId>, Problem> {
    let history = app.log.stream(&Container::stream(id), Version(0)).await.map_err(unread)?;
    let last = history.iter().rev().find_map(|recorded| match recorded.event() {
        Ok(ContainerEvent::Ready { credentials, .. } | ContainerEvent::TemplateApplied { credentials, .. }) => {
            Some(credentials)
        }
        _ => None,
    });
    Ok(last.unwrap_or_default())
}

async fn open(app: &App, id: SealedId) -> Result<Option<String>, Problem> {
    match app.vault.open(id).await {
        Ok(bytes) => bytes.into_text().map(|text| Some(text.expose().to_owned())).map_err(Problem::internal),
        Err(VaultError::Forgotten { .. }) => Ok(None),
        Err(error) => Err(unread(error)),
    }
}
