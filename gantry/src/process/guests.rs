//! The API has the worker's side look at the hosts.

use std::sync::Arc;

use api::guests::{Guests, Looked};
use domain::{HostId, adopt::Imported, copy::NotSeen, vmid::Vmid};
use futures_util::future::BoxFuture;

pub(super) struct Seen(pub(super) Arc<worker::Tools>, pub(super) worker::Sweep);

impl Guests for Seen {
    fn import(&self, host: HostId, vmid: Vmid) -> BoxFuture<'_, Result<Imported, NotSeen>> {
        Box::pin(worker::imported(&self.0, host, vmid))
    }

    fn look(&self) -> BoxFuture<'_, Result<Looked, String>> {
        Box::pin(async {
            let worker::Looked { containers, drifted, orphans, away } = self.1.look(true).await?;
            Ok(Looked { containers, drifted, orphans, away })
        })
    }
}
