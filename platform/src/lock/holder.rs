//! Who holds what, for the one who has to wait.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// A process, a person, an operation.
    pub who: String,
    /// What it is about.
    pub what: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    pub holder: Holder,
    pub since: DateTime<Utc>,
    pub fence: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inspection {
    pub key: String,
    pub holders: Vec<Held>,
    /// How many wait for it.
    pub waiting: u64,
}

/// Not now, because of these.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} is taken by {}{}", names(.holders), others(*.ahead))]
pub struct Taken {
    pub key: String,
    pub holders: Vec<Held>,
    /// How many wait before us.
    pub ahead: u64,
}

fn names(holders: &[Held]) -> String {
    let name =
        |h: &Held| format!("{} ({}) since {}", h.holder.who, h.holder.what, h.since.format("%Y-%m-%d %H:%M:%S UTC"));
    if holders.is_empty() {
        "nobody, but others wait".into()
    } else {
        holders.iter().map(name).collect::<Vec<_>>().join(", ")
    }
}

fn others(ahead: u64) -> String {
    if ahead == 0 { String::new() } else { format!("; {ahead} wait before you") }
}
