//! Rights that are taken away end what they opened: a stream goes on only as long as a new request would be let in.

use std::time::Duration;

use bytes::Bytes;
use domain::AccountId;
use futures_util::{Stream, StreamExt as _};
use platform::vault::SecretText;
use tokio::time::MissedTickBehavior;

use super::table::Rule;
use super::{Access, Origin, allowed, identify};
use crate::app::App;

/// When nobody says that rights changed: another process may have changed them, or a token has run out.
const LOOK: Duration = Duration::from_secs(15);

/// With what a stream was opened.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    pub(super) token: SecretText,
    pub(super) account: Option<AccountId>,
    pub(super) origin: Origin,
    pub(super) rule: Option<&'static Rule>,
    pub(super) path: String,
}

impl Opened {
    /// What can't be looked up is no refusal.
    async fn is_still(&self, app: &App, access: &Access) -> bool {
        let let_in = async {
            let caller = identify(app, access, self.account, self.token.expose(), &self.origin).await?;
            allowed(app, &caller, self.rule, true, &self.path).await
        };
        let_in.await.map_or_else(|problem| problem.status >= 500, |()| true)
    }
}

/// The stream, until its watcher may not have it any more.
pub(crate) fn while_allowed<E: 'static>(
    app: App,
    opened: Option<Opened>,
    stream: impl Stream<Item = Result<Bytes, E>> + 'static,
) -> impl Stream<Item = Result<Bytes, E>> {
    // Boxed: what is moved into a generator and pinned there takes its room twice.
    let mut stream = Box::pin(stream);
    async_stream::stream! {
        let mut changed = app.access.changed.subscribe();
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        looks.reset();
        loop {
            tokio::select! {
                item = stream.next() => match item {
                    Some(item) => {
                        yield item;
                        continue;
                    }
                    None => return,
                },
                _ = changed.changed() => {}
                _ = looks.tick() => {}
            }
            if let Some(opened) = &opened
                && !Box::pin(opened.is_still(&app, &app.access)).await
            {
                tracing::info!("a stream was ended: its watcher may not have it any more");
                return;
            }
        }
    }
}
