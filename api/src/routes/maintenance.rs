//! Taking a host, or one of its nodes, out of what new containers are placed on.

use actix_web::put;
use actix_web::web::{Data, Json};
use domain::HostId;
use domain::host::{Host, HostCommand, HostRejection};
use platform::log::ExecuteError;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::hosts::find;
use super::id::Id;
use crate::accept::not_appended;
use crate::app::App;
use crate::asking::Asking;
use crate::body::Body;
use crate::paging::wrong;
use crate::problem::{Kind, Problem};
use crate::shape::host::HostView;
use crate::unread::unread;

#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "in_maintenance": true, "node": "pve2" }))]
pub(super) struct Maintenance {
    #[schema(value_type = bool)]
    in_maintenance: Option<bool>,
    /// Only this node; left out: the whole host.
    #[schema(example = "pve2")]
    node: Option<String>,
}

/// Put a host or a node into maintenance, or end it
///
/// Nothing new is placed there; what is there stays and can be worked with. Asked twice is as good as once.
#[utoipa::path(
    tag = "hosts",
    params(Id<HostId>),
    request_body = Maintenance,
    responses(
        (status = 200, description = "It is so now", body = HostView),
        (status = 422, description = "It is not said whether, or the host has no such node", body = Problem, content_type = "application/problem+json"),
    )
)]
#[put("/v1/hosts/{id}/maintenance")]
pub(super) async fn set(
    app: Data<App>,
    asking: Asking,
    id: Id<HostId>,
    body: Body<Maintenance>,
) -> Result<Json<HostView>, Problem> {
    let missing = body.read().in_maintenance.is_none();
    let missing = missing.then(|| wrong("in_maintenance", "is missing", "give true or false"));
    let wish = body.fit(missing.into_iter().collect())?;
    let on = wish.in_maintenance.unwrap_or_default();
    let command = match wish.node {
        Some(node) => HostCommand::SetNodeMaintenance { node, on },
        None => HostCommand::SetMaintenance(on),
    };
    match asking.execute::<Host>(&app, id.0, command, &()).await {
        Ok(_) => find(&app, id.0).await.map(Json),
        Err(ExecuteError::Rejected(HostRejection::NoNode { node, known })) => {
            let fix = format!("it has {known}");
            Err(Problem::new(Kind::Invalid).fields(vec![wrong("node", &format!("there is no node {node:?}"), &fix)]))
        }
        Err(ExecuteError::Rejected(_)) => Err(Problem::new(Kind::NotFound)),
        Err(ExecuteError::Append(error)) => Err(not_appended(&error)),
        Err(ExecuteError::Log(error)) => Err(unread(error)),
    }
}
