//! API keys: what programs call with.

use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, delete, get, post};
use domain::KeyId;
use domain::api_key::{ApiKey, ApiKeyCommand};
use platform::log::ExecuteError;
use platform::people::key_uses;
use platform::views::{self, ApiKeyFilter, ApiKeyRow};
use serde::Deserialize;
use utoipa::IntoParams;

use super::id::Id;
use crate::accept::not_appended;
use crate::access::Caller;
use crate::app::App;
use crate::asking::Asking;
use crate::body::Body;
use crate::issue::{self as issuing, IssueKey, RotateKey};
use crate::paging::{self, List, Paging, Search};
use crate::problem::{Kind, Problem};
use crate::shape::account::ApiKeyView;
use crate::tag::Tagged;
use crate::unread::unread;

/// Hand out an API key
///
/// The key itself is in this answer and never again: only a hash of it is kept. It belongs to your account and to no
/// person, so that it goes on when people leave.
#[utoipa::path(
    tag = "api-keys",
    request_body = IssueKey,
    responses((status = 201, description = "Handed out", body = ApiKeyView, headers(("Location" = String, description = "The key")))),
)]
#[post("/v1/api-keys")]
pub(super) async fn issue(app: Data<App>, asking: Asking, body: Body<IssueKey>) -> Result<HttpResponse, Problem> {
    let (id, text) = issuing::key(&app, &asking, body).await?;
    created(&app, id, text).await
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ApiKeys {
    /// How many at most, 1 to 500; 50 when left out.
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// By which field; `-` before it: the other way round. The newest come first when it is left out.
    #[param(schema_with = paging::sorts::<ApiKeyRow>)]
    sort: Option<String>,
}

/// API keys
///
/// Those that were revoked or have expired too.
#[utoipa::path(tag = "api-keys", params(ApiKeys), responses((status = 200, body = List<ApiKeyView>)))]
#[get("/v1/api-keys")]
pub(super) async fn list(
    app: Data<App>,
    caller: Caller,
    query: Search<ApiKeys>,
) -> Result<Json<List<ApiKeyView>>, Problem> {
    let Search(query) = query;
    let page = Paging { limit: query.limit, cursor: query.cursor, sort: query.sort }.page::<ApiKeyRow>()?;
    let filter = ApiKeyFilter { account: caller.account, ..ApiKeyFilter::default() };
    let found = views::page::<ApiKeyRow>(app.log.db(), &filter, &page).await.map_err(unread)?;
    let mut items = Vec::new();
    for row in found.items {
        items.push(with_use(&app, row).await?);
    }
    Ok(Json(List { items, next: found.next.map(|cursor| cursor.to_string()) }))
}

/// An API key
#[utoipa::path(
    tag = "api-keys",
    params(("id" = Uuid, Path, description = "The key's id")),
    responses(
        (status = 200, body = ApiKeyView),
        (status = 404, description = "There is no such key", body = Problem, content_type = "application/problem+json"),
    )
)]
#[get("/v1/api-keys/{id}")]
pub(super) async fn detail(app: Data<App>, id: Id<KeyId>) -> Result<Tagged<ApiKeyView>, Problem> {
    let row: Option<ApiKeyRow> = views::get(app.log.db(), id.0).await.map_err(unread)?;
    let row = row.ok_or_else(|| Problem::new(Kind::NotFound))?;
    let version = row.version;
    let view = with_use(&app, row).await?;
    let used = serde_json::to_value(view.last_used_at).map_err(Problem::internal)?;
    Ok(Tagged::new(version, view).beside(&used))
}

/// Rotate an API key
///
/// Another key with the same rights; the old one goes on for a while beside it.
#[utoipa::path(
    tag = "api-keys",
    params(("id" = Uuid, Path, description = "The key's id")),
    request_body = RotateKey,
    responses(
        (status = 201, description = "Handed out", body = ApiKeyView, headers(("Location" = String, description = "The new key"))),
        (status = 404, description = "There is no such key", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It was revoked, or another took its place already", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/api-keys/{id}/rotate")]
pub(super) async fn rotate(
    app: Data<App>,
    asking: Asking,
    id: Id<KeyId>,
    body: Body<RotateKey>,
) -> Result<HttpResponse, Problem> {
    let (id, text) = issuing::rotate(&app, &asking, id.0, body).await?;
    created(&app, id, text).await
}

/// Revoke an API key
///
/// At once, and for good.
#[utoipa::path(
    tag = "api-keys",
    params(("id" = Uuid, Path, description = "The key's id")),
    responses(
        (status = 204, description = "Revoked"),
        (status = 404, description = "There is no such key", body = Problem, content_type = "application/problem+json"),
    )
)]
#[delete("/v1/api-keys/{id}")]
pub(super) async fn revoke(app: Data<App>, asking: Asking, id: Id<KeyId>) -> Result<HttpResponse, Problem> {
    match asking.execute::<ApiKey>(&app, id.0, ApiKeyCommand::Revoke, &()).await {
        Ok(_) => Ok(HttpResponse::NoContent().finish()),
        Err(ExecuteError::Rejected(no)) => Err(issuing::refused(no)),
        Err(ExecuteError::Append(error)) => Err(not_appended(&error)),
        Err(ExecuteError::Log(error)) => Err(unread(error)),
    }
}

async fn created(app: &App, id: KeyId, text: String) -> Result<HttpResponse, Problem> {
    let key = ApiKeyView { key: Some(text), ..find(app, id).await? };
    Ok(HttpResponse::Created().insert_header(("location", format!("/v1/api-keys/{id}"))).json(key))
}

async fn find(app: &App, id: KeyId) -> Result<ApiKeyView, Problem> {
    let row: Option<ApiKeyRow> = views::get(app.log.db(), id).await.map_err(unread)?;
    with_use(app, row.ok_or_else(|| Problem::new(Kind::NotFound))?).await
}

async fn with_use(app: &App, row: ApiKeyRow) -> Result<ApiKeyView, Problem> {
    let used = key_uses::last_use(app.log.db(), row.id).await.map_err(unread)?;
    Ok(ApiKeyView::of(row, used))
}
