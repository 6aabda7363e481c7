//! Which of its backups stay.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike as _, Utc};
use serde::{Deserialize, Serialize};

use crate::container::BackupMade;
use crate::field::{FieldError, wrong};

/// How many of a schedule's own backups stay: the newest ones, and the newest one of each of so many days, weeks, months.
/// Nothing set keeps all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keep {
    pub last: Option<u32>,
    pub daily: Option<u32>,
    pub weekly: Option<u32>,
    pub monthly: Option<u32>,
}

/// Names the day, week or month of a time.
type Period = fn(DateTime<Utc>) -> (i32, u32, u32);

impl Keep {
    /// Which of a schedule's backups are too many, the oldest first. Those that are protected stay and do not count.
    #[must_use]
    pub fn surplus(self, backups: &[&BackupMade]) -> Vec<String> {
        if self == Self::default() {
            return Vec::new();
        }
        let mut all: Vec<&BackupMade> = backups.iter().copied().filter(|made| !made.protected).collect();
        all.sort_by_key(|made| std::cmp::Reverse(made.made_at));
        let mut kept: BTreeSet<&str> = BTreeSet::new();
        let newest = self.last.and_then(|most| usize::try_from(most).ok()).unwrap_or(0);
        kept.extend(all.iter().take(newest).map(|made| made.volume.as_str()));
        let periods: [(Option<u32>, Period); 3] = [
            (self.daily, |at| (at.year(), at.month(), at.day())),
            (self.weekly, |at| (at.iso_week().year(), at.iso_week().week(), 0)),
            (self.monthly, |at| (at.year(), at.month(), 0)),
        ];
        for (most, period) in periods {
            let mut seen = BTreeSet::new();
            for made in &all {
                if seen.len() < usize::try_from(most.unwrap_or(0)).unwrap_or(0) && seen.insert(period(made.made_at)) {
                    kept.insert(&made.volume);
                }
            }
        }
        all.iter().rev().filter(|made| !kept.contains(made.volume.as_str())).map(|made| made.volume.clone()).collect()
    }

    pub(super) fn faults(self) -> Vec<FieldError> {
        let all = [("last", self.last), ("daily", self.daily), ("weekly", self.weekly), ("monthly", self.monthly)];
        let wrong_one = |(field, value): (&str, Option<u32>)| {
            let value = value.filter(|value| !(1..=1000).contains(value))?;
            Some(wrong(
                format!("keep.{field}"),
                format!("{value} is out of range"),
                "choose 1 to 1000, or leave it out",
            ))
        };
        all.into_iter().filter_map(wrong_one).collect()
    }
}
