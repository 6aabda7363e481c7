//! One's second factor.

use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, delete, get, post};
use domain::{Actor, UserId};
use platform::people::second_factor::codes_left;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::id::Id;
use crate::access::{Caller, Origin};
use crate::app::App;
use crate::asking::Asking;
use crate::body::Body;
use crate::paging::wrong;
use crate::people::second_factor as factor;
use crate::problem::{Kind, Problem};
use crate::secret::Secret;
use crate::sign_in;
use crate::unread::unread;

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "enabled": true, "recovery_codes_left": 9 }))]
pub(super) struct SecondFactor {
    /// It is asked for at every sign-in.
    enabled: bool,
    recovery_codes_left: u64,
}

/// Your second factor
#[utoipa::path(
    tag = "session",
    responses(
        (status = 200, body = SecondFactor),
        (status = 409, description = "The token is no session's", body = Problem, content_type = "application/problem+json"),
    )
)]
#[get("/v1/me/totp")]
pub(super) async fn totp(app: Data<App>, caller: Caller) -> Result<Json<SecondFactor>, Problem> {
    let user = person(&caller)?;
    let enabled = factor::find(&app, user).await?.is_some_and(|factor| factor.confirmed);
    let left = codes_left(app.log.db(), user).await.map_err(unread)?;
    Ok(Json(SecondFactor { enabled, recovery_codes_left: left }))
}

#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "password": "…" }))]
pub(super) struct WithPassword {
    #[schema(value_type = String, format = Password, write_only)]
    password: Option<Secret>,
}

#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "uri": "otpauth://totp/Gantry:ann?secret=GEZD…&issuer=Gantry" }))]
pub(super) struct TotpOffer {
    /// For an app that can't read the address.
    secret: String,
    /// What apps read, also from a QR code that is made of it.
    uri: String,
}

/// Begin to use a second factor
///
/// The secret is told once. Nothing is asked for before you confirmed that your app has it.
#[utoipa::path(
    tag = "session",
    request_body = WithPassword,
    responses(
        (status = 201, description = "Confirm it with a code of your app", body = TotpOffer),
        (status = 409, description = "One is in force, or the token is no session's", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many wrong passwords", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/me/totp")]
pub(super) async fn begin_totp(
    app: Data<App>,
    asking: Asking,
    from: Origin,
    body: Body<WithPassword>,
) -> Result<HttpResponse, Problem> {
    let user = proven(&app, &asking, &from, body).await?;
    let offered = factor::offer(&app, asking.meta(), user).await?;
    Ok(HttpResponse::Created().json(TotpOffer { secret: offered.secret, uri: offered.uri }))
}

#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "code": "123456" }))]
pub(super) struct TotpCode {
    #[schema(value_type = String, write_only)]
    code: Option<Secret>,
}

#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "recovery_codes": ["ABCD-EFGH-IJKL-MNOP"] }))]
pub(super) struct RecoveryCodes {
    /// Each is good once, in place of a code, for who lost the app. Told once.
    recovery_codes: Vec<String>,
}

/// Confirm your second factor
///
/// With a code of your app. From now on signing in asks for one.
#[utoipa::path(
    tag = "session",
    request_body = TotpCode,
    responses(
        (status = 200, body = RecoveryCodes),
        (status = 409, description = "There is none to confirm, or the token is no session's", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/me/totp/confirm")]
pub(super) async fn confirm_totp(
    app: Data<App>,
    asking: Asking,
    body: Body<TotpCode>,
) -> Result<Json<RecoveryCodes>, Problem> {
    let missing = body.read().code.is_none().then(|| wrong("code", "is missing", "give the one that the app shows"));
    let code = body.fit(missing.into_iter().collect())?.code.unwrap_or_else(|| String::new().into());
    let user = person(&asking.caller)?;
    Ok(Json(RecoveryCodes { recovery_codes: factor::confirm(&app, asking.meta(), user, &code).await? }))
}

/// Stop using your second factor
#[utoipa::path(
    tag = "session",
    request_body = WithPassword,
    responses(
        (status = 204, description = "It is not asked for any more"),
        (status = 409, description = "There is none, or the token is no session's", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many wrong passwords", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/me/totp/disable")]
pub(super) async fn disable_totp(
    app: Data<App>,
    asking: Asking,
    from: Origin,
    body: Body<WithPassword>,
) -> Result<HttpResponse, Problem> {
    let user = proven(&app, &asking, &from, body).await?;
    factor::end(&app, asking.meta(), user).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Take a user's second factor away
///
/// For who lost it and the codes for that: they sign in with their password alone, until they begin anew.
#[utoipa::path(
    tag = "users",
    params(("id" = Uuid, Path, description = "The user's id")),
    responses(
        (status = 204, description = "It is not asked for any more"),
        (status = 409, description = "There is none", body = Problem, content_type = "application/problem+json"),
    )
)]
#[delete("/v1/users/{id}/totp")]
pub(super) async fn take_totp(app: Data<App>, asking: Asking, id: Id<UserId>) -> Result<HttpResponse, Problem> {
    factor::end(&app, asking.meta(), id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Who asks has the session; that it is not only found open is shown by the password.
async fn proven(app: &App, asking: &Asking, from: &Origin, body: Body<WithPassword>) -> Result<UserId, Problem> {
    let missing = body.read().password.is_none().then(|| wrong("password", "is missing", "give your password"));
    let password = body.fit(missing.into_iter().collect())?.password.unwrap_or_else(|| String::new().into());
    let user = person(&asking.caller)?;
    sign_in::proven(app, from, user, "password", &password).await?;
    Ok(user)
}

fn person(caller: &Caller) -> Result<UserId, Problem> {
    match caller.actor {
        Actor::User { id } => Ok(UserId::new(id)),
        _ => Err(Problem::new(Kind::NotPossible).detail("this token is a key and no session: sign in with a password")),
    }
}
