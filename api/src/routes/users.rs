//! Users: the people who sign in.

use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, delete, get, patch, post};
use chrono::TimeDelta;
use domain::user::{User, UserCommand, UserRejection};
use domain::{Aggregate as _, UserId};
use platform::log::{Append, ExecuteError};
use platform::people::profiles::Change;
use platform::people::{identities, second_factor, sessions, token};
use platform::views::{self, UserFilter, UserRow};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::id::Id;
use super::members::login;
use crate::accept::not_appended;
use crate::app::App;
use crate::asking::Asking;
use crate::body::Body;
use crate::paging::{self, List, Paging, Search};
use crate::people::newcomer::{self, Newcomer};
use crate::problem::{Kind, Problem};
use crate::shape::account::UserView;
use crate::tag::Tagged;
use crate::unread::unread;

/// A link that sets a password is good for so long.
const LINK_DAYS: i64 = 7;

#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "login": "ann@example.org" }))]
pub(super) struct CreateUser {
    /// A name or an e-mail address, without spaces.
    #[schema(value_type = String)]
    login: Option<String>,
    /// Administrator of the whole installation.
    #[serde(default)]
    admin: bool,
}

/// Create a user
///
/// There is no password yet: the answer has a link under which they set one, once, within a week.
#[utoipa::path(
    tag = "users",
    request_body = CreateUser,
    responses(
        (status = 201, description = "Created", body = UserView, headers(("Location" = String, description = "The user"))),
        (status = 409, description = "Somebody has this login", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/users")]
pub(super) async fn create(app: Data<App>, asking: Asking, body: Body<CreateUser>) -> Result<HttpResponse, Problem> {
    let login = newcomer::login(body.read().login.as_deref());
    let wish = body.fit(newcomer::login_fault("login", &login).into_iter().collect())?;
    let (id, now) = (UserId::new(Uuid::now_v7()), app.log.clock().now());
    let link = token::random::<32>();
    let until = now + TimeDelta::days(LINK_DAYS);
    let append = Newcomer { login, admin: wish.admin, ..Newcomer::default() }
        .append(id, asking.meta(), now)?
        .with(Change::AddLink { hash: token::hash(&link), id, until }.rows());
    app.log.append(append).await.map_err(|error| newcomer::refused(&error))?;
    let user = UserView { password_link: Some(link), ..find(&app, id).await? };
    Ok(HttpResponse::Created().insert_header(("location", format!("/v1/users/{id}"))).json(user))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Users {
    /// How many at most, 1 to 500; 50 when left out.
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// By which field; `-` before it: the other way round. The newest come first when it is left out.
    #[param(schema_with = paging::sorts::<UserRow>)]
    sort: Option<String>,
    /// Only administrators of the installation, or only the others.
    admin: Option<bool>,
}

/// Users
#[utoipa::path(tag = "users", params(Users), responses((status = 200, body = List<UserView>)))]
#[get("/v1/users")]
pub(super) async fn list(app: Data<App>, query: Search<Users>) -> Result<Json<List<UserView>>, Problem> {
    let Search(query) = query;
    let page = Paging { limit: query.limit, cursor: query.cursor, sort: query.sort }.page::<UserRow>()?;
    let filter = UserFilter { id: None, admin: query.admin };
    let found = views::page::<UserRow>(app.log.db(), &filter, &page).await.map_err(unread)?;
    let mut items = Vec::new();
    for row in &found.items {
        items.push(UserView::of(row, login(&app, row.id).await?));
    }
    Ok(Json(List { items, next: found.next.map(|cursor| cursor.to_string()) }))
}

/// A user
#[utoipa::path(
    tag = "users",
    params(("id" = Uuid, Path, description = "The user's id")),
    responses(
        (status = 200, body = UserView),
        (status = 404, description = "There is no such user", body = Problem, content_type = "application/problem+json"),
    )
)]
#[get("/v1/users/{id}")]
pub(super) async fn detail(app: Data<App>, id: Id<UserId>) -> Result<Tagged<UserView>, Problem> {
    let row: Option<UserRow> = views::get(app.log.db(), id.0).await.map_err(unread)?;
    let row = row.ok_or_else(|| Problem::new(Kind::NotFound))?;
    let login = login(&app, id.0).await?;
    Ok(Tagged::new(row.version, UserView::of(&row, login.clone())).beside(&login))
}

#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "disabled": true }))]
pub(super) struct ChangeUser {
    admin: Option<bool>,
    /// A disabled user's sessions end at once.
    disabled: Option<bool>,
}

/// Change a user
#[utoipa::path(
    tag = "users",
    params(("id" = Uuid, Path, description = "The user's id")),
    request_body = ChangeUser,
    responses(
        (status = 200, body = UserView),
        (status = 404, description = "There is no such user", body = Problem, content_type = "application/problem+json"),
    )
)]
#[patch("/v1/users/{id}")]
pub(super) async fn change(
    app: Data<App>,
    asking: Asking,
    id: Id<UserId>,
    body: Body<ChangeUser>,
) -> Result<Json<UserView>, Problem> {
    let (wish, mut asking) = (body.fit(vec![])?, asking);
    if let Some(admin) = wish.admin {
        execute(&app, &asking, id.0, UserCommand::SetAdmin(admin)).await?;
        // From here on it is no longer what was seen, by our own doing.
        asking = asking.without_key();
    }
    if let Some(disabled) = wish.disabled {
        execute(&app, &asking, id.0, UserCommand::SetEnabled(!disabled)).await?;
        if disabled {
            sessions::end_all(app.log.db(), id.0).await.map_err(unread)?;
        }
    }
    find(&app, id.0).await.map(Json)
}

