//! Drives operations: load, plan, do one thing, append, again. What to do next is decided from the log alone, so that
//! a job that comes twice, late, or after a crash does no harm.

mod begin;
mod bounds;
mod deletions;
mod drive;
mod error;
mod job;
mod run;
mod schedules;
mod slots;
mod sweep;
mod trace;
mod watch;
mod work;

use std::sync::Arc;

use platform::log::Log;
use platform::queue::Queue;
use tokio_util::sync::CancellationToken;

pub use deletions::{Deletions, deletions_topic};
pub use drive::Outcome;
pub use error::EngineError;
pub use watch::Watched;

use crate::tools::Tools;

/// One per process. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    log: Log,
    queue: Queue,
    tools: Arc<Tools>,
    /// This process, under a name that no other start of it has.
    worker: Arc<str>,
    /// Says that the process is to end: what is under way is left for another to go on with.
    stopping: CancellationToken,
}

/// The right to work on an operation for one turn.
#[derive(Debug, Clone)]
pub struct Turn {
    /// Unlike every other turn's: who finds another name in the log has been replaced.
    pub name: String,
    /// Cancelled when the right is gone.
    pub lost: CancellationToken,
}

impl Engine {
    #[must_use]
    pub fn new(tools: Arc<Tools>, queue: Queue, worker: &str, stopping: CancellationToken) -> Self {
        Self { log: tools.log.clone(), queue, tools, worker: worker.into(), stopping }
    }
}
