//! The schedules that stand, and how they came to.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{Given, MOST, Schedule, ScheduleCommand, ScheduleEvent, ScheduleRejection, check_name};
use crate::container::BackupMade;
use crate::{Aggregate, ContainerId, OperationId};

/// The schedules of one container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schedules {
    by_name: BTreeMap<String, Standing>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub schedule: Schedule,
    /// Up to then nothing is due any more.
    pub settled: DateTime<Utc>,
    pub last: Option<OperationId>,
    /// Deleting was asked for since the last backup; not asked again before the next one.
    pruned: BTreeSet<String>,
}

impl Standing {
    /// The one time that is due: the latest, whatever was missed before it.
    #[must_use]
    pub fn due(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        Some(self.schedule.every.last_due(now)).filter(|due| *due > self.settled)
    }

    /// The first that is too many and that nobody was asked to delete yet.
    #[must_use]
    pub fn surplus(&self, backups: &[&BackupMade]) -> Option<String> {
        self.schedule.keep.surplus(backups).into_iter().find(|volume| !self.pruned.contains(volume))
    }
}

impl Schedules {
    pub fn all(&self) -> impl Iterator<Item = (&str, &Standing)> {
        self.by_name.iter().map(|(name, standing)| (name.as_str(), standing))
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Standing> {
        self.by_name.get(name)
    }
}

impl Aggregate for Schedules {
    const CATEGORY: &'static str = "schedule";

    type Id = ContainerId;
    type Command = ScheduleCommand;
    type Event = ScheduleEvent;
    type Rejection = ScheduleRejection;
    type Given = Given;

    fn decide(&self, command: ScheduleCommand, given: &Given) -> Result<Vec<ScheduleEvent>, ScheduleRejection> {
        use {ScheduleCommand as C, ScheduleEvent as E, ScheduleRejection as No};
        let known = |name: &String| self.by_name.get(name).ok_or(No::Unknown);
        Ok(vec![match command {
            C::Set { name, schedule } => {
                let errors: Vec<_> = check_name(&name).into_iter().chain(schedule.validate()).collect();
                match self.by_name.get(&name) {
                    _ if !errors.is_empty() => return Err(No::Invalid(errors)),
                    Some(standing) if standing.schedule == schedule => return Ok(vec![]),
                    None if self.by_name.len() >= MOST => return Err(No::TooMany),
                    _ => E::Set { name, schedule, at: given.now },
                }
            }
            C::Remove { name } => {
                known(&name)?;
                E::Removed { name }
            }
            C::Begin { name, due, operation } => match known(&name)?.settled {
                settled if due <= settled => return Err(No::BegunBefore),
                _ => E::Begun { name, due, operation },
            },
            C::Prune { name, volume, operation } => match known(&name)?.pruned.contains(&volume) {
                true => return Err(No::BegunBefore),
                false => E::Pruned { name, volume, operation },
            },
        }])
    }

    fn evolve(mut self, event: &ScheduleEvent) -> Self {
        use ScheduleEvent as E;
        match event {
            E::Set { name, schedule, at } => {
                let fresh = Standing { schedule: schedule.clone(), settled: *at, last: None, pruned: BTreeSet::new() };
                // Another time of day does not make the past due.
                let standing = self.by_name.entry(name.clone()).or_insert(fresh);
                standing.schedule = schedule.clone();
                standing.settled = *at;
            }
            E::Removed { name } => drop(self.by_name.remove(name)),
            E::Begun { name, due, operation } => {
                if let Some(standing) = self.by_name.get_mut(name) {
                    standing.settled = *due;
                    standing.last = Some(*operation);
                    standing.pruned.clear();
                }
            }
            E::Pruned { name, volume, .. } => {
                if let Some(standing) = self.by_name.get_mut(name) {
                    standing.pruned.insert(volume.clone());
                }
            }
        }
        self
    }
}
