//! How many operations go, looked at when the bus tells that there is more of one, and now and again in case it did not.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::bulk::Bulk;
use domain::{BulkId, OperationId};
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use platform::bus::Subscription;
use tokio::time::{Instant, timeout_at};

use crate::access::Caller;
use crate::app::App;
use crate::bulk::{self, Hows};
use crate::problem::{Kind, Problem};
use crate::shape::bulk::BulkView;
use crate::topics;

/// What comes in this time is told together.
const GATHER: Duration = Duration::from_millis(200);
/// Without a notice for so long all of them are looked at.
const QUIET: Duration = Duration::from_secs(15);
/// While the request itself is still being carried out, nobody tells of it.
const ASKING: Duration = Duration::from_secs(1);

pub(crate) struct News {
    app: App,
    caller: Caller,
    id: BulkId,
    bulk: Bulk,
    hows: Hows,
    told: FuturesUnordered<BoxFuture<'static, (OperationId, Subscription)>>,
}

impl News {
    /// # Errors
    /// `not-found`, or the database can't be read.
    pub(crate) async fn of(app: App, caller: Caller, id: BulkId) -> Result<Self, Problem> {
        let bulk = bulk::state(&app, &caller, id).await?;
        let told = FuturesUnordered::new();
        let operations: Vec<_> =
            bulk.requested().iter().flat_map(|one| &one.items).map(|item| item.operation).collect();
        // Before the first look, so that nothing falls in between.
        for id in &operations {
            told.push(next(*id, app.coordination.bus().subscribe(&topics::progress(*id))));
        }
        let mut hows = Hows::new();
        bulk::look(&app, &operations, &mut hows).await?;
        Ok(Self { app, caller, id, bulk, hows, told })
    }

    /// # Errors
    /// Never, for one that is there.
    pub(crate) fn view(&self) -> Result<BulkView, Problem> {
        bulk::view(self.id, &self.bulk, &self.hows).ok_or_else(|| Problem::new(Kind::NotFound))
    }

    /// Waits for news, or for the time after which one looks without. Whether there were any.
    ///
    /// # Errors
    /// When the database can't be read.
    pub(crate) async fn next(&mut self) -> Result<bool, Problem> {
        let asking = self.bulk.refused().is_none();
        let mut until = Instant::now() + if asking { ASKING } else { QUIET };
        let mut changed = BTreeSet::new();
        while let Ok(Some((id, news))) = timeout_at(until, self.told.next()).await {
            if changed.is_empty() {
                until = Instant::now() + GATHER;
            }
            changed.insert(id);
            self.told.push(next(id, news));
            // Where there is always more, too.
            if Instant::now() >= until {
                break;
            }
        }
        if self.told.is_empty() {
            tokio::time::sleep_until(until).await;
        }
        if asking {
            self.bulk = bulk::state(&self.app, &self.caller, self.id).await?;
        }
        let all = || self.bulk.requested().iter().flat_map(|one| &one.items).map(|item| item.operation).collect();
        let looked: Vec<_> = if changed.is_empty() || asking { all() } else { changed.iter().copied().collect() };
        bulk::look(&self.app, &looked, &mut self.hows).await?;
        Ok(!changed.is_empty())
    }
}

fn next(id: OperationId, mut news: Subscription) -> BoxFuture<'static, (OperationId, Subscription)> {
    Box::pin(async move {
        news.next().await;
        (id, news)
    })
}
