//! An operation as it goes: server-sent events.

use actix_web::web::Data;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, get};
use domain::OperationId;
use platform::sabotage::{Safeguard, is_off};
use platform::series::records;
use serde::Deserialize;
use utoipa::IntoParams;

use super::id::Id;
use crate::accept;
use crate::access::{Opened, while_allowed};
use crate::app::App;
use crate::paging::{Search, wrong};
use crate::problem::{Kind, Problem};
use crate::stream::{Begin, Hub, snapshot, watch};
use crate::unread::unread;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct After {
    /// The id of the last event that you have; as good as the header `Last-Event-ID`, which wins.
    #[param(minimum = 0)]
    after: Option<i64>,
}

/// Watch an operation
///
/// Server-sent events: first `snapshot`, then `progress` for every stored event after the one that you have, then as
/// they come, and `heartbeat` every 15 seconds. Each `progress` has an id; come back with the last one in
/// `Last-Event-ID` and nothing is missed or repeated. The stream ends after the operation's last event.
#[utoipa::path(
    tag = "operations",
    params(
        Id<OperationId>,
        After,
        ("Last-Event-ID" = Option<i64>, Header, description = "The id of the last event that you have"),
    ),
    responses(
        (status = 200, description = "The stream", content_type = "text/event-stream", body = String),
        (status = 204, description = "It has ended and you have all of it: do not come back"),
    )
)]
#[get("/v1/operations/{id}/events")]
pub(super) async fn events(
    app: Data<App>,
    hub: Data<Hub>,
    id: Id<OperationId>,
    query: Search<After>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let opened = request.extensions().get::<Opened>().cloned();
    let header = last_event_id(&request)?;
    let operation = accept::operation(&app, id.0).await?;
    let last = records::last(app.log.db(), &records::of_operation(id.0)).await.map_err(unread)?;
    let missed = i64::from(header.is_some() && is_off(Safeguard::GapFreeResume));
    let asked = header.or(query.0.after).unwrap_or(0) + missed;
    // A number from the future would leave its owner waiting for it.
    let after = asked.clamp(0, last);
    let ended = operation.has_ended() && after == last;
    if ended && header.is_some() {
        return Ok(HttpResponse::NoContent().finish());
    }
    let begin = Begin { snapshot: snapshot(&operation, last), after, ended };
    Ok(HttpResponse::Ok()
        .insert_header(("content-type", "text/event-stream; charset=utf-8"))
        .insert_header(("cache-control", "no-cache, no-transform"))
        .insert_header(("x-accel-buffering", "no"))
        // Says to the compression that there is nothing to do.
        .insert_header(("content-encoding", "identity"))
        .streaming(while_allowed((**app).clone(), opened, watch((**hub).clone(), id.0, begin))))
}

fn last_event_id(request: &HttpRequest) -> Result<Option<i64>, Problem> {
    let Some(value) = request.headers().get("last-event-id") else { return Ok(None) };
    let number = value.to_str().ok().and_then(|text| text.trim().parse().ok()).filter(|number| *number >= 0);
    number.map(Some).ok_or_else(|| {
        let error =
            wrong("header last-event-id", "is no number of ours", "give the id of the last event, or leave it out");
        Problem::new(Kind::Invalid).fields(vec![error])
    })
}
