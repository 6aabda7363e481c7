//! The audit: who did what, when, from where, and why.

use actix_web::get;
use actix_web::web::{Bytes, Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use domain::Recorded;
use platform::views::audit::{AuditFilter, audit};
use platform::views::{MOST, Order};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::access::Caller;
use crate::app::App;
use crate::paging::{self, List, Search, wrong};
use crate::problem::{Kind, Problem};
use crate::unread::unread;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// How many at most, 1 to 500; 50 when left out.
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// By when they were done; `-`: the newest first, as when it is left out.
    #[param(schema_with = paging::by_creation)]
    sort: Option<String>,
    /// `user:ID`, `key:ID`, `bootstrap`.
    actor: Option<String>,
    /// An API key's id; as good as `actor=key:ID`.
    key: Option<Uuid>,
    address: Option<String>,
    /// Something with its id, `container-ID`, or all of a sort, `container`.
    resource: Option<String>,
    /// Kinds of events, with commas between: `operation.accepted,container.removed`.
    action: Option<String>,
    since: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
}

/// Something that was done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "position": 812, "at": "2026-01-01T12:00:00Z", "action": "operation.accepted",
    "resource": "operation-01990000-0000-7000-8000-0000000000a1", "actor": "user:01990000-0000-7000-8000-0000000000b2",
    "account": "01990000-0000-7000-8000-0000000000c3", "address": "192.0.2.7", "reason": "ticket 42",
    "request": "01990000-0000-7000-8000-0000000000d4", "data": {}
}))]
pub(super) struct AuditEntry {
    /// Its place in the log.
    position: i64,
    at: DateTime<Utc>,
    action: String,
    resource: String,
    actor: String,
    account: Option<Uuid>,
    address: Option<String>,
    /// The header `X-Reason` of the request.
    reason: Option<String>,
    request: Option<Uuid>,
    /// The operation that it belongs to.
    operation: Option<Uuid>,
    /// What was recorded of it. Never a secret: those are named by an id that opens nothing.
    data: Value,
}

/// Audit
///
/// Every event that somebody did or was refused, as the log has it: it outlives what it is about. `X-Reason` of a request is in it.
#[utoipa::path(tag = "audit", params(Asked), responses((status = 200, body = List<AuditEntry>)))]
#[get("/v1/audit")]
pub(super) async fn list(
    app: Data<App>,
    caller: Caller,
    query: Search<Asked>,
) -> Result<Json<List<AuditEntry>>, Problem> {
    let Search(query) = query;
    let limit = limit(&query)?;
    let (order, after) = (order(&query)?, after(&query)?);
    let mut found = audit(app.log.db(), &filter(&caller, query)?, after, order, limit + 1).await.map_err(unread)?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(|event| event.position.to_string());
    Ok(Json(List { items: found.into_iter().map(AuditEntry::from).collect(), next }))
}

fn limit(query: &Asked) -> Result<u32, Problem> {
    let limit = query.limit.unwrap_or(50);
    if (1..=MOST).contains(&limit) {
        return Ok(limit);
    }
    let error = wrong("limit", &format!("{limit} is out of range"), &format!("choose 1 to {MOST}"));
    Err(Problem::new(Kind::Invalid).fields(vec![error]))
}

/// Export the audit
///
/// All of what the filters leave, one JSON object in each line, oldest first.
#[utoipa::path(
    tag = "audit",
    params(Asked),
    responses((status = 200, description = "A line for each", content_type = "application/x-ndjson", body = String))
)]
#[get("/v1/audit/export")]
pub(super) async fn export(
    app: Data<App>,
    caller: Caller,
    query: Search<Asked>,
    _: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let Search(query) = query;
    // They are for pages; what is no number of rows, or no order, is refused here too.
    limit(&query)?;
    order(&query)?;
    let (mut at, filter) = (after(&query)?, filter(&caller, query)?);
    let lines = async_stream::stream! {
        loop {
            let page = match audit(app.log.db(), &filter, at, Order::Oldest, MOST).await {
                Ok(page) => page,
                Err(error) => {
                    tracing::error!(%error, "an export of the audit broke off");
                    yield Err(std::io::Error::other("the export broke off"));
                    return;
                }
            };
            let Some(last) = page.last() else { return };
            at = Some(last.position.0);
            let mut lines = Vec::new();
            for entry in page.into_iter().map(AuditEntry::from) {
                if serde_json::to_writer(&mut lines, &entry).is_ok() {
                    lines.push(b'\n');
                }
            }
            yield Ok(Bytes::from(lines));
        }
    };
    Ok(HttpResponse::Ok()
        .content_type("application/x-ndjson")
        .insert_header(("content-disposition", "attachment; filename=\"audit.ndjson\""))
        .streaming(lines))
}

fn order(query: &Asked) -> Result<Order, Problem> {
    let order = paging::order(query.sort.as_deref(), &[]);
    order.map_err(|error| Problem::new(Kind::Invalid).fields(vec![error]))
}

fn after(query: &Asked) -> Result<Option<i64>, Problem> {
    query.cursor.as_deref().map(str::parse).transpose().map_err(|_| {
        let error = wrong("cursor", "is not one that a page ended with", "begin without one");
        Problem::new(Kind::Invalid).fields(vec![error])
    })
}

fn filter(caller: &Caller, query: Asked) -> Result<AuditFilter, Problem> {
    let actor = query.key.map(|id| format!("key:{id}")).or(query.actor);
    let (stream, category) = match query.resource {
        Some(resource) if resource.contains('-') => (Some(resource), None),
        resource => (None, resource),
    };
    let kinds = query.action.iter().flat_map(|text| text.split(',')).map(|word| word.trim().to_owned());
    Ok(AuditFilter {
        account: caller.account,
        actor,
        address: query.address,
        stream,
        category,
        kinds: kinds.filter(|word| !word.is_empty()).collect(),
        since: query.since,
        until: query.until,
    })
}

impl From<Recorded> for AuditEntry {
    fn from(event: Recorded) -> Self {
        let Recorded { position, stream, kind, mut data, meta, recorded_at, .. } = event;
        if let Some(data) = data.as_object_mut() {
            // Of use to nobody but whoever compares keys.
            data.remove("hash");
        }
        Self {
            position: position.0,
            at: recorded_at,
            action: kind,
            resource: stream.to_string(),
            actor: meta.actor.to_string(),
            account: meta.account.map(|id| id.uuid()),
            address: meta.address,
            reason: meta.reason,
            request: meta.request.map(|id| id.uuid()),
            operation: meta.correlation,
            data,
        }
    }
}
