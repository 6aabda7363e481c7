//! What is answered by letter: asking for a login, and for a new password.

use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::access::Origin;
use crate::app::App;
use crate::body::Body;
use crate::people::{newcomer, registering, reset};
use crate::problem::Problem;

#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "email": "ann@example.org" }))]
pub(super) struct AskedFrom {
    #[schema(value_type = String)]
    email: Option<String>,
}

impl AskedFrom {
    fn email(body: Body<Self>) -> Result<String, Problem> {
        let email = newcomer::login(body.read().email.as_deref());
        body.fit(newcomer::email_fault("email", &email).into_iter().collect())?;
        Ok(email)
    }
}

/// Ask for a login
///
/// Where registration is open. The answer is the same for everybody: a letter tells how to go on.
#[utoipa::path(
    tag = "session",
    security(()),
    request_body = AskedFrom,
    responses(
        (status = 202, description = "A letter is on its way, if one is to be written"),
        (status = 403, description = "Not everybody may register here", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "No e-mail is sent here", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many letters were asked for", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/registrations")]
pub(super) async fn register(app: Data<App>, from: Origin, body: Body<AskedFrom>) -> Result<HttpResponse, Problem> {
    registering::ask(&app, &from, AskedFrom::email(body)?).await?;
    Ok(HttpResponse::Accepted().finish())
}

/// Ask for a new password
///
/// The answer is the same for everybody. Who has a login with this address gets a letter with a link that is good for one
/// use, for an hour; all of their sessions end when they use it.
#[utoipa::path(
    tag = "session",
    security(()),
    request_body = AskedFrom,
    responses(
        (status = 202, description = "A letter is on its way, if one is to be written"),
        (status = 409, description = "No e-mail is sent here", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many letters were asked for", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/password/reset")]
pub(super) async fn reset_password(
    app: Data<App>,
    from: Origin,
    body: Body<AskedFrom>,
) -> Result<HttpResponse, Problem> {
    reset::ask(&app, &from, AskedFrom::email(body)?).await?;
    Ok(HttpResponse::Accepted().finish())
}
