//! Asking the same of many containers.

use std::convert::Infallible;

use actix_web::web::{Bytes, Data, Json};
use actix_web::{HttpResponse, get, post};
use domain::BulkId;
use futures_util::Stream;

use super::id::Id;
use crate::access::Caller;
use crate::app::App;
use crate::asking::Asking;
use crate::body::Body;
use crate::bulk;
use crate::bulk_news::News;
use crate::problem::Problem;
use crate::shape::bulk::{AskBulk, BulkView};

/// Ask the same of many containers
///
/// Each becomes an operation of its own; one that can't be accepted is refused by itself and stops none of the others.
#[utoipa::path(
    tag = "bulk",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key with the same body gets the same answer, for a day")),
    request_body = AskBulk,
    responses(
        (status = 202, description = "All were asked; the summary tells of each", body = BulkView, headers(("Location" = String, description = "The summary"))),
        (status = 403, description = "You may not do this to containers", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Some fields are not allowed, or no container is meant", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/bulk")]
pub(super) async fn ask(app: Data<App>, asking: Asking, body: Body<AskBulk>) -> Result<HttpResponse, Problem> {
    let id = bulk::ask(&app, &asking, body).await?;
    let view = bulk::summary(&app, &asking.caller, id).await?;
    Ok(HttpResponse::Accepted().insert_header(("location", format!("/v1/bulk/{id}"))).json(view))
}

/// How all of them go
#[utoipa::path(
    tag = "bulk",
    params(Id<BulkId>),
    responses(
        (status = 200, body = BulkView),
    )
)]
#[get("/v1/bulk/{id}")]
pub(super) async fn summary(app: Data<App>, caller: Caller, id: Id<BulkId>) -> Result<Json<BulkView>, Problem> {
    bulk::summary(&app, &caller, id.0).await.map(Json)
}

/// Watch how all of them go
///
/// Server-sent events: `snapshot` with the summary, `progress` with the whole of it whenever it has changed, a
/// `heartbeat` every 15 seconds, and `complete` when all have ended. Who comes back begins with a new snapshot.
#[utoipa::path(
    tag = "bulk",
    params(Id<BulkId>),
    responses(
        (status = 200, description = "The stream", content_type = "text/event-stream", body = String),
    )
)]
#[get("/v1/bulk/{id}/events")]
pub(super) async fn bulk_events(app: Data<App>, caller: Caller, id: Id<BulkId>) -> Result<HttpResponse, Problem> {
    let news = News::of((**app).clone(), caller, id.0).await?;
    let first = news.view()?;
    Ok(HttpResponse::Ok()
        .insert_header(("content-type", "text/event-stream; charset=utf-8"))
        .insert_header(("cache-control", "no-cache, no-transform"))
        .insert_header(("x-accel-buffering", "no"))
        .insert_header(("content-encoding", "identity"))
        .streaming(watch(news, first)))
}

fn watch(mut news: News, first: BulkView) -> impl Stream<Item = Result<Bytes, Infallible>> {
    async_stream::stream! {
        yield Ok(frame("snapshot", &first));
        let mut last = first;
        while !last.ended {
            // The watcher comes back.
            let Ok(told) = news.next().await else { return };
            let Ok(now) = news.view() else { return };
            if now == last && !told {
                yield Ok(Bytes::from_static(b"event: heartbeat\ndata: {}\n\n"));
            }
            if now != last && !now.ended {
                yield Ok(frame("progress", &now));
            }
            last = now;
        }
        yield Ok(frame("complete", &last));
    }
}

fn frame(event: &str, view: &BulkView) -> Bytes {
    let data = serde_json::to_string(view).unwrap_or_default();
    format!("event: {event}\ndata: {data}\n\n").into()
}
