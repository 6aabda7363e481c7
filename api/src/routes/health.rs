//! Probes: is this process alive, and is it of any use right now.

use std::time::Duration;

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;

/// What does not answer within this is not there.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// `ok`, or `unavailable`.
    status: String,
    checks: Vec<Check>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Check {
    #[schema(example = "database")]
    name: String,
    ok: bool,
}

/// Alive
///
/// The process answers. Restart it when it does not.
#[utoipa::path(tag = "about", security(()), responses((status = 200, description = "Alive", body = String, content_type = "text/plain")))]
#[get("/livez")]
pub(super) async fn livez() -> &'static str {
    "ok\n"
}

/// Ready
///
/// The database and the queue answer. Send no requests while they do not.
#[utoipa::path(
    tag = "about",
    security(()),
    responses((status = 200, description = "Ready", body = Health), (status = 503, description = "Not now", body = Health))
)]
#[get("/readyz")]
pub(super) async fn readyz(app: Data<App>) -> HttpResponse {
    let database = tokio::time::timeout(PATIENCE, app.log.db().ping());
    let coordination = tokio::time::timeout(PATIENCE, app.coordination.ping());
    let (database, coordination) = tokio::join!(database, coordination);
    // Reasons go to the log: whoever probes needs no token.
    let checks = [("database", told(database)), ("coordination", told(coordination))];
    let all = checks.iter().all(|(_, ok)| *ok);
    let checks = checks.into_iter().map(|(name, ok)| Check { name: name.to_owned(), ok }).collect();
    let mut answer = if all { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    answer.json(Health { status: if all { "ok" } else { "unavailable" }.to_owned(), checks })
}

fn told<E: std::fmt::Display>(answer: Result<Result<(), E>, tokio::time::error::Elapsed>) -> bool {
    match answer {
        Ok(Ok(())) => return true,
        Ok(Err(error)) => tracing::warn!(%error, "not ready"),
        Err(_) => tracing::warn!("not ready: no answer in time"),
    }
    false
}
