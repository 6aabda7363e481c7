//! A delete that is to come: until then it can be taken back.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Container, ContainerEvent as E, ContainerRejection as No, Power};
use crate::OperationId;
use crate::field::{FieldError, wrong};
use crate::operation::Command;

/// Longest that a delete may be put off.
const MOST_DAYS: i64 = 366;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    pub at: DateTime<Utc>,
    /// Also from backup and replication jobs.
    #[serde(default)]
    pub purge: bool,
    /// Disks with its number that its settings do not name stay.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_unreferenced: bool,
}

impl Deletion {
    #[must_use]
    pub const fn command(&self, container: crate::ContainerId) -> Command {
        Command::DeleteContainer { container, purge: self.purge, keep_unreferenced: self.keep_unreferenced }
    }
}

/// `90s`, `30m`, `24h`, `7d`; a number alone is seconds.
///
/// # Errors
/// What is wrong with it, as the field `delay`.
pub fn delay(text: &str) -> Result<TimeDelta, FieldError> {
    let no = |problem: String| wrong("delay", problem, "a number and one of s, m, h, d, like 24h; at most 366d");
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let seconds = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(no(format!("{text:?} is no time to wait"))),
    };
    let number: i64 = number.parse().map_err(|_| no(format!("{text:?} is no time to wait")))?;
    let delay = number.checked_mul(seconds).and_then(TimeDelta::try_seconds);
    match delay.filter(|delay| *delay <= TimeDelta::days(MOST_DAYS)) {
        Some(delay) if delay > TimeDelta::zero() => Ok(delay),
        Some(_) => Err(no("there is nothing to wait for".to_owned())),
        None => Err(no(format!("{text} is too long"))),
    }
}

impl Container {
    /// When, and how, it is to be deleted.
    #[must_use]
    pub const fn deletion(&self) -> Option<&Deletion> {
        self.deletion.as_ref()
    }

    pub(super) fn withdraw_delete(&self) -> Result<Vec<E>, No> {
        self.deletion.map(|_| vec![E::DeleteWithdrawn]).ok_or(No::NotToBeDeleted)
    }

    pub(super) fn begin_delete(&self, operation: OperationId) -> Result<Vec<E>, No> {
        self.deletion.map(|_| vec![E::DeleteBegun { operation }]).ok_or(No::NotToBeDeleted)
    }

    pub(super) fn lose_guest(&mut self) {
        self.guest = None;
        self.power = Power::Unknown;
        self.addresses.clear();
        self.snapshots.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_wait_has_one_unit_and_an_end() {
        for (text, seconds) in [("90s", 90), ("30m", 1800), ("24h", 86_400), ("7d", 604_800), ("45", 45)] {
            assert_eq!(delay(text), Ok(TimeDelta::seconds(seconds)), "{text}");
        }
        for text in [
            "",
            "h",
            "0",
            "0h",
            "-1h",
            "1.5h",
            "24 h",
            "1w",
            "367d",
            "99999999999999999999d",
            "9223372036854775807d",
            "１h",
        ] {
            let error = delay(text).unwrap_err();
            assert_eq!((error.field.as_str(), error.fix.is_empty()), ("delay", false), "{text}");
        }
    }
}
