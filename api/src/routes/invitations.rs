//! Asking people in.

use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, delete, get, post};
use chrono::{DateTime, Utc};
use domain::invitation::Seat;
use domain::{InvitationId, Role};
use platform::people::invitations::{self, Invited};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::id::Id;
use crate::access::{Caller, Origin};
use crate::app::App;
use crate::asking::Asking;
use crate::body::Body;
use crate::paging::{List, wrong};
use crate::people::{invite as inviting, newcomer};
use crate::problem::Problem;
use crate::secret::Secret;
use crate::sign_in::{Attempt, Tokens};
use crate::unread::unread;

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01990000-0000-7000-8000-0000000000a1", "email": "bob@example.org",
    "account": "01990000-0000-7000-8000-0000000000b1", "role": "member",
    "until": "2026-01-08T00:00:00Z", "created_at": "2026-01-01T00:00:00Z"
}))]
pub(super) struct InvitationView {
    id: Uuid,
    email: String,
    /// None: to become a user, and nothing in any account yet.
    account: Option<Uuid>,
    role: Option<String>,
    until: DateTime<Utc>,
    created_at: DateTime<Utc>,
    /// What opens it; only in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

impl From<Invited> for InvitationView {
    fn from(one: Invited) -> Self {
        Self {
            id: one.id.uuid(),
            email: one.email,
            account: one.seat.map(|seat| seat.account.uuid()),
            role: one.seat.map(|seat| seat.role.to_string()),
            until: one.until,
            created_at: one.created_at,
            link: None,
        }
    }
}

#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "email": "bob@example.org", "role": "member" }))]
pub(super) struct Invite {
    #[schema(value_type = String)]
    email: Option<String>,
    /// `viewer`, `member`, `operator` or `admin`; `member` when left out.
    #[schema(value_type = Option<String>)]
    role: Option<Role>,
}

/// Ask somebody in
///
/// Into your account, for which see `X-Account`; an administrator of the installation who names none lets them become a
/// user. The link goes to them by mail, where that is set up, and is in this answer, once. It is good for one use, a week.
#[utoipa::path(
    tag = "invitations",
    request_body = Invite,
    responses((status = 201, description = "Asked in", body = InvitationView)),
)]
#[post("/v1/invitations")]
pub(super) async fn invite(
    app: Data<App>,
    caller: Caller,
    asking: Asking,
    body: Body<Invite>,
) -> Result<HttpResponse, Problem> {
    let email = newcomer::login(body.read().email.as_deref());
    let wish = body.fit(newcomer::email_fault("email", &email).into_iter().collect())?;
    inviting::allowed(&app, &caller)?;
    let seat = caller.account.map(|account| Seat { account, role: wish.role.unwrap_or(Role::Member) });
    let (invited, link) = inviting::offer(&app, &asking, email, seat).await?;
    Ok(HttpResponse::Created().json(InvitationView { link: Some(link.expose().to_owned()), ..invited.into() }))
}

/// Who was asked in and has not answered yet
///
/// The newest first, at most 500.
#[utoipa::path(tag = "invitations", responses((status = 200, body = List<InvitationView>)))]
#[get("/v1/invitations")]
pub(super) async fn list(app: Data<App>, caller: Caller) -> Result<Json<List<InvitationView>>, Problem> {
    let now = app.log.clock().now();
    let open = invitations::open(app.log.db(), caller.account, now).await.map_err(unread)?;
    Ok(Json(List { items: open.into_iter().map(Into::into).collect(), next: None }))
}

/// Withdraw an invitation
#[utoipa::path(
    tag = "invitations",
    params(("id" = Uuid, Path, description = "The invitation's id")),
    responses(
        (status = 204, description = "Withdrawn"),
        (status = 404, description = "There is no such invitation, or it was answered", body = Problem, content_type = "application/problem+json"),
    )
)]
#[delete("/v1/invitations/{id}")]
pub(super) async fn withdraw(app: Data<App>, asking: Asking, id: Id<InvitationId>) -> Result<HttpResponse, Problem> {
    inviting::withdraw(&app, &asking, id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "invitation": "…", "name": "Bob", "password": "correct horse battery" }))]
pub(super) struct Acceptance {
    /// What stands behind the `#` of the link.
    #[schema(value_type = String, format = Password, write_only)]
    invitation: Option<Secret>,
    /// How you want to be called.
    name: Option<String>,
    /// The one to have from now on; who has a login here already gives the one of that.
    #[schema(value_type = String, format = Password, write_only, min_length = 10, max_length = 256)]
    password: Option<Secret>,
    /// Who has a login and a second factor: the code that the app shows.
    #[schema(value_type = Option<String>, write_only)]
    code: Option<Secret>,
}

/// Accept an invitation
#[utoipa::path(
    tag = "invitations",
    security(()),
    request_body = Acceptance,
    responses(
        (status = 201, description = "Accepted, and signed in", body = Tokens),
        (status = 401, description = "You have a login, and this is not its password", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "The invitation was answered already or has expired", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Somebody has this login", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many wrong passwords", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/invitations/accept")]
pub(super) async fn accept(app: Data<App>, from: Origin, body: Body<Acceptance>) -> Result<HttpResponse, Problem> {
    let missing = body.read().password.is_none().then(|| wrong("password", "is missing", "give it"));
    let faults = missing.into_iter().chain(newcomer::name_fault(body.read().name.as_deref()));
    let wish = body.fit(faults.collect())?;
    let [link, password] =
        [wish.invitation, wish.password].map(|secret| secret.unwrap_or_else(|| String::new().into()));
    let attempt = Attempt { login: String::new(), password, code: wish.code };
    let tokens = inviting::accept(&app, &from, &link, wish.name, attempt).await?;
    Ok(HttpResponse::Created().json(tokens))
}
