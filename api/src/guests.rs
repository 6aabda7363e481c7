//! Guests on Proxmox as they are now, against what is recorded of them.

use domain::adopt::Imported;
use domain::container::{Container, ContainerCommand, ContainerRejection, Lifecycle};
use domain::copy::NotSeen;
use domain::drift::{Drift, See};
use domain::quota::Takes;
use domain::vmid::Vmid;
use domain::{Aggregate as _, ContainerId, Event, HostId};
use futures_util::future::BoxFuture;
use platform::log::Append;
use platform::people::quota;
use platform::views::{self, ContainerRow};
use serde::Serialize;
use utoipa::ToSchema;

use crate::accept::{busy, holder, not_appended};
use crate::act::as_seen;
use crate::app::App;
use crate::asking::Asking;
use crate::problem::{Kind, Problem};
use crate::unread::unread;

/// The seam to the hosts, filled by whoever starts the API.
pub trait Guests: Send + Sync {
    /// A guest as a wish would have asked for it.
    fn import(&self, host: HostId, vmid: Vmid) -> BoxFuture<'_, Result<Imported, NotSeen>>;

    /// Looks at all hosts now; in words for the log when it can't be done.
    fn look(&self) -> BoxFuture<'_, Result<Looked, String>>;
}

/// What a look at all hosts came to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Looked {
    /// Containers whose guest's settings were read; those that an operation is at work on are left out.
    #[schema(example = 40)]
    pub containers: u64,
    /// Containers that differ from their record now.
    #[schema(example = 2)]
    pub drifted: u64,
    /// Guests that bear our marker and no container has.
    #[schema(example = 0)]
    pub orphans: u64,
    /// Hosts that could not be looked at, and why.
    pub away: Vec<String>,
}

/// The container and its drift, when it is in a state in which both may be spoken of.
///
/// # Errors
/// When there is no such container, it is not ready, or an operation is at work on it.
pub(crate) async fn at_rest(app: &App, id: ContainerId) -> Result<(), Problem> {
    let row: Option<ContainerRow> = views::get(app.log.db(), id).await.map_err(unread)?;
    let row = row.ok_or_else(|| Problem::new(Kind::NotFound))?;
    if holder(app, id).await?.is_some() {
        return Err(busy(app, id).await);
    }
    match row.lifecycle {
        Lifecycle::Ready => Ok(()),
        _ => Err(Problem::new(Kind::NotPossible).detail("only a container that was made whole is compared")),
    }
}

/// The record takes over what Proxmox has.
///
/// # Errors
/// When there is nothing to accept, or something is in the way.
pub(crate) async fn accept(app: &App, asking: &Asking, id: ContainerId) -> Result<(), Problem> {
    as_seen(app, asking, id).await?;
    at_rest(app, id).await?;
    let drift = app.log.load::<Drift>(id).await.map_err(unread)?;
    let container = app.log.load::<Container>(id).await.map_err(unread)?;
    asking.hold(container.version)?;
    let taken = drift.state.accept().map_err(|no| Problem::new(Kind::NotPossible).detail(no.to_string()))?;
    let grows = container.state.request().is_some_and(|request| {
        let (before, after) = (&request.spec, taken.change.of(&request.spec));
        after.cores > before.cores || after.memory_mb > before.memory_mb || after.disk_gb > before.disk_gb
    });
    let account = container.state.request().and_then(|request| request.account);
    let says = container.state.decide(ContainerCommand::AcceptDrift(Box::new(taken)), &());
    let says = says.map_err(|no| match no {
        ContainerRejection::Changing => Problem::new(Kind::Busy),
        no => Problem::new(Kind::NotPossible).detail(no.to_string()),
    })?;
    let Ok(gone) = drift.state.decide(See::nothing(), &());
    let mut meta = asking.meta();
    meta.account = account;
    let mut append = Append::new(meta).stream(Container::stream(id), container.expected(), encoded(&says)?).stream(
        Drift::stream(id),
        drift.expected(),
        encoded(&gone)?,
    );
    append = account
        .filter(|_| grows)
        .map(|account| quota::held(account, Takes::Place))
        .into_iter()
        .fold(append, Append::with);
    match app.log.append(append).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_taken() => {
            Err(Problem::new(Kind::NotPossible).detail("another container has its new name or address: put it back"))
        }
        Err(error) => Err(not_appended(&error)),
    }
}

fn encoded<E: Event>(events: &[E]) -> Result<Vec<domain::NewEvent>, Problem> {
    events.iter().map(Event::encode).collect::<Result<_, _>>().map_err(Problem::internal)
}
