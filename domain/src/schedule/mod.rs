//! When a container is backed up by itself, and which of those backups stay.

mod every;
mod keep;
mod standing;

pub use every::Every;
pub use keep::Keep;
pub use standing::{Schedules, Standing};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::copy::{BackupMode, check_storage, check_text};
use crate::field::{FieldError, wrong};
use crate::name;
use crate::{Event, OperationId};

/// Most of one container.
const MOST: usize = 10;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    pub every: Every,
    #[serde(default)]
    pub keep: Keep,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
    #[serde(default)]
    pub mode: BackupMode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
}

impl Schedule {
    /// All that is wrong with it, at once.
    #[must_use]
    pub fn validate(&self) -> Vec<FieldError> {
        let mut errors = self.every.faults();
        errors.extend(self.keep.faults());
        errors.extend(self.storage.as_deref().and_then(check_storage));
        errors.extend(self.notes.as_deref().and_then(|notes| check_text("notes", notes)));
        errors
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum ScheduleEvent {
    #[serde(rename = "schedule.set")]
    Set { name: String, schedule: Schedule, at: DateTime<Utc> },
    #[serde(rename = "schedule.removed")]
    Removed { name: String },
    /// What was due at that time was begun. Those that were missed before it are not caught up on.
    #[serde(rename = "schedule.begun")]
    Begun { name: String, due: DateTime<Utc>, operation: OperationId },
    /// One backup too many is being deleted.
    #[serde(rename = "schedule.pruned")]
    Pruned { name: String, volume: String, operation: OperationId },
}

impl Event for ScheduleEvent {}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScheduleCommand {
    Set { name: String, schedule: Schedule },
    Remove { name: String },
    Begin { name: String, due: DateTime<Utc>, operation: OperationId },
    Prune { name: String, volume: String, operation: OperationId },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleRejection {
    #[error("there is no such schedule")]
    Unknown,
    #[error("the schedule is not right: {}", crate::field::list(.0))]
    Invalid(Vec<FieldError>),
    #[error("a container has at most {MOST} schedules")]
    TooMany,
    #[error("that has been begun before")]
    BegunBefore,
}

/// What deciding about schedules needs to know.
#[derive(Debug, Clone, Copy)]
pub struct Given {
    pub now: DateTime<Utc>,
}

#[must_use]
pub fn check_name(name: &str) -> Option<FieldError> {
    let fix = "a letter, then letters, digits, - and _; at most 40";
    (!name::is_word(name, |c| c.is_ascii_alphabetic(), "-_", 40))
        .then(|| wrong("name", format!("{name:?} is no schedule's name"), fix))
}

#[cfg(test)]
mod tests;
