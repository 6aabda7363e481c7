//! Accounts and their quotas.

use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, delete, get, patch, post, put};
use domain::AccountId;
use domain::account::{Account, AccountCommand, AccountRejection};
use platform::log::ExecuteError;
use platform::people::quota;
use platform::views::{self, AccountFilter, AccountRow};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::id::Id;
use crate::accept::not_appended;
use crate::access::Caller;
use crate::app::App;
use crate::asking::Asking;
use crate::body::Body;
use crate::paging::{self, List, Paging, Search, wrong};
use crate::problem::{FieldProblem, Kind, Problem};
use crate::shape::account::{AccountView, QuotaView};
use crate::tag::Tagged;
use crate::unread::unread;

#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "shop", "quota": { "containers": 10 } }))]
pub(super) struct OpenAccount {
    /// Letters, digits and hyphens.
    #[schema(value_type = String)]
    name: Option<String>,
    #[serde(default)]
    quota: QuotaView,
}

/// Open an account
#[utoipa::path(
    tag = "accounts",
    request_body = OpenAccount,
    responses(
        (status = 201, description = "Opened", body = AccountView, headers(("Location" = String, description = "The account"))),
        (status = 409, description = "Another account has the name", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/accounts")]
pub(super) async fn open(app: Data<App>, asking: Asking, body: Body<OpenAccount>) -> Result<HttpResponse, Problem> {
    let missing = body.read().name.is_none().then(|| wrong("name", "is missing", "give it a name"));
    let wish = body.fit(missing.into_iter().collect())?;
    let id = AccountId::new(Uuid::now_v7());
    let command = AccountCommand::Open { name: wish.name.unwrap_or_default(), quota: wish.quota.into() };
    execute(&app, &asking, id, command).await?;
    let account = find(&app, id).await?;
    Ok(HttpResponse::Created().insert_header(("location", format!("/v1/accounts/{id}"))).json(account))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Accounts {
    /// How many at most, 1 to 500; 50 when left out.
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// By which field; `-` before it: the other way round. The newest come first when it is left out.
    #[param(schema_with = paging::sorts::<AccountRow>)]
    sort: Option<String>,
    name: Option<String>,
}

/// Accounts
#[utoipa::path(tag = "accounts", params(Accounts), responses((status = 200, body = List<AccountView>)))]
#[get("/v1/accounts")]
pub(super) async fn list(
    app: Data<App>,
    caller: Caller,
    query: Search<Accounts>,
) -> Result<Json<List<AccountView>>, Problem> {
    let Search(query) = query;
    let page = Paging { limit: query.limit, cursor: query.cursor, sort: query.sort }.page::<AccountRow>()?;
    let filter = AccountFilter { id: caller.account, name: query.name };
    let found = views::page::<AccountRow>(app.log.db(), &filter, &page).await.map_err(unread)?;
    let mut items = Vec::new();
    for row in found.items {
        items.push(with_usage(&app, row).await?);
    }
    Ok(Json(List { items, next: found.next.map(|cursor| cursor.to_string()) }))
}

/// An account
///
/// With its quota and what is taken of it.
#[utoipa::path(
    tag = "accounts",
    params(("id" = Uuid, Path, description = "The account's id")),
    responses(
        (status = 200, body = AccountView),
        (status = 404, description = "There is no such account", body = Problem, content_type = "application/problem+json"),
    )
)]
#[get("/v1/accounts/{id}")]
pub(super) async fn detail(app: Data<App>, id: Id<AccountId>) -> Result<Tagged<AccountView>, Problem> {
    let row: Option<AccountRow> = views::get(app.log.db(), id.0).await.map_err(unread)?;
    let row = row.ok_or_else(|| Problem::new(Kind::NotFound))?;
    let version = row.version;
    let view = with_usage(&app, row).await?;
    let used = serde_json::to_value(&view.used).map_err(Problem::internal)?;
    Ok(Tagged::new(version, view).beside(&used))
}

#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "shop" }))]
pub(super) struct Renaming {
    name: Option<String>,
}

/// Rename an account
#[utoipa::path(
    tag = "accounts",
    params(("id" = Uuid, Path, description = "The account's id")),
    request_body = Renaming,
    responses(
        (status = 200, body = AccountView),
        (status = 404, description = "There is no such account", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Another account has the name", body = Problem, content_type = "application/problem+json"),
    )
)]
#[patch("/v1/accounts/{id}")]
pub(super) async fn rename(
    app: Data<App>,
    asking: Asking,
    id: Id<AccountId>,
    body: Body<Renaming>,
) -> Result<Json<AccountView>, Problem> {
    if let Some(name) = body.fit(vec![])?.name {
        execute(&app, &asking, id.0, AccountCommand::Rename(name)).await?;
    }
    find(&app, id.0).await.map(Json)
}

