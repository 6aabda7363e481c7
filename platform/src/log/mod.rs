//! The event log: the truth. Everything else can be made from it again.

mod append;
mod appender;
mod error;
mod execute;
pub(crate) mod follow;
pub mod hash;
mod plan;
pub(crate) mod read;
mod replay;
pub(crate) mod sweep;
mod tail;
mod transfer;
mod verify;
pub(crate) mod write;

use std::sync::Arc;

use domain::Position;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use append::{Append, Appended, Expected, Idempotency, Rows, StreamAppend};
pub use error::{AppendError, LogError};
pub use execute::{As, ExecuteError, Executed, Loaded};
pub use read::End;
pub(crate) use read::{Row as StoredRow, recorded};
pub use replay::{Replayed, Replaying, TableReport};
pub use transfer::{ExportError, ImportError};
pub use verify::{Damage, Verified, VerifyError};

use crate::{clock::Clock, db::Db, views::View};
use append::Prepared;
use appender::{Appender, Request};

/// Appends that wait for the appender; who comes later waits for room.
const WAITING: usize = 1024;

/// The log of one database. Cheap to clone; all clones of a process share one appender.
#[derive(Clone)]
pub struct Log(Arc<Inner>);

struct Inner {
    db: Db,
    views: Arc<[Arc<dyn View>]>,
    clock: Clock,
    requests: mpsc::Sender<Request>,
    head: watch::Sender<Position>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Log {
    /// Opens the log of a migrated database. One per process: its appender is what makes concurrent appends cheap.
    ///
    /// # Errors
    /// When the schema is not this program's, or the database can't be read.
    pub async fn open(db: Db, views: Vec<Arc<dyn View>>, clock: Clock) -> Result<Self, LogError> {
        db.check_schema().await?;
        let views: Arc<[Arc<dyn View>]> = views.into();
        let (requests, waiting) = mpsc::channel(WAITING);
        let head = watch::Sender::new(Position(read::head_row(&db).await?.0));
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let appender = Appender {
            db: db.for_appending(),
            views: views.clone(),
            clock: clock.clone(),
            head: head.clone(),
            memory: None,
        };
        tasks.spawn(appender.run(waiting, stop.clone()));
        tasks.spawn(tail::listen(db.clone(), head.clone(), stop.clone()));
        tasks.close();
        Ok(Self(Arc::new(Inner { db, views, clock, requests, head, stop, tasks })))
    }

    /// All of it, or nothing and why not. Returns after the commit.
    ///
    /// # Errors
    /// See [`AppendError`].
    pub async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let (reply, answer) = oneshot::channel();
        let request = Request { append: Prepared::new(append)?, reply };
        self.0.requests.send(request).await.map_err(|_| AppendError::Closed)?;
        answer.await.map_err(|_| AppendError::Closed)?
    }

    /// Writes what waits, then refuses more. Reading goes on.
    pub async fn close(&self) {
        self.0.stop.cancel();
        self.0.tasks.wait().await;
    }

    /// The last position that this process knows of; changes when more is there.
    #[must_use]
    pub fn head(&self) -> watch::Receiver<Position> {
        self.0.head.subscribe()
    }

    #[must_use]
    pub fn db(&self) -> &Db {
        &self.0.db
    }

    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    #[must_use]
    pub fn views(&self) -> &[Arc<dyn View>] {
        &self.0.views
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").field("engine", &self.0.db.engine()).finish_non_exhaustive()
    }
}
