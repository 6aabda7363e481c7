//! How containers differ from their records: seen, accepted, put back.

use actix_web::web::{Data, Json};
use actix_web::{get, post};
use domain::ContainerId;
use domain::drift::Drift;
use domain::operation::Command;
use platform::views::{self, DriftFilter, DriftRow};
use serde_json::Value;

use super::asked::{Accepted, Asked};
use super::id::Id;
use crate::access::Caller;
use crate::act::{self, For};
use crate::app::App;
use crate::asking::Asking;
use crate::guests::{self, Looked};
use crate::paging::{List, Paging, Search};
use crate::problem::{Kind, Problem};
use crate::shape::container::ContainerView;
use crate::shape::drift::DriftView;
use crate::unread::{unknown, unread};

/// Containers that differ from their records
///
/// Found by a sweep now and again; what an operation is at work on is not compared meanwhile.
#[utoipa::path(tag = "drift", params(Paging), responses((status = 200, body = List<DriftView>)))]
#[get("/v1/drift")]
pub(super) async fn list(
    app: Data<App>,
    caller: Caller,
    query: Search<Paging>,
) -> Result<Json<List<DriftView>>, Problem> {
    let filter = DriftFilter { account: caller.account, missing: None };
    let found = views::page::<DriftRow>(app.log.db(), &filter, &query.0.page::<DriftRow>()?).await.map_err(unread)?;
    let items = named(&app, found.items).await?;
    Ok(Json(List { items, next: found.next.map(|cursor| cursor.to_string()) }))
}

/// With their containers' names.
pub(super) async fn named(app: &App, rows: Vec<DriftRow>) -> Result<Vec<DriftView>, Problem> {
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        let container = views::get(app.log.db(), row.container).await.map_err(unread)?;
        items.push(DriftView::of(row, container));
    }
    Ok(items)
}

/// Look for drift and orphans now
///
/// At every container of every host, and not only when the sweep comes to it.
#[utoipa::path(tag = "drift", responses((status = 200, description = "What the look came to", body = Looked)))]
#[post("/v1/drift/look")]
pub(super) async fn look(app: Data<App>) -> Result<Json<Looked>, Problem> {
    app.guests.look().await.map(Json).map_err(unknown)
}

/// Accept what Proxmox has
///
/// The record takes it over, as it was found. What the account may not have is refused.
#[utoipa::path(
    tag = "drift",
    params(Id<ContainerId>),
    responses(
        (status = 200, description = "The record is so now", body = ContainerView),
        (status = 409, description = "There is no drift, it can only be put back, the account may not have more, or an operation is at work on it", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/containers/{id}/drift/accept")]
pub(super) async fn accept(
    app: Data<App>,
    asking: Asking,
    id: Id<ContainerId>,
) -> Result<Json<ContainerView>, Problem> {
    guests::accept(&app, &asking, id.0).await?;
    let row: Option<platform::views::ContainerRow> = views::get(app.log.db(), id.0).await.map_err(unread)?;
    let row = row.ok_or_else(|| Problem::new(Kind::NotFound))?;
    Ok(Json(ContainerView::of(row, app.live.of(id.0), app.log.clock().now())))
}

/// Put back what is recorded
///
/// Proxmox gets the recorded values again, as an operation. A disk that has grown stays so: disks never shrink.
#[utoipa::path(tag = "drift", params(Id<ContainerId>, Asked), responses(Accepted))]
#[post("/v1/containers/{id}/drift/put-back")]
pub(super) async fn put_back(asked: Asked, id: Id<ContainerId>) -> Result<Accepted, Problem> {
    let drift = asked.app.log.load::<Drift>(id.0).await.map_err(unread)?.state;
    let (change, power) = match drift.put_back() {
        Ok(wanted) => wanted,
        Err(no) => {
            act::as_seen(&asked.app, &asked.asking, id.0).await?;
            guests::at_rest(&asked.app, id.0).await?;
            return Err(Problem::new(Kind::NotPossible).detail(no.to_string()));
        }
    };
    let command = Command::PutBack { container: id.0, change, power, marker: drift.lost_marker() };
    let taken = act::on(&asked.app, &asked.asking, id.0, For::Ready, command).await?;
    asked.answer(taken, Value::Null).await
}
