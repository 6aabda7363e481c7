//! The first administrator of all.

use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::access::Origin;
use crate::app::App;
use crate::body::Body;
use crate::passwords;
use crate::people::newcomer::{self, Newcomer};
use crate::people::set_up as setting_up;
use crate::problem::Problem;
use crate::secret::Secret;
use crate::sign_in::Tokens;

#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "link": "…", "login": "ann@example.org", "name": "Ann", "password": "correct horse battery" }))]
pub(super) struct SetUp {
    /// What stands behind the `#` of the link that the first start printed.
    #[schema(value_type = String, format = Password, write_only)]
    link: Option<Secret>,
    /// An e-mail address, or a name.
    #[schema(value_type = String)]
    login: Option<String>,
    name: Option<String>,
    #[schema(value_type = String, format = Password, write_only, min_length = 10, max_length = 256)]
    password: Option<Secret>,
}

/// Become the first administrator
///
/// With the link that the first start printed. It is good for one use, for a day, and only while there is no user.
#[utoipa::path(
    tag = "session",
    security(()),
    request_body = SetUp,
    responses(
        (status = 201, description = "You are an administrator, and signed in", body = Tokens),
        (status = 404, description = "The link was used already or has expired", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Somebody has this login", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/setup")]
pub(super) async fn set_up(app: Data<App>, from: Origin, body: Body<SetUp>) -> Result<HttpResponse, Problem> {
    let login = newcomer::login(body.read().login.as_deref());
    let faults = [
        newcomer::login_fault("login", &login),
        newcomer::name_fault(body.read().name.as_deref()),
        passwords::faults("password", body.read().password.as_ref()),
    ];
    let wish = body.fit(faults.into_iter().flatten().collect())?;
    let [link, password] = [wish.link, wish.password].map(|secret| secret.unwrap_or_else(|| String::new().into()));
    let who = Newcomer { login, name: wish.name, ..Newcomer::default() };
    setting_up::first(&app, &from, &link, who, &password).await.map(|tokens| HttpResponse::Created().json(tokens))
}
