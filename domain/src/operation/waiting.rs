use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::HostId;
use crate::pipeline::StepName;

/// What an operation waits for. Written for people: "why is it waiting".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum WaitReason {
    /// Our own lock.
    Lock {
        key: String,
        holder: String,
        since: DateTime<Utc>,
    },
    /// A bound on how much runs at once; `place` 1 is next.
    Slot {
        limit: String,
        place: u32,
        /// Under which those who hold it are found.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
    /// Proxmox's own lock, in its words.
    ProxmoxLock {
        words: String,
    },
    Task {
        upid: String,
    },
    HostUnreachable {
        host: HostId,
        since: DateTime<Utc>,
    },
    RetryBackoff {
        step: StepName,
        attempt: u32,
    },
    /// It was asked to begin later.
    Delay,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub reason: WaitReason,
    pub until: Option<DateTime<Utc>>,
}

impl WaitReason {
    /// The line that it stands in, by its key.
    #[must_use]
    pub fn line(&self) -> Option<&str> {
        match self {
            Self::Slot { key, .. } => key.as_deref(),
            _ => None,
        }
    }
}

impl fmt::Display for WaitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lock { key, holder, since } => write!(f, "{key} is locked by {holder} since {}", since.to_rfc3339()),
            Self::Slot { limit, place, .. } => write!(f, "waits for its turn: {limit}, place {place} in line"),
            Self::ProxmoxLock { words } => write!(f, "Proxmox has it locked: {words}"),
            Self::Task { upid } => write!(f, "Proxmox is at work: {upid}"),
            Self::HostUnreachable { host, since } => {
                write!(f, "host {host} does not answer since {}", since.to_rfc3339())
            }
            Self::RetryBackoff { step, attempt } => write!(f, "{step} failed (attempt {attempt}) and is tried again"),
            Self::Delay => f.write_str("it is to begin later"),
        }
    }
}
