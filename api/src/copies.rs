//! Which copies of what is in a container there are, as Proxmox says.

use domain::ContainerId;
use domain::container::{Container, Guest, Lifecycle};
use domain::copy::{Backup, NotSeen, Snapshot};
use futures_util::future::BoxFuture;

use crate::app::App;
use crate::problem::{Kind, Problem};
use crate::unread::unread;

/// The seam to the hosts, filled by whoever starts the API.
pub trait Copies: Send + Sync {
    fn snapshots<'a>(&'a self, guest: &'a Guest) -> BoxFuture<'a, Result<Vec<Snapshot>, NotSeen>>;

    fn backups(&self, container: ContainerId) -> BoxFuture<'_, Result<Vec<Backup>, NotSeen>>;
}

/// # Errors
/// When there is no such container, or it has no guest.
pub(crate) async fn guest(app: &App, id: ContainerId) -> Result<Guest, Problem> {
    let container = app.log.load::<Container>(id).await.map_err(unread)?.state;
    if container.request().is_none() {
        return Err(Problem::new(Kind::NotFound));
    }
    container.guest().cloned().ok_or_else(|| Problem::new(Kind::NotPossible).detail(why_not(container.lifecycle())))
}

fn why_not(lifecycle: Lifecycle) -> &'static str {
    match lifecycle {
        Lifecycle::Removed => "the container has been removed",
        Lifecycle::Creating => "the container is being created",
        Lifecycle::Failed => "the container's create failed and left no guest; retry it first",
        Lifecycle::Unknown | Lifecycle::Ready => "the container has no guest on Proxmox",
    }
}

pub(crate) fn unseen(error: &NotSeen) -> Problem {
    match error {
        NotSeen::HostAway => Problem::new(Kind::HostAway),
        NotSeen::Gone => Problem::new(Kind::NotPossible).detail("its guest is gone from Proxmox"),
        NotSeen::Failed(words) => {
            tracing::warn!(cause = words, "Proxmox could not be asked for copies");
            Problem::new(Kind::HostAway).detail("the host refuses to tell; the operator's log has its words")
        }
    }
}
