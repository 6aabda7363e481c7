//! When a container is backed up by itself, and which of those backups stay.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike as _, Days, NaiveTime, TimeDelta, Utc, Weekday};
use serde::{Deserialize, Serialize};

use crate::container::BackupMade;
use crate::copy::{BackupMode, check_storage, check_text};
use crate::field::{FieldError, wrong};
use crate::name;
use crate::{Aggregate, ContainerId, Event, OperationId};

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

/// In UTC: no hour that is there twice or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "unit", rename_all = "snake_case", deny_unknown_fields)]
pub enum Every {
    Hour { minute: u32 },
    Day { hour: u32, minute: u32 },
    Week { weekday: Weekday, hour: u32, minute: u32 },
    Month { day: u32, hour: u32, minute: u32 },
}

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

impl Every {
    /// The latest time at or before `now` at which one was due.
    #[must_use]
    pub fn last_due(self, now: DateTime<Utc>) -> DateTime<Utc> {
        let day = now.date_naive();
        let (step, mut at) = match self {
            Self::Hour { minute } => {
                let hour = NaiveTime::MIN + TimeDelta::hours(i64::from(chrono::Timelike::hour(&now)));
                (TimeDelta::hours(1), day.and_time(hour) + TimeDelta::minutes(minute.into()))
            }
            Self::Day { hour, minute } => (TimeDelta::days(1), day.and_time(NaiveTime::MIN) + time(hour, minute)),
            Self::Week { weekday, hour, minute } => {
                let back = day.weekday().days_since(weekday);
                let day = day.checked_sub_days(Days::new(back.into())).unwrap_or(day);
                (TimeDelta::weeks(1), day.and_time(NaiveTime::MIN) + time(hour, minute))
            }
            Self::Month { day: of, hour, minute } => {
                let this = day.with_day(of).unwrap_or(day).and_time(NaiveTime::MIN) + time(hour, minute);
                let before = this.checked_sub_months(chrono::Months::new(1)).unwrap_or(this);
                let at = if this.and_utc() > now { before } else { this };
                return at.and_utc();
            }
        };
        if at.and_utc() > now {
            at -= step;
        }
        at.and_utc()
    }

    /// The first time after `now`.
    #[must_use]
    pub fn next_due(self, now: DateTime<Utc>) -> DateTime<Utc> {
        let step = if matches!(self, Self::Hour { .. }) { TimeDelta::hours(1) } else { TimeDelta::days(1) };
        let later = (1..=31).map(|steps| self.last_due(now + step * steps));
        later.into_iter().find(|due| *due > now).unwrap_or(now)
    }

    fn faults(self) -> Vec<FieldError> {
        let (day, hour, minute) = match self {
            Self::Hour { minute } => (1, 0, minute),
            Self::Day { hour, minute } | Self::Week { hour, minute, .. } => (1, hour, minute),
            Self::Month { day, hour, minute } => (day, hour, minute),
        };
        let check = |field: &str, value: u32, least: u32, most: u32| {
            let fix = format!("choose {least} to {most}");
            (!(least..=most).contains(&value)).then(|| wrong(field, format!("{value} is out of range"), fix))
        };
        // Every month has them.
        let all =
            [check("every.day", day, 1, 28), check("every.hour", hour, 0, 23), check("every.minute", minute, 0, 59)];
        all.into_iter().flatten().collect()
    }
}

