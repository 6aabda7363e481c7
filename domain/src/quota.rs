//! How much an account may have at once.

use serde::{Deserialize, Serialize};

use crate::container::ContainerSpec;

/// None is without limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Quota {
    pub containers: Option<u32>,
    pub cores: Option<u32>,
    pub memory_mb: Option<u32>,
    pub disk_gb: Option<u32>,
    pub snapshots: Option<u32>,
    pub backups: Option<u32>,
}

/// What is taken of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub containers: u64,
    pub cores: u64,
    pub memory_mb: u64,
    pub disk_gb: u64,
    #[serde(default)]
    pub snapshots: u64,
    #[serde(default)]
    pub backups: u64,
}

/// What a command takes of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Takes {
    /// A container's place, or a larger one.
    Place,
    Snapshot,
    Backup,
}

/// One limit that would be passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Over {
    pub what: &'static str,
    pub limit: u64,
    /// With what was asked for.
    pub wanted: u64,
}

impl Usage {
    #[must_use]
    pub fn of(spec: &ContainerSpec) -> Self {
        Self {
            containers: 1,
            cores: spec.cores.into(),
            memory_mb: spec.memory_mb.into(),
            disk_gb: spec.disk_gb.into(),
            snapshots: 0,
            backups: 0,
        }
    }

    /// The larger of both, of each.
    #[must_use]
    pub fn most(self, other: Self) -> Self {
        Self {
            containers: self.containers.max(other.containers),
            cores: self.cores.max(other.cores),
            memory_mb: self.memory_mb.max(other.memory_mb),
            disk_gb: self.disk_gb.max(other.disk_gb),
            snapshots: self.snapshots.max(other.snapshots),
            backups: self.backups.max(other.backups),
        }
    }

    /// By name, in the order of the quota.
    #[must_use]
    pub const fn named(&self) -> [(&'static str, u64); 6] {
        [
            ("containers", self.containers),
            ("cores", self.cores),
            ("memory_mb", self.memory_mb),
            ("disk_gb", self.disk_gb),
            ("snapshots", self.snapshots),
            ("backups", self.backups),
        ]
    }
}

impl Takes {
    /// More than it may have of the one is no reason to refuse the other.
    fn of(self, what: &str) -> bool {
        match self {
            Self::Place => !matches!(what, "snapshots" | "backups"),
            Self::Snapshot => what == "snapshots",
            Self::Backup => what == "backups",
        }
    }

    /// One more of it.
    #[must_use]
    pub fn one(self) -> Usage {
        match self {
            Self::Place => Usage { containers: 1, ..Usage::default() },
            Self::Snapshot => Usage { snapshots: 1, ..Usage::default() },
            Self::Backup => Usage { backups: 1, ..Usage::default() },
        }
    }
}

impl Quota {
    #[must_use]
    pub fn limits(&self) -> [Option<u64>; 6] {
        [self.containers, self.cores, self.memory_mb, self.disk_gb, self.snapshots, self.backups]
            .map(|limit| limit.map(u64::from))
    }

    /// Every limit that this passes, of those that are taken of; none when it fits.
    #[must_use]
    pub fn passed_by(&self, usage: &Usage, takes: Takes) -> Vec<Over> {
        let both = usage.named().into_iter().zip(self.limits());
        both.filter(|((what, _), _)| takes.of(what))
            .filter_map(|((what, wanted), limit)| {
                limit.filter(|limit| wanted > *limit).map(|limit| Over { what, limit, wanted })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_that_is_passed_is_named_and_none_where_there_is_no_limit() {
        let quota = Quota { containers: Some(2), cores: Some(4), ..Quota::default() };
        let usage = Usage { containers: 2, cores: 5, memory_mb: 1 << 40, snapshots: 9, ..Usage::default() };
        assert_eq!(quota.passed_by(&usage, Takes::Place), [Over { what: "cores", limit: 4, wanted: 5 }]);
        // Who has too many cores may still take a snapshot, and the other way round.
        assert_eq!(quota.passed_by(&usage, Takes::Snapshot), []);
        let quota = Quota { snapshots: Some(8), ..Quota::default() };
        assert_eq!(quota.passed_by(&usage, Takes::Snapshot), [Over { what: "snapshots", limit: 8, wanted: 9 }]);
        assert_eq!(quota.passed_by(&usage, Takes::Place), []);
    }
}
