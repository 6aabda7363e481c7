//! Accepting that something is to be done with a container that is there.

use std::sync::Arc;

use domain::container::{Container, ContainerCommand, ContainerRejection, Lifecycle};
use domain::field::FieldError;
use domain::operation::Command;
use domain::{Aggregate as _, ContainerId, Event, OperationId, Version};
use platform::log::{Expected, Rows};
use platform::views::{self, ContainerRow};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::accept::{Accepting, Refusal, Taken, busy, is_repeated};
use crate::app::App;
use crate::asking::Asking;
use crate::problem::{FieldProblem, Kind, Problem};
use crate::unread::unread;

/// Which containers the action is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    /// Those that were made whole.
    Ready,
    /// The same, and those whose rebuild failed; which those are the container itself knows.
    Made,
    /// Those that failed, too.
    Present,
    /// Those that are gone, too.
    Known,
}

/// # Errors
/// When there is no such container, it is not in a state for this, or an operation is at work on it.
pub(crate) async fn on(
    app: &App,
    asking: &Asking,
    id: ContainerId,
    of: For,
    command: Command,
) -> Result<Taken, Problem> {
    under(app, asking, OperationId::new(Uuid::now_v7()), id, of, command).await
}

/// The same, as an operation whose id was chosen before.
///
/// # Errors
/// As for [`on`].
pub(crate) async fn under(
    app: &App,
    asking: &Asking,
    operation: OperationId,
    id: ContainerId,
    of: For,
    command: Command,
) -> Result<Taken, Problem> {
    let digest: [u8; 32] = Sha256::digest(serde_json::to_vec(&command).map_err(Problem::internal)?).into();
    let also = Also { operation, digest, says: None, rows: Vec::new(), kept: json!({ "container": id }) };
    saying(app, asking, id, of, command, also).await
}

/// What goes into the same append.
pub(crate) struct Also {
    pub(crate) operation: OperationId,
    /// Of what was asked.
    pub(crate) digest: [u8; 32],
    /// What the container's own stream has to hold from now on.
    pub(crate) says: Option<ContainerCommand>,
    pub(crate) rows: Vec<Arc<dyn Rows>>,
    /// Given back when the same is asked again under the same key.
    pub(crate) kept: Value,
}

/// # Errors
/// The same, and what the container refuses.
pub(crate) async fn saying(
    app: &App,
    asking: &Asking,
    id: ContainerId,
    of: For,
    command: Command,
    also: Also,
) -> Result<Taken, Problem> {
    let row: Option<ContainerRow> = views::get(app.log.db(), id).await.map_err(unread)?;
    let row = row.ok_or_else(|| Problem::new(Kind::NotFound))?;
    // Also those that were not named in the path, which nobody has looked at yet.
    asking.caller.sees(row.account)?;
    let Also { operation, digest, says, rows, kept } = also;
    if let Some(why) = in_the_way(row.lifecycle, of)
        && !is_repeated(app, asking, &digest).await?
    {
        // Who is at work on it tells more than the state that it leaves the container in.
        return Err(match (row.lifecycle, busy(app, id).await) {
            (Lifecycle::Creating, holder) => holder,
            _ => Problem::new(Kind::NotPossible).detail(why),
        });
    }
    if asking.has_seen() && !is_repeated(app, asking, &digest).await? {
        asking.hold(row.version)?;
    }
    let mut accepting = Accepting::begin(app, asking, operation, command, row.host).await?;
    let mut guarded = false;
    if let Some(says) = says
        && !is_repeated(app, asking, &digest).await?
    {
        let loaded = app.log.load::<Container>(id).await.map_err(unread)?;
        asking.hold(loaded.version.0)?;
        let events = match loaded.state.decide(says, &()) {
            Ok(events) => events.iter().map(Event::encode).collect::<Result<_, _>>().map_err(Problem::internal)?,
            Err(ContainerRejection::Changing) => return Err(busy(app, id).await),
            Err(ContainerRejection::Invalid(errors)) => return Err(invalid(errors)),
            Err(no) => return Err(Problem::new(Kind::NotPossible).detail(no.to_string())),
        };
        accepting = accepting.with(|append| append.stream(Container::stream(id), loaded.expected(), events));
        guarded = true;
    }
    if asking.has_seen() && !guarded {
        // Also what changes nothing of its stream is done to what was seen.
        let seen = Expected::Version(Version(row.version));
        accepting = accepting.with(|append| append.stream(Container::stream(id), seen, Vec::new()));
    }
    accepting = accepting.with(|append| rows.into_iter().fold(append, platform::log::Append::with));
    match accepting.finish(app, asking, &digest, kept).await {
        Ok(taken) => Ok(taken),
        Err(Refusal::Append(error)) if asking.has_seen() && error.is_conflict() => Err(Problem::new(Kind::Stale)),
        // Whoever moved its stream meanwhile is at work on it.
        Err(Refusal::Append(error)) if error.is_taken() || error.is_conflict() => Err(busy(app, id).await),
        Err(other) => Err(other.into()),
    }
}

/// Whether the container is as the caller has seen it, for who is about to refuse them for how it is now.
///
/// # Errors
/// `stale` when it is not.
pub(crate) async fn as_seen(app: &App, asking: &Asking, id: ContainerId) -> Result<(), Problem> {
    if !asking.has_seen() {
        return Ok(());
    }
    let row: Option<ContainerRow> = views::get(app.log.db(), id).await.map_err(unread)?;
    asking.hold_if_there(row.map(|row| row.version))
}

/// A field's mistakes as they are told.
pub(crate) fn invalid(errors: Vec<FieldError>) -> Problem {
    Problem::new(Kind::Invalid).fields(errors.into_iter().map(told).collect())
}

pub(crate) fn told(error: FieldError) -> FieldProblem {
    FieldProblem { field: error.field, problem: error.problem, fix: error.fix }
}

const fn in_the_way(lifecycle: Lifecycle, of: For) -> Option<&'static str> {
    match (lifecycle, of) {
        (_, For::Known) => None,
        (Lifecycle::Removed | Lifecycle::Unknown, _) => Some("the container has been removed"),
        (Lifecycle::Creating, For::Ready | For::Made) => Some("the container is being created"),
        (Lifecycle::Failed, For::Ready) => Some("its create failed: retry that, or delete the container"),
        (Lifecycle::Ready, _) | (Lifecycle::Failed, For::Made) => None,
        (Lifecycle::Creating | Lifecycle::Failed, For::Present) => None,
    }
}
