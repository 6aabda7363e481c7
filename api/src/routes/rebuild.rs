//! Making a container anew.

use actix_web::post;
use domain::ContainerId;

use super::asked::{Accepted, Asked};
use super::containers::Creating;
use super::id::Id;
use crate::body::Body;
use crate::paging::Search;
use crate::preview;
use crate::problem::Problem;
use crate::rebuild as rebuilding;
use crate::shape::operation::Created;
use crate::shape::plan::Plan;
use crate::wish::RebuildContainer;

/// Rebuild a container
///
/// Its guest is destroyed with all that is in it, and another made in its place: same id, VMID, name, size, network and
/// hardware address. Until the old guest goes, cancelling leaves all as it was; after that it stops the rebuild, and a
/// retry goes on from there. Backups stay; snapshots go.
#[utoipa::path(
    tag = "actions",
    params(Id<ContainerId>, Creating, Asked),
    request_body = RebuildContainer,
    responses(
        Accepted<Created>,
        (status = 200, description = "It has ended while you waited; with `dry_run` the plan", content((Created), (Plan))),
    )
)]
#[post("/v1/containers/{id}/rebuild")]
pub(super) async fn rebuild(
    asked: Asked,
    id: Id<ContainerId>,
    query: Search<Creating>,
    body: Body<RebuildContainer>,
) -> Result<Accepted<Created>, Problem> {
    if query.0.dry_run {
        return Ok(Accepted::shown(&preview::of_rebuild(&asked.app, id.0, body).await?));
    }
    let (taken, password) = rebuilding::container(&asked.app, &asked.asking, id.0, body).await?;
    asked.answer(taken, password).await
}
