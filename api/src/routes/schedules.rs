//! When a container is backed up by itself, and which of those backups stay.

use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, delete, get, put};
use domain::ContainerId;
use domain::container::{Container, Lifecycle};
use domain::schedule::{Given, ScheduleCommand, ScheduleRejection, Schedules};
use platform::log::ExecuteError;

use super::id::{Id, Name};
use crate::accept::not_appended;
use crate::app::App;
use crate::asking::Asking;
use crate::body::Body;
use crate::paging::List;
use crate::problem::{FieldProblem, Kind, Problem};
use crate::shape::schedule::ScheduleView;
use crate::tag::Tagged;
use crate::unread::unread;
use crate::wish::ScheduleWish;

/// A container's backup schedules
#[utoipa::path(
    tag = "schedules",
    params(Id<ContainerId>),
    responses(
        (status = 200, body = List<ScheduleView>),
    )
)]
#[get("/v1/containers/{id}/schedules")]
pub(super) async fn list(app: Data<App>, id: Id<ContainerId>) -> Result<Tagged<List<ScheduleView>>, Problem> {
    lifecycle(&app, id.0).await?;
    let schedules = app.log.load::<Schedules>(id.0).await.map_err(unread)?;
    let now = app.log.clock().now();
    let items = schedules.state.all().map(|(name, standing)| ScheduleView::of(name, standing, now)).collect();
    let list = List { items, next: None };
    // When each is due next is not what somebody decided.
    let all = serde_json::to_value(&list).map_err(Problem::internal)?;
    Ok(Tagged::new(schedules.version, list).beside(&all))
}

/// Set a backup schedule
///
/// In UTC. What was missed while nothing ran is caught up on by one backup. The retention deletes only what the schedule
/// itself made, and nothing that is protected.
#[utoipa::path(
    tag = "schedules",
    params(
        Id<ContainerId>,
        ("name" = String, Path, description = "The schedule's name", example = "nightly"),
    ),
    request_body = ScheduleWish,
    responses(
        (status = 200, description = "It is in force", body = ScheduleView),
        (status = 409, description = "The container has been removed, or has too many schedules", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Some fields are not allowed", body = Problem, content_type = "application/problem+json"),
    )
)]
#[put("/v1/containers/{id}/schedules/{name}")]
pub(super) async fn set(
    app: Data<App>,
    asking: Asking,
    id: Id<ContainerId>,
    name: Name,
    body: Body<ScheduleWish>,
) -> Result<Json<ScheduleView>, Problem> {
    if lifecycle(&app, id.0).await? == Lifecycle::Removed {
        return Err(Problem::new(Kind::NotPossible).detail("the container has been removed"));
    }
    let mut errors = Vec::new();
    let schedule = body.read().resolve(&mut errors);
    errors.extend(domain::schedule::check_name(&name.0).map(FieldProblem::from));
    body.fit(errors)?;
    let there = app.log.load::<Schedules>(id.0).await.map_err(unread)?.version;
    asking.hold_if_there((there.0 > 0).then_some(there))?;
    execute(&app, &asking, id.0, ScheduleCommand::Set { name: name.0.clone(), schedule }).await?;
    let schedules = app.log.load::<Schedules>(id.0).await.map_err(unread)?.state;
    let standing = schedules.get(&name.0).ok_or_else(|| Problem::new(Kind::Conflict))?;
    Ok(Json(ScheduleView::of(&name.0, standing, app.log.clock().now())))
}

/// Remove a backup schedule
///
/// The backups that it made stay.
#[utoipa::path(
    tag = "schedules",
    params(
        Id<ContainerId>,
        ("name" = String, Path, description = "The schedule's name", example = "nightly"),
    ),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "There is no such container or schedule", body = Problem, content_type = "application/problem+json"),
    )
)]
#[delete("/v1/containers/{id}/schedules/{name}")]
pub(super) async fn remove(
    app: Data<App>,
    asking: Asking,
    id: Id<ContainerId>,
    name: Name,
) -> Result<HttpResponse, Problem> {
    lifecycle(&app, id.0).await?;
    execute(&app, &asking, id.0, ScheduleCommand::Remove { name: name.0 }).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn lifecycle(app: &App, id: ContainerId) -> Result<Lifecycle, Problem> {
    let container = app.log.load::<Container>(id).await.map_err(unread)?.state;
    container.request().map(|_| container.lifecycle()).ok_or_else(|| Problem::new(Kind::NotFound))
}

async fn execute(app: &App, asking: &Asking, id: ContainerId, command: ScheduleCommand) -> Result<(), Problem> {
    let given = Given { now: app.log.clock().now() };
    let executed = asking.execute::<Schedules>(app, id, command, &given).await;
    executed.map(drop).map_err(|error| match error {
        ExecuteError::Rejected(ScheduleRejection::Unknown) => Problem::new(Kind::NotFound),
        ExecuteError::Rejected(no) => Problem::new(Kind::NotPossible).detail(no.to_string()),
        ExecuteError::Log(error) => unread(error),
        ExecuteError::Append(error) => not_appended(&error),
    })
}
