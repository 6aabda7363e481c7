//! Guests that bear our marker and no container has, and containers whose guest is gone.

use actix_web::web::{Data, Json, Path};
use actix_web::{get, post};
use domain::OperationId;
use domain::operation::Command;
use domain::orphan::Why;
use platform::views::{self, DriftFilter, DriftRow, MOST, OrphanFilter, OrphanRow, Page};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::asked::{Accepted, Asked};
use super::drift::named;
use crate::accept::{Accepting, Refusal, busy};
use crate::app::App;
use crate::paging::{Paging, Search};
use crate::problem::{Kind, Problem};
use crate::shape::drift::Orphans;
use crate::unread::unread;

/// Orphans
///
/// Guests with our marker that no container has, and containers whose guest is gone. They are told of, and stay until
/// somebody removes them.
#[utoipa::path(tag = "orphans", params(Paging), responses((status = 200, body = Orphans)))]
#[get("/v1/orphans")]
pub(super) async fn orphans(app: Data<App>, query: Search<Paging>) -> Result<Json<Orphans>, Problem> {
    let page = query.0.page::<OrphanRow>()?;
    let found = views::page::<OrphanRow>(app.log.db(), &OrphanFilter::default(), &page).await.map_err(unread)?;
    let lost = match page.after {
        Some(_) => Vec::new(),
        None => {
            let filter = DriftFilter { missing: Some(true), ..DriftFilter::default() };
            let all = Page { limit: MOST, ..Page::default() };
            views::page::<DriftRow>(app.log.db(), &filter, &all).await.map_err(unread)?.items
        }
    };
    Ok(Json(Orphans {
        items: found.items.into_iter().map(Into::into).collect(),
        containers: named(&app, lost).await?,
        next: found.next.map(|cursor| cursor.to_string()),
    }))
}

/// Remove an orphan
///
/// Destroys the guest, after looking once more that it bears the marker and that no container has it. One whose
/// container was never known here is left alone: it may be another Gantry's.
#[utoipa::path(
    tag = "orphans",
    params(
        ("id" = String, Path, description = "The host's id and the VMID", example = "01990000-0000-7000-8000-0000000000a1:105"),
        Asked,
    ),
    responses(Accepted)
)]
#[post("/v1/orphans/{id}/remove")]
pub(super) async fn remove(asked: Asked, id: Path<String>) -> Result<Accepted, Problem> {
    let id = id.into_inner();
    let row: Option<OrphanRow> = views::get(asked.app.log.db(), &id).await.map_err(unread)?;
    let OrphanRow { host, vmid, stray, .. } = row.ok_or_else(|| Problem::new(Kind::NotFound))?;
    if stray.why == Why::Unknown {
        let why = format!("{}; adopt it, or remove it on Proxmox", stray.why.words());
        return Err(Problem::new(Kind::NotPossible).detail(why));
    }
    let container = stray.container;
    let command = Command::RemoveOrphan { container, host, node: stray.node, vmid };
    let digest: [u8; 32] = Sha256::digest(serde_json::to_vec(&command).map_err(Problem::internal)?).into();
    let operation = OperationId::new(Uuid::now_v7());
    let accepting = Accepting::begin(&asked.app, &asked.asking, operation, command, Some(host)).await?;
    let taken = match accepting.finish(&asked.app, &asked.asking, &digest, json!({ "container": container })).await {
        Ok(taken) => taken,
        Err(Refusal::Append(error)) if error.is_taken() => return Err(busy(&asked.app, container).await),
        Err(other) => return Err(other.into()),
    };
    asked.answer(taken, Value::Null).await
}
