//! Who belongs to an account, and as what.

use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, delete, get, put};
use domain::membership::{MemberOf, Membership, MembershipCommand};
use domain::{AccountId, Actor, Role, UserId};
use platform::log::ExecuteError;
use platform::people::profiles;
use platform::views::{self, MemberFilter, MemberRow, UserRow};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::accounts;
use super::id::Id;
use crate::accept::not_appended;
use crate::app::App;
use crate::asking::Asking;
use crate::body::Body;
use crate::paging::{self, List, Paging, Search, wrong};
use crate::problem::{Kind, Problem};
use crate::shape::account::MemberView;
use crate::tag::Tagged;
use crate::unread::unread;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Members {
    /// How many at most, 1 to 500; 50 when left out.
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// By which field; `-` before it: the other way round. The newest come first when it is left out.
    #[param(schema_with = paging::sorts::<MemberRow>)]
    sort: Option<String>,
}

/// Members of an account
#[utoipa::path(
    tag = "accounts",
    params(("id" = Uuid, Path, description = "The account's id"), Members),
    responses(
        (status = 200, body = List<MemberView>),
        (status = 404, description = "There is no such account", body = Problem, content_type = "application/problem+json"),
    )
)]
#[get("/v1/accounts/{id}/members")]
pub(super) async fn members(
    app: Data<App>,
    id: Id<AccountId>,
    query: Search<Members>,
) -> Result<Json<List<MemberView>>, Problem> {
    accounts::find(&app, id.0).await?;
    let Search(query) = query;
    let page = Paging { limit: query.limit, cursor: query.cursor, sort: query.sort }.page::<MemberRow>()?;
    let filter = MemberFilter { account: Some(id.0), user: None };
    let found = views::page::<MemberRow>(app.log.db(), &filter, &page).await.map_err(unread)?;
    let mut items = Vec::new();
    for row in &found.items {
        items.push(MemberView::of(row, login(&app, row.user).await?));
    }
    Ok(Json(List { items, next: found.next.map(|cursor| cursor.to_string()) }))
}

/// A member of an account
#[utoipa::path(
    tag = "accounts",
    params(("id" = Uuid, Path, description = "The account's id"), ("user" = Uuid, Path, description = "The user's id")),
    responses(
        (status = 200, body = MemberView),
        (status = 404, description = "There is no such account or member", body = Problem, content_type = "application/problem+json"),
    )
)]
#[get("/v1/accounts/{id}/members/{user}")]
pub(super) async fn membership(
    app: Data<App>,
    id: Id<AccountId>,
    path: actix_web::web::Path<(String, String)>,
) -> Result<Tagged<MemberView>, Problem> {
    let member = member(id.0, &path.1)?;
    let version = app.log.load::<Membership>(member).await.map_err(unread)?.version;
    let row: Option<MemberRow> = views::get(app.log.db(), member).await.map_err(unread)?;
    let row = row.ok_or_else(|| Problem::new(Kind::NotFound))?;
    let login = login(&app, row.user).await?;
    Ok(Tagged::new(version, MemberView::of(&row, login.clone())).beside(&login))
}

#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "role": "operator" }))]
pub(super) struct Granting {
    /// `viewer`, `member`, `operator` or `admin`.
    #[schema(value_type = String)]
    role: Option<Role>,
}

/// Give somebody a role in an account
///
/// Whoever has another role there already has this one instead.
#[utoipa::path(
    tag = "accounts",
    params(("id" = Uuid, Path, description = "The account's id"), ("user" = Uuid, Path, description = "The user's id")),
    request_body = Granting,
    responses(
        (status = 200, body = MemberView),
        (status = 404, description = "There is no such account or user", body = Problem, content_type = "application/problem+json"),
    )
)]
#[put("/v1/accounts/{id}/members/{user}")]
pub(super) async fn grant(
    app: Data<App>,
    asking: Asking,
    id: Id<AccountId>,
    path: actix_web::web::Path<(String, String)>,
    body: Body<Granting>,
) -> Result<Json<MemberView>, Problem> {
    let missing = body.read().role.is_none();
    let missing = missing.then(|| wrong("role", "is missing", "give viewer, member, operator or admin"));
    let role = body.fit(missing.into_iter().collect())?.role.unwrap_or(Role::Viewer);
    accounts::find(&app, id.0).await?;
    let member = member(id.0, &path.1)?;
    let user: Option<UserRow> = views::get(app.log.db(), member.user).await.map_err(unread)?;
    user.ok_or_else(|| Problem::new(Kind::NotFound).detail("there is no such user"))?;
    let there = app.log.load::<Membership>(member).await.map_err(unread)?;
    asking.hold_if_there(there.state.role().map(|_| there.version))?;
    change(&app, &asking, member, MembershipCommand::Grant(role)).await?;
    let login = login(&app, member.user).await?;
    let row = MemberRow { account: member.account, user: member.user, role, since: app.log.clock().now() };
    Ok(Json(MemberView::of(&row, login)))
}

/// Take somebody out of an account
#[utoipa::path(
    tag = "accounts",
    params(("id" = Uuid, Path, description = "The account's id"), ("user" = Uuid, Path, description = "The user's id")),
    responses(
        (status = 204, description = "They belong to it no more"),
        (status = 404, description = "There is no such account or member", body = Problem, content_type = "application/problem+json"),
    )
)]
#[delete("/v1/accounts/{id}/members/{user}")]
pub(super) async fn revoke(
    app: Data<App>,
    asking: Asking,
    id: Id<AccountId>,
    path: actix_web::web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    change(&app, &asking, member(id.0, &path.1)?, MembershipCommand::Revoke).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Leave an account
///
/// You belong to it no more, at once.
#[utoipa::path(
    tag = "accounts",
    params(("id" = Uuid, Path, description = "The account's id")),
    responses(
        (status = 204, description = "You belong to it no more"),
        (status = 404, description = "You do not belong to such an account", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The token is a key's", body = Problem, content_type = "application/problem+json"),
    )
)]
#[delete("/v1/me/accounts/{id}")]
pub(super) async fn leave(app: Data<App>, asking: Asking, id: Id<AccountId>) -> Result<HttpResponse, Problem> {
    let Actor::User { id: user } = asking.caller.actor else {
        return Err(Problem::new(Kind::NotPossible).detail("this token is a key and belongs to its account for good"));
    };
    let member = MemberOf { account: id.0, user: UserId::new(user) };
    change(&app, &asking, member, MembershipCommand::Revoke).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn member(account: AccountId, user: &str) -> Result<MemberOf, Problem> {
    let user = user.parse().map_err(|_| Problem::new(Kind::NotFound))?;
    Ok(MemberOf { account, user })
}

pub(super) async fn login(app: &App, user: UserId) -> Result<Option<String>, Problem> {
    let person = profiles::by_id(app.log.db(), user).await.map_err(unread)?;
    Ok(person.map(|person| person.login))
}

async fn change(app: &App, asking: &Asking, member: MemberOf, command: MembershipCommand) -> Result<(), Problem> {
    let mut meta = asking.meta();
    meta.account = Some(member.account);
    match asking.execute_by::<Membership>(app, member, command, &(), meta).await {
        Ok(_) => Ok(()),
        Err(ExecuteError::Rejected(no)) => Err(Problem::new(Kind::NotFound).detail(no.to_string())),
        Err(ExecuteError::Append(error)) => Err(not_appended(&error)),
        Err(ExecuteError::Log(error)) => Err(unread(error)),
    }
}
