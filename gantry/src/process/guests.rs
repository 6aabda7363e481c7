//! The API has the worker's side look at the hosts.

use api::guests::{Guests, Looked};
use futures_util::future::BoxFuture;

pub(super) struct Seen(pub(super) worker::Sweep);

impl Guests for Seen {
    fn look(&self) -> BoxFuture<'_, Result<Looked, String>> {
        Box::pin(async {
            let worker::Looked { containers, drifted, orphans, away } = self.0.look(true).await?;
            Ok(Looked { containers, drifted, orphans, away })
        })
    }
}
