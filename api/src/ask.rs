//! Asking something of an operation that is there: to cancel it, to retry it.

use actix_web::HttpResponse;
use domain::container::{Container, ContainerCommand};
use domain::operation::{Given, Operation, OperationCommand, OperationRejection};
use domain::pipeline::StepName;
use domain::quota::Takes;
use domain::{Aggregate as _, Event, NewEvent, OperationId};
use platform::log::{Append, StreamAppend};
use platform::people::quota;
use platform::series::records;
use platform::views::clone_sources;

use crate::accept::{busy, call_worker, not_appended, operation};
use crate::app::App;
use crate::asking::Asking;
use crate::problem::{Kind, Problem};
use crate::topics;
use crate::unread::unread;

/// How often it is decided again after losing the race for the stream.
const DECISIONS: usize = 16;

/// # Errors
/// When there is no such operation, or its state does not allow it.
pub(crate) async fn of_operation(
    app: &App,
    asking: &Asking,
    id: OperationId,
    command: OperationCommand,
) -> Result<HttpResponse, Problem> {
    let mut meta = asking.meta();
    meta.correlation = Some(id.uuid());
    for _ in 0..DECISIONS {
        let loaded = app.log.load::<Operation>(id).await.map_err(unread)?;
        if asking.has_seen() {
            asking.hold(operation(app, id).await?.version())?;
        }
        let given = Given { now: app.log.clock().now() };
        let events = loaded.state.decide(command.clone(), &given).map_err(|no| match no {
            OperationRejection::Unknown { .. } => Problem::new(Kind::NotFound),
            no => Problem::new(Kind::NotPossible).detail(no.to_string()),
        })?;
        if events.is_empty() {
            return Ok(HttpResponse::Accepted().json(operation(app, id).await?));
        }
        let mut append = Append::new(meta.clone());
        append = append.stream(Operation::stream(id), loaded.expected(), encoded(&events)?);
        if command == OperationCommand::Retry {
            let again = container_too(app, &loaded.state).await?;
            // What failed had given back its part of the quota; a container that was kept has its place still, and a
            // copy that was made is kept.
            let retried = events.iter().fold(loaded.state.clone(), Operation::evolve);
            let takes =
                loaded.state.accepted().and_then(|accepted| Some((accepted.account?, accepted.command.takes()?)));
            let takes = takes.filter(|(_, takes)| match takes {
                Takes::Place => again.is_some(),
                Takes::Snapshot | Takes::Backup => retried.making().is_some(),
            });
            append.streams.extend(again);
            let free = loaded.state.accepted().and_then(|accepted| clone_sources::free(id, &accepted.command));
            append = free.into_iter().fold(append, Append::with);
            append = takes.map(|(account, takes)| quota::held(account, takes)).into_iter().fold(append, Append::with);
        }
        match app.log.append(append).await {
            Ok(appended) => {
                tell(app, asking, id, appended.last.0.unsigned_abs()).await;
                return Ok(HttpResponse::Accepted().json(operation(app, id).await?));
            }
            Err(error) if error.is_conflict() => {}
            Err(error) if error.is_taken() => return Err(in_the_way(app, id).await),
            Err(error) => return Err(not_appended(&error)),
        }
    }
    Err(Problem::new(Kind::Conflict))
}

/// A container whose create failed is being created again: the step that calls it ready asks for that. One that was not
/// changed, or made anew, is to be so after all.
async fn container_too(app: &App, operation: &Operation) -> Result<Option<StreamAppend>, Problem> {
    let Some(accepted) = operation.accepted() else { return Ok(None) };
    let Some(container) = accepted.target else { return Ok(None) };
    let command = &accepted.command;
    let says = match (command.creates(), command.change(), command.rebuild()) {
        (Some(_), ..) => ContainerCommand::RetryCreate,
        (_, Some(change), _) => ContainerCommand::AcceptChange(change.clone()),
        (.., Some(rebuild)) if operation.has_succeeded(StepName::BeginRebuild) => {
            ContainerCommand::RetryRebuild(rebuild.operation)
        }
        (.., Some(rebuild)) => ContainerCommand::AcceptRebuild(Box::new(rebuild.clone())),
        _ => return Ok(None),
    };
    let loaded = app.log.load::<Container>(container).await.map_err(unread)?;
    let events = loaded.state.decide(says, &());
    let events = events.map_err(|no| Problem::new(Kind::NotPossible).detail(no.to_string()))?;
    let says =
        StreamAppend { stream: Container::stream(container), expected: loaded.expected(), events: encoded(&events)? };
    Ok((!events.is_empty()).then_some(says))
}

fn encoded<E: Event>(events: &[E]) -> Result<Vec<NewEvent>, Problem> {
    events.iter().map(Event::encode).collect::<Result<_, _>>().map_err(Problem::internal)
}

/// The worker that is at it, one that is free, and the watchers.
async fn tell(app: &App, asking: &Asking, id: OperationId, position: u64) {
    app.coordination.bus().publish(&topics::asked(id), position).await;
    call_worker(app, asking, id).await;
    match records::last(app.log.db(), &records::of_operation(id)).await {
        Ok(last) => app.coordination.bus().publish(&topics::progress(id), last.unsigned_abs()).await,
        Err(error) => {
            tracing::warn!(operation.id = %id, %error, "watchers were not called; they will look by themselves")
        }
    }
}

async fn in_the_way(app: &App, id: OperationId) -> Problem {
    let loaded = app.log.load::<Operation>(id).await.ok();
    match loaded.and_then(|loaded| loaded.state.accepted().and_then(|accepted| accepted.target)) {
        Some(container) => busy(app, container).await,
        None => Problem::new(Kind::Busy),
    }
}