/// Make a link that sets a password
///
/// For who forgot theirs. Good for one use, within a week; the old password is good until then.
#[utoipa::path(
    tag = "users",
    params(("id" = Uuid, Path, description = "The user's id")),
    responses(
        (status = 200, description = "With the link", body = UserView),
        (status = 404, description = "There is no such user", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/users/{id}/password-link")]
pub(super) async fn offer_link(app: Data<App>, asking: Asking, id: Id<UserId>) -> Result<Json<UserView>, Problem> {
    let user = find(&app, id.0).await?;
    let (link, now) = (token::random::<32>(), app.log.clock().now());
    let until = now + TimeDelta::days(LINK_DAYS);
    let loaded = app.log.load::<User>(id.0).await.map_err(unread)?;
    let events = loaded.state.decide(UserCommand::OfferLink, &()).map_err(refused)?;
    asking.hold(loaded.version)?;
    let events = events.iter().map(domain::Event::encode).collect::<Result<_, _>>().map_err(Problem::internal)?;
    let append = Append::new(asking.meta())
        .stream(User::stream(id.0), loaded.expected(), events)
        .with(Change::DropLinks { id: id.0, now }.rows())
        .with(Change::AddLink { hash: token::hash(&link), id: id.0, until }.rows());
    app.log.append(append).await.map_err(|error| not_appended(&error))?;
    Ok(Json(UserView { password_link: Some(link), ..user }))
}

/// Forget a user
///
/// What names them is deleted, their sessions end. What they did stays in the audit, under an id that leads to nobody.
#[utoipa::path(
    tag = "users",
    params(("id" = Uuid, Path, description = "The user's id")),
    responses(
        (status = 204, description = "Forgotten"),
        (status = 404, description = "There is no such user", body = Problem, content_type = "application/problem+json"),
    )
)]
#[delete("/v1/users/{id}")]
pub(super) async fn forget(app: Data<App>, asking: Asking, id: Id<UserId>) -> Result<HttpResponse, Problem> {
    let loaded = app.log.load::<User>(id.0).await.map_err(unread)?;
    let events = loaded.state.decide(UserCommand::Forget, &()).map_err(refused)?;
    asking.hold(loaded.version)?;
    let events = events.iter().map(domain::Event::encode).collect::<Result<_, _>>().map_err(Problem::internal)?;
    let append = Append::new(asking.meta())
        .stream(User::stream(id.0), loaded.expected(), events)
        .with(Change::Forget { id: id.0 }.rows())
        .with(second_factor::Change::End { user: id.0 }.rows())
        .with(identities::Change::Forget { user: id.0 }.rows())
        .with(Change::DropLinks { id: id.0, now: app.log.clock().now() }.rows());
    app.log.append(append).await.map_err(|error| not_appended(&error))?;
    sessions::end_all(app.log.db(), id.0).await.map_err(unread)?;
    Ok(HttpResponse::NoContent().finish())
}

async fn find(app: &App, id: UserId) -> Result<UserView, Problem> {
    let row: Option<UserRow> = views::get(app.log.db(), id).await.map_err(unread)?;
    let row = row.ok_or_else(|| Problem::new(Kind::NotFound))?;
    Ok(UserView::of(&row, login(app, id).await?))
}

async fn execute(app: &App, asking: &Asking, id: UserId, command: UserCommand) -> Result<(), Problem> {
    match asking.execute::<User>(app, id, command, &()).await {
        Ok(_) => Ok(()),
        Err(ExecuteError::Rejected(no)) => Err(refused(no)),
        Err(ExecuteError::Append(error)) => Err(not_appended(&error)),
        Err(ExecuteError::Log(error)) => Err(unread(error)),
    }
}

fn refused(no: UserRejection) -> Problem {
    match no {
        UserRejection::Unknown => Problem::new(Kind::NotFound),
        no => Problem::new(Kind::NotPossible).detail(no.to_string()),
    }
}