/// Close an account
///
/// Nobody acts for it any more: its keys and members are refused. Its containers stay until they are deleted.
#[utoipa::path(
    tag = "accounts",
    params(("id" = Uuid, Path, description = "The account's id")),
    responses(
        (status = 204, description = "Closed"),
        (status = 404, description = "There is no such account", body = Problem, content_type = "application/problem+json"),
    )
)]
#[delete("/v1/accounts/{id}")]
pub(super) async fn close(app: Data<App>, asking: Asking, id: Id<AccountId>) -> Result<HttpResponse, Problem> {
    execute(&app, &asking, id.0, AccountCommand::Close).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Set an account's quota
///
/// All of it: what is absent is without limit from then on. What the account has beyond it stays.
#[utoipa::path(
    tag = "accounts",
    params(("id" = Uuid, Path, description = "The account's id")),
    request_body = QuotaView,
    responses(
        (status = 200, body = AccountView),
        (status = 404, description = "There is no such account", body = Problem, content_type = "application/problem+json"),
    )
)]
#[put("/v1/accounts/{id}/quota")]
pub(super) async fn set_quota(
    app: Data<App>,
    asking: Asking,
    id: Id<AccountId>,
    body: Body<QuotaView>,
) -> Result<Json<AccountView>, Problem> {
    let quota = body.fit(vec![])?;
    execute(&app, &asking, id.0, AccountCommand::SetQuota(quota.into())).await?;
    find(&app, id.0).await.map(Json)
}

pub(super) async fn find(app: &App, id: AccountId) -> Result<AccountView, Problem> {
    let row: Option<AccountRow> = views::get(app.log.db(), id).await.map_err(unread)?;
    with_usage(app, row.ok_or_else(|| Problem::new(Kind::NotFound))?).await
}

async fn with_usage(app: &App, row: AccountRow) -> Result<AccountView, Problem> {
    let used = quota::used(app.log.db(), row.id).await.map_err(unread)?;
    Ok(AccountView::of(row, used))
}

async fn execute(app: &App, asking: &Asking, id: AccountId, command: AccountCommand) -> Result<(), Problem> {
    let mut meta = asking.meta();
    meta.account = Some(id);
    match asking.execute_by::<Account>(app, id, command, &(), meta).await {
        Ok(_) => Ok(()),
        Err(ExecuteError::Rejected(AccountRejection::Unknown)) => Err(Problem::new(Kind::NotFound)),
        Err(ExecuteError::Rejected(AccountRejection::Invalid(errors))) => Err(Problem::new(Kind::Invalid).fields(
            errors.into_iter().map(|e| FieldProblem { field: e.field, problem: e.problem, fix: e.fix }).collect(),
        )),
        Err(ExecuteError::Rejected(no)) => Err(Problem::new(Kind::Conflict).detail(no.to_string())),
        Err(ExecuteError::Append(error)) if error.is_taken() => Err(Problem::new(Kind::Conflict)
            .detail("another account has this name")
            .fields(vec![wrong("name", "is another account's", "choose another name")])),
        Err(ExecuteError::Append(error)) => Err(not_appended(&error)),
        Err(ExecuteError::Log(error)) => Err(unread(error)),
    }
}
