//! Snapshots and backups as Proxmox shows them, those made by others too, and how ours say which operation made them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::OperationId;
use crate::field::{FieldError, wrong};
use crate::name;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub name: String,
    pub description: Option<String>,
    /// The one that it was taken after.
    pub parent: Option<String>,
    pub taken_at: Option<DateTime<Utc>>,
    /// None for one that was not made by us.
    pub operation: Option<OperationId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// As Proxmox names it: storage and file.
    pub volume: String,
    pub size_bytes: u64,
    pub made_at: Option<DateTime<Utc>>,
    pub notes: Option<String>,
    /// Nobody deletes it by mistake.
    pub protected: bool,
    /// None for one that was not made by us.
    pub operation: Option<OperationId>,
}

/// What becomes of the guest while it is copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupMode {
    /// It runs on; its storage keeps the moment.
    #[default]
    Snapshot,
    /// It is held for a short while, twice.
    Suspend,
    /// It is stopped, and started again.
    Stop,
}

/// The name of a backup: the last part of its volume's.
#[must_use]
pub fn file(volume: &str) -> &str {
    volume.rsplit('/').next().unwrap_or(volume)
}

/// Why Proxmox's word could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSeen {
    #[error("the host does not answer")]
    HostAway,
    #[error("the guest is gone from Proxmox")]
    Gone,
    #[error("{0}")]
    Failed(String),
}

const MARK: &str = "[gantry:operation=";
/// Proxmox keeps 1024 characters of a backup's notes; the mark takes 55 of them.
const LONGEST: usize = 900;

/// The text with the operation that makes the copy, in one line as Proxmox wants notes.
#[must_use]
pub fn marked(text: Option<&str>, operation: OperationId) -> String {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    text.map_or_else(|| format!("{MARK}{operation}]"), |text| format!("{text} {MARK}{operation}]"))
}

/// The text without the mark, and the operation that it names.
#[must_use]
pub fn unmarked(text: &str) -> (Option<String>, Option<OperationId>) {
    let text = text.trim();
    let found = text.rsplit_once(MARK).and_then(|(before, rest)| {
        let id = rest.strip_suffix(']')?.parse::<Uuid>().ok()?;
        Some((before.trim(), OperationId::new(id)))
    });
    let (text, operation) = found.map_or((text, None), |(before, id)| (before, Some(id)));
    (Some(text.to_owned()).filter(|text| !text.is_empty()), operation)
}

#[must_use]
pub fn check_snapshot_name(text: &str) -> Option<FieldError> {
    let fix = "a letter, then letters, digits, - and _; 2 to 40 in all, and neither current, pending nor vzdump";
    (!name::is_snapshot(text)).then(|| wrong("name", format!("{text:?} is no snapshot's name"), fix))
}

#[must_use]
pub fn check_storage(text: &str) -> Option<FieldError> {
    let fix = "write it as Proxmox shows it, like local, or leave it out";
    (!name::is_storage(text)).then(|| wrong("storage", format!("{text:?} is no storage's name"), fix))
}

/// What people write about a copy: one line that Proxmox keeps as it is.
#[must_use]
pub fn check_text(field: &str, text: &str) -> Option<FieldError> {
    let (problem, fix) = if text.chars().count() > LONGEST {
        ("is too long".to_owned(), format!("at most {LONGEST} characters"))
    } else if text.contains(|c: char| c.is_control() || c == '\\') || text.contains("{{") || text.contains(MARK) {
        let problem = "has signs that Proxmox reads otherwise".to_owned();
        (problem, "one line, without backslashes and {{".to_owned())
    } else {
        return None;
    };
    Some(wrong(field, problem, fix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_comes_back_and_the_text_too() {
        let id = OperationId::new(Uuid::from_u128(7));
        assert_eq!(unmarked(&marked(Some("before the upgrade"), id)), (Some("before the upgrade".into()), Some(id)));
        assert_eq!(unmarked(&format!("{}\n", marked(None, id))), (None, Some(id)));
        assert_eq!(unmarked("by hand"), (Some("by hand".into()), None));
        assert_eq!(unmarked("[gantry:operation=x]"), (Some("[gantry:operation=x]".into()), None));
    }

    #[test]
    fn names_are_those_that_proxmox_takes() {
        for good in ["ab", "Before-upgrade_2", &"a".repeat(40)] {
            assert_eq!(check_snapshot_name(good), None, "{good}");
        }
        for bad in ["", "a", "1a", "-a", "a b", "a.b", "a/b", "ä1", "Current", "vzdump", &"a".repeat(41)] {
            assert!(check_snapshot_name(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn a_text_is_one_line() {
        assert_eq!(check_text("description", "Anns Laden, vor dem Umzug ✓"), None);
        for bad in ["a\nb", "{{vmid}}", "a\\n", "[gantry:operation=", &"a".repeat(901)] {
            assert!(check_text("description", bad).is_some(), "{bad}");
        }
    }
}
