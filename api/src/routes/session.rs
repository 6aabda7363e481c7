//! Signing in and out, and one's password.

use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, delete, post, put};
use domain::Actor;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::access::{Caller, Origin};
use crate::app::App;
use crate::body::Body;
use crate::paging::{Search, wrong};
use crate::passwords;
use crate::problem::{Kind, Problem};
use crate::secret::Secret;
use crate::sign_in::{self as signing, Attempt, Tokens};

#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "login": "ann@example.org", "password": "…" }))]
pub(super) struct SignIn {
    #[schema(value_type = String)]
    login: Option<String>,
    #[schema(value_type = String, format = Password, write_only)]
    password: Option<Secret>,
    /// Who has a second factor: the code that the app shows, or a recovery code.
    #[schema(value_type = Option<String>, write_only)]
    code: Option<Secret>,
}

/// Sign in
///
/// Wrong passwords are counted by address and by login; too many are answered with 429 for a while.
#[utoipa::path(
    tag = "session",
    security(()),
    request_body = SignIn,
    responses(
        (status = 201, description = "Signed in", body = Tokens),
        (status = 401, description = "Login and password do not fit together, or a code is needed", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many wrong passwords", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/session")]
pub(super) async fn sign_in(app: Data<App>, from: Origin, body: Body<SignIn>) -> Result<HttpResponse, Problem> {
    let (login, password) = (body.read().login.is_none(), body.read().password.is_none());
    let missing = [("login", login), ("password", password)].into_iter().filter(|(_, missing)| *missing);
    let wish = body.fit(missing.map(|(field, _)| wrong(field, "is missing", "give it")).collect())?;
    let password = wish.password.unwrap_or_else(|| String::new().into());
    let attempt = Attempt { login: wish.login.unwrap_or_default(), password, code: wish.code };
    let tokens = signing::with_password(&app, &from, &attempt).await?;
    Ok(HttpResponse::Created().json(tokens))
}

#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "refresh_token": "gantry_refresh_…" }))]
pub(super) struct Refresh {
    #[schema(value_type = String, format = Password, write_only)]
    refresh_token: Option<Secret>,
}

/// Get new tokens
///
/// A refresh token is good for one use. One that comes a second time ends the session: one of the two who had it stole it.
#[utoipa::path(
    tag = "session",
    security(()),
    request_body = Refresh,
    responses(
        (status = 200, body = Tokens),
        (status = 401, description = "The session has ended", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/session/refresh")]
pub(super) async fn refresh(app: Data<App>, from: Origin, body: Body<Refresh>) -> Result<Json<Tokens>, Problem> {
    let missing = body.read().refresh_token.is_none().then(|| wrong("refresh_token", "is missing", "give it"));
    let wish = body.fit(missing.into_iter().collect())?;
    let token = wish.refresh_token.unwrap_or_else(|| String::new().into());
    signing::refreshed(&app, &from, &token).await.map(Json)
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SigningOut {
    /// All of your sessions, not only this one.
    #[serde(default)]
    everywhere: bool,
}

/// Sign out
#[utoipa::path(
    tag = "session",
    params(SigningOut),
    responses(
        (status = 204, description = "Signed out"),
        (status = 409, description = "The token is no session's", body = Problem, content_type = "application/problem+json"),
    )
)]
#[delete("/v1/session")]
pub(super) async fn sign_out(
    app: Data<App>,
    caller: Caller,
    from: Origin,
    query: Search<SigningOut>,
) -> Result<HttpResponse, Problem> {
    let session = caller.session.as_ref().ok_or_else(not_a_person)?;
    signing::out(&app, &from, session, query.0.everywhere).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "old": "…", "new": "correct horse battery" }))]
pub(super) struct ChangePassword {
    #[schema(value_type = String, format = Password, write_only)]
    old: Option<Secret>,
    #[schema(value_type = String, format = Password, write_only, min_length = 10, max_length = 256)]
    new: Option<Secret>,
}

/// Change your password
///
/// All of your sessions end; the answer begins a new one.
#[utoipa::path(
    tag = "session",
    request_body = ChangePassword,
    responses(
        (status = 200, body = Tokens),
        (status = 409, description = "The token is no session's", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many wrong passwords", body = Problem, content_type = "application/problem+json"),
    )
)]
#[put("/v1/me/password")]
pub(super) async fn change(
    app: Data<App>,
    caller: Caller,
    from: Origin,
    body: Body<ChangePassword>,
) -> Result<Json<Tokens>, Problem> {
    let faults = passwords::faults("new", body.read().new.as_ref());
    let wish = body.fit(faults.into_iter().collect())?;
    let Actor::User { id } = caller.actor else { return Err(not_a_person()) };
    let [old, new] = [wish.old, wish.new].map(|secret| secret.unwrap_or_else(|| String::new().into()));
    signing::changed(&app, &from, domain::UserId::new(id), &old, &new).await.map(Json)
}

#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "link": "…", "password": "correct horse battery" }))]
pub(super) struct SetPassword {
    /// The `password_link` that an administrator gave you.
    #[schema(value_type = String, format = Password, write_only)]
    link: Option<Secret>,
    #[schema(value_type = String, format = Password, write_only, min_length = 10, max_length = 256)]
    password: Option<Secret>,
    /// Who has a second factor: the code that the app shows, or a recovery code.
    #[schema(value_type = Option<String>, write_only)]
    code: Option<Secret>,
}

/// Set a password
///
/// With the link that an administrator gave you; it is good for one use.
#[utoipa::path(
    tag = "session",
    security(()),
    request_body = SetPassword,
    responses(
        (status = 200, description = "Set, and signed in", body = Tokens),
        (status = 401, description = "A code is needed", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "The link was used already or has expired", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many wrong codes", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/password")]
pub(super) async fn set(app: Data<App>, from: Origin, body: Body<SetPassword>) -> Result<Json<Tokens>, Problem> {
    let faults = passwords::faults("password", body.read().password.as_ref());
    let wish = body.fit(faults.into_iter().collect())?;
    let [link, new] = [wish.link, wish.password].map(|secret| secret.unwrap_or_else(|| String::new().into()));
    signing::by_link(&app, &from, &link, &new, wish.code.as_ref()).await.map(Json)
}

fn not_a_person() -> Problem {
    Problem::new(Kind::NotPossible).detail("this token is a key and no session: sign in with a password")
}
