//! What is queued: only which operation to look at. What to do about it is decided from the log.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::coordination::Lease;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Version of this text, for a queue that outlives an upgrade.
    #[serde(default)]
    v: u8,
    pub id: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

impl Job {
    #[must_use]
    pub const fn new(id: Uuid) -> Self {
        Self { v: 1, id, request: None, traceparent: None }
    }
}

/// A job, leased.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) job: Job,
    pub(crate) token: u64,
    pub(crate) attempt: u32,
    pub(crate) redelivered: bool,
    pub(crate) waited: Duration,
}

pub(crate) struct Catch {
    pub(crate) jobs: Vec<Taken>,
    /// When the next job or lease falls due, as far as is known.
    pub(crate) next: Option<Duration>,
}

/// What a handler gets.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub job: Job,
    /// Rises with every delivery of a job; carry it where a late write must be refused.
    pub fence: u64,
    /// The how-manieth delivery since the job last ended well; more than one after crashes and panics.
    pub attempt: u32,
    /// The former holder's lease ended without a word.
    pub redelivered: bool,
    pub waited: Duration,
    pub(super) lease: Arc<Lease>,
}

impl Delivery {
    /// The lease is gone; somebody else may run this job now. Stop, and write nothing more.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.lease.is_lost()
    }

    pub async fn lost(&self) {
        self.lease.lost().cancelled().await;
    }

    /// Cancelled when the lease is gone; for whoever works beneath the handler.
    #[must_use]
    pub fn lost_token(&self) -> CancellationToken {
        self.lease.lost().clone()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// Run it again after that time, or when it is pushed before.
    Again {
        after: Duration,
    },
}

/// How a lease ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Done,
    Again(Duration),
    /// The handler panicked: the attempts go on counting.
    Failed(Duration),
    /// Never started.
    Back,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Finish {
    pub(crate) id: Uuid,
    pub(crate) token: u64,
    pub(crate) end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Waits for a free worker, with so many jobs before it.
    Queued {
        ahead: u64,
    },
    Delayed {
        for_: Duration,
    },
    Running,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Depth {
    pub queued: u64,
    pub delayed: u64,
    pub running: u64,
}
