//! Who one is to the API.

use actix_web::get;
use actix_web::web::Json;
use domain::Permission;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::Caller;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Me {
    /// `bootstrap`, `user:…` or `key:…`, as the audit names you.
    #[schema(example = "user:01990000-0000-7000-8000-0000000000a1")]
    actor: String,
    /// For whom you act; none: the whole installation.
    account: Option<Uuid>,
    #[schema(example = json!(["containers:read"]))]
    permissions: Vec<String>,
    /// From where you came.
    address: Option<String>,
}

/// Who you are
///
/// As the token says, and what you may.
#[utoipa::path(tag = "about", responses((status = 200, body = Me)))]
#[get("/v1/me")]
pub(super) async fn me(caller: Caller) -> Json<Me> {
    let may = Permission::ALL.iter().filter(|permission| caller.permits(**permission));
    Json(Me {
        actor: caller.actor.to_string(),
        account: caller.account.map(|id| id.uuid()),
        permissions: may.map(ToString::to_string).collect(),
        address: caller.address,
    })
}
