//! Signing in by another provider.

use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::access::Origin;
use crate::app::App;
use crate::body::Body;
use crate::oidc as by_provider;
use crate::paging::wrong;
use crate::problem::Problem;
use crate::secret::Secret;
use crate::sign_in::Tokens;

#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "port": 49152 }))]
pub(super) struct BeginOidc {
    /// Where a program on your own machine waits for the provider's answer, at `http://127.0.0.1:PORT/`.
    #[schema(value_type = u16)]
    port: Option<u16>,
}

#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "url": "https://id.example.org/authorize?…", "state": "…" }))]
pub(super) struct OidcBegun {
    /// Where you say who you are.
    url: String,
    /// Comes back with the answer; an answer with another one is not yours.
    state: String,
}

/// Begin to sign in by another provider
#[utoipa::path(
    tag = "session",
    security(()),
    request_body = BeginOidc,
    responses(
        (status = 201, description = "Begun: it is good once, for ten minutes", body = OidcBegun),
        (status = 409, description = "Nobody signs in by another provider here", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The provider does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/session/oidc")]
pub(super) async fn begin_oidc(app: Data<App>, body: Body<BeginOidc>) -> Result<HttpResponse, Problem> {
    let missing = body.read().port.is_none().then(|| wrong("port", "is missing", "listen on a free port, and give it"));
    let port = body.fit(missing.into_iter().collect())?.port.unwrap_or_default();
    let begun = by_provider::begin(&app, port).await?;
    Ok(HttpResponse::Created().json(OidcBegun { url: begun.url, state: begun.state }))
}

#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "state": "…", "code": "…" }))]
pub(super) struct FinishOidc {
    #[schema(value_type = String, format = Password, write_only)]
    state: Option<Secret>,
    #[schema(value_type = String, format = Password, write_only)]
    code: Option<Secret>,
}

/// Sign in by another provider
///
/// With what the provider sent back. Whose login it is says the identity, or an address that the provider has seen to be
/// yours. A second factor is the provider's to ask for.
#[utoipa::path(
    tag = "session",
    security(()),
    request_body = FinishOidc,
    responses(
        (status = 201, description = "Signed in", body = Tokens),
        (status = 401, description = "It was finished already, or the provider's word is not believed", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "You have no login here", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Nobody signs in by another provider here", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The provider does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/session/oidc/finish")]
pub(super) async fn finish_oidc(app: Data<App>, from: Origin, body: Body<FinishOidc>) -> Result<HttpResponse, Problem> {
    let wish = body.fit(vec![])?;
    let [state, code] =
        [wish.state, wish.code].map(|text| text.map(|text| text.expose().to_owned()).unwrap_or_default());
    let tokens = by_provider::finish(&app, &from, &state.into(), &code.into()).await?;
    Ok(HttpResponse::Created().json(tokens))
}