fn time(hour: u32, minute: u32) -> TimeDelta {
    TimeDelta::hours(hour.into()) + TimeDelta::minutes(minute.into())
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

    fn faults(self) -> Vec<FieldError> {
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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::HostId;
    use crate::testing::given;
    use crate::vmid::Vmid;

    fn at(text: &str) -> DateTime<Utc> {
        format!("{text}:00Z").parse().unwrap()
    }

    fn nightly() -> Schedule {
        let every = Every::Day { hour: 2, minute: 30 };
        Schedule { every, keep: Keep::default(), storage: None, mode: BackupMode::Snapshot, notes: None }
    }

    fn operation(number: u128) -> OperationId {
        OperationId::new(Uuid::from_u128(number))
    }

    #[test]
    fn the_last_due_time_is_at_or_before_now() {
        let day = Every::Day { hour: 2, minute: 30 };
        assert_eq!(day.last_due(at("2026-03-01T02:30")), at("2026-03-01T02:30"));
        assert_eq!(day.last_due(at("2026-03-01T02:29")), at("2026-02-28T02:30"));
        assert_eq!(Every::Hour { minute: 45 }.last_due(at("2026-01-01T00:10")), at("2025-12-31T23:45"));
        let sunday = Every::Week { weekday: Weekday::Sun, hour: 3, minute: 0 };
        assert_eq!(sunday.last_due(at("2026-03-01T02:00")), at("2026-02-22T03:00"));
        assert_eq!(sunday.last_due(at("2026-03-04T02:00")), at("2026-03-01T03:00"));
        let month = Every::Month { day: 28, hour: 0, minute: 0 };
        assert_eq!(month.last_due(at("2026-03-27T23:59")), at("2026-02-28T00:00"));
        assert_eq!(month.last_due(at("2026-03-31T23:59")), at("2026-03-28T00:00"));
        assert_eq!(day.next_due(at("2026-02-28T02:30")), at("2026-03-01T02:30"));
        assert_eq!(sunday.next_due(at("2026-03-04T02:00")), at("2026-03-08T03:00"));
        assert_eq!(month.next_due(at("2026-01-31T00:00")), at("2026-02-28T00:00"));
        let first = Every::Month { day: 1, hour: 4, minute: 0 };
        assert_eq!(first.last_due(at("2026-03-01T03:00")), at("2026-02-01T04:00"));
    }

    #[test]
    fn what_was_missed_is_caught_up_on_once() {
        let set = ScheduleEvent::Set { name: "nightly".into(), schedule: nightly(), at: at("2026-03-01T12:00") };
        let state = Schedules::fold([&set]);
        let standing = state.get("nightly").unwrap();
        assert_eq!(standing.due(at("2026-03-01T13:00")), None, "what was due before it was set is not");
        assert_eq!(standing.due(at("2026-03-05T13:00")), Some(at("2026-03-05T02:30")), "one for four nights");
        let due = at("2026-03-05T02:30");
        let begin = |number| ScheduleCommand::Begin { name: "nightly".into(), due, operation: operation(number) };
        let now = Given { now: at("2026-03-05T13:00") };
        let begun = ScheduleEvent::Begun { name: "nightly".into(), due, operation: operation(1) };
        given::<Schedules>([set.clone()]).when(begin(1), &now).then([begun.clone()]);
        given::<Schedules>([set.clone(), begun.clone()]).when(begin(2), &now).then_rejected(|no| {
            assert_eq!(*no, ScheduleRejection::BegunBefore);
        });
        assert_eq!(Schedules::fold([&set, &begun]).get("nightly").unwrap().due(at("2026-03-06T02:29")), None);
    }

    #[test]
    fn the_newest_and_the_newest_of_each_day_stay() {
        let made = |day: u32, hour: u32| BackupMade {
            volume: format!("{day}-{hour}"),
            host: HostId::new(Uuid::nil()),
            node: "pve1".into(),
            vmid: Vmid::try_from(100).unwrap(),
            size_bytes: 1,
            made_at: at(&format!("2026-03-{day:02}T{hour:02}:00")),
            protected: day == 1,
            operation: operation(1),
            schedule: None,
        };
        let all: Vec<_> =
            [(1, 1), (2, 1), (3, 1), (3, 9), (4, 1), (4, 9), (4, 17)].map(|(day, hour)| made(day, hour)).into();
        let all: Vec<&BackupMade> = all.iter().collect();
        assert!(Keep::default().surplus(&all).is_empty(), "nothing said keeps all");
        let last = Keep { last: Some(2), ..Keep::default() };
        assert_eq!(last.surplus(&all), ["2-1", "3-1", "3-9", "4-1"], "the protected one stays and does not count");
        let both = Keep { last: Some(2), daily: Some(2), ..Keep::default() };
        assert_eq!(both.surplus(&all), ["2-1", "3-1", "4-1"]);
        let monthly = Keep { monthly: Some(3), ..Keep::default() };
        assert_eq!(monthly.surplus(&all), ["2-1", "3-1", "3-9", "4-1", "4-9"]);
    }

    #[test]
    fn what_is_wrong_is_said_all_at_once() {
        let bad = Schedule {
            every: Every::Month { day: 31, hour: 24, minute: 60 },
            keep: Keep { last: Some(0), ..Keep::default() },
            storage: Some("a b".into()),
            notes: Some("a\nb".into()),
            ..nightly()
        };
        let fields: Vec<_> = bad.validate().into_iter().map(|error| error.field).collect();
        assert_eq!(fields, ["every.day", "every.hour", "every.minute", "keep.last", "storage", "notes"]);
        let now = Given { now: at("2026-03-05T13:00") };
        let set = ScheduleCommand::Set { name: "no name".into(), schedule: nightly() };
        given::<Schedules>([]).when(set, &now).then_rejected(|_| {});
    }
}
