//! The API asks the worker's side which copies there are: only that reaches the hosts.

use domain::{
    ContainerId,
    container::Guest,
    copy::{Backup, NotSeen, Snapshot},
};
use futures_util::future::BoxFuture;

pub(super) struct Asked(pub(super) worker::Copies);

impl api::copies::Copies for Asked {
    fn snapshots<'a>(&'a self, guest: &'a Guest) -> BoxFuture<'a, Result<Vec<Snapshot>, NotSeen>> {
        Box::pin(self.0.snapshots(guest))
    }

    fn backups(&self, container: ContainerId) -> BoxFuture<'_, Result<Vec<Backup>, NotSeen>> {
        Box::pin(self.0.backups(container))
    }
}
