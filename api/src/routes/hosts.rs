//! Proxmox hosts: registering one, looking at them, trusting a certificate.

use std::collections::BTreeMap;

use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, get, post};
use domain::HostId;
use domain::host::{Host, HostCommand, HostRejection, Trust};
use platform::log::ExecuteError;
use platform::views::{self, HostFilter, HostRow};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::id::Id;
use crate::accept::not_appended;
use crate::app::App;
use crate::asking::Asking;
use crate::body::Body;
use crate::paging::{self, List, Paging, Search, wrong};
use crate::problem::{FieldProblem, Kind, Problem};
use crate::register::{self as registering, RegisterHost, SshNodeWish};
use crate::shape::host::HostView;
use crate::tag::Tagged;
use crate::unread::unread;

/// Register a host
///
/// Its secrets are sealed and never leave again.
#[utoipa::path(
    tag = "hosts",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key with the same body gets the same answer, for a day")),
    request_body = RegisterHost,
    responses(
        (status = 201, description = "Registered", body = HostView, headers(("Location" = String, description = "The host"))),
        (status = 422, description = "Some fields are not allowed, or the key was used for something else", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/hosts")]
pub(super) async fn register(
    app: Data<App>,
    asking: Asking,
    body: Body<RegisterHost>,
) -> Result<HttpResponse, Problem> {
    let id = registering::host(&app, &asking, body).await?;
    let host = find(&app, id).await?;
    Ok(HttpResponse::Created().insert_header(("location", format!("/v1/hosts/{id}"))).json(host))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Hosts {
    /// How many at most, 1 to 500; 50 when left out.
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// By which field; `-` before it: the other way round. The newest come first when it is left out.
    #[param(schema_with = paging::sorts::<HostRow>)]
    sort: Option<String>,
    name: Option<String>,
}

/// Hosts
#[utoipa::path(tag = "hosts", params(Hosts), responses((status = 200, body = List<HostView>)))]
#[get("/v1/hosts")]
pub(super) async fn list(app: Data<App>, query: Search<Hosts>) -> Result<Json<List<HostView>>, Problem> {
    let Search(query) = query;
    let page = Paging { limit: query.limit, cursor: query.cursor, sort: query.sort }.page::<HostRow>()?;
    let found = views::page::<HostRow>(app.log.db(), &HostFilter { name: query.name }, &page).await.map_err(unread)?;
    let items = found.items.into_iter().map(HostView::from).collect();
    Ok(Json(List { items, next: found.next.map(|cursor| cursor.to_string()) }))
}

/// A host
#[utoipa::path(
    tag = "hosts",
    params(Id<HostId>),
    responses(
        (status = 200, body = HostView),
    )
)]
#[get("/v1/hosts/{id}")]
pub(super) async fn detail(app: Data<App>, id: Id<HostId>) -> Result<Tagged<HostView>, Problem> {
    let row: Option<HostRow> = views::get(app.log.db(), id.0).await.map_err(unread)?;
    let row = row.ok_or_else(|| Problem::new(Kind::NotFound))?;
    Ok(Tagged::new(row.version, HostView::from(row)))
}

#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "fingerprint": "AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99" }))]
pub(super) struct Pin {
    /// SHA-256 of the certificate, 32 pairs of hex digits with colons, as Proxmox shows it.
    fingerprint: Option<String>,
    /// The same for addresses that show another certificate.
    #[serde(default)]
    pins: BTreeMap<String, String>,
    ssh: Option<PinSsh>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PinSsh {
    /// `SHA256:…` as ssh-keygen shows it.
    host_key: Option<String>,
    /// For each node of a cluster: where its SSH is, and its key.
    #[serde(default)]
    nodes: BTreeMap<String, SshNodeWish>,
}

/// Trust certificates and SSH keys
///
/// From then on only who shows them is the host. What is not named stays as it was.
#[utoipa::path(
    tag = "hosts",
    params(Id<HostId>),
    request_body = Pin,
    responses(
        (status = 200, description = "Pinned", body = HostView),
        (status = 422, description = "Something is no fingerprint, or no address", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/hosts/{id}/pin")]
pub(super) async fn pin(
    app: Data<App>,
    asking: Asking,
    id: Id<HostId>,
    body: Body<Pin>,
) -> Result<Json<HostView>, Problem> {
    let wish = body.read();
    let none = wish.fingerprint.is_none() && wish.pins.is_empty() && wish.ssh.is_none();
    let pin =
        body.fit(none.then(|| wrong("fingerprint", "is missing", "give it, or pins, or ssh")).into_iter().collect())?;
    let ssh = pin.ssh.unwrap_or_default();
    let command = HostCommand::Trust(Trust {
        fingerprint: pin.fingerprint,
        pins: pin.pins,
        host_key: ssh.host_key,
        nodes: ssh.nodes.iter().map(|(name, node)| (name.clone(), node.into())).collect(),
    });
    match asking.execute::<Host>(&app, id.0, command, &()).await {
        Ok(_) => find(&app, id.0).await.map(Json),
        Err(ExecuteError::Rejected(no)) => Err(refused(no)),
        Err(ExecuteError::Append(error)) => Err(not_appended(&error)),
        Err(ExecuteError::Log(error)) => Err(unread(error)),
    }
}

pub(super) async fn find(app: &App, id: HostId) -> Result<HostView, Problem> {
    let row: Option<HostRow> = views::get(app.log.db(), id).await.map_err(unread)?;
    row.map(HostView::from).ok_or_else(|| Problem::new(Kind::NotFound))
}

fn refused(no: HostRejection) -> Problem {
    match no {
        HostRejection::Unknown => Problem::new(Kind::NotFound),
        HostRejection::AlreadyRegistered | HostRejection::NoNode { .. } => {
            Problem::new(Kind::Conflict).detail(no.to_string())
        }
        HostRejection::Invalid(errors) => Problem::new(Kind::Invalid).fields(
            errors.into_iter().map(|e| FieldProblem { field: e.field, problem: e.problem, fix: e.fix }).collect(),
        ),
    }
}
