//! When it is due.

use chrono::{DateTime, Datelike as _, Days, NaiveTime, TimeDelta, Utc, Weekday};
use serde::{Deserialize, Serialize};

use crate::field::{FieldError, wrong};

/// In UTC: no hour that is there twice or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "unit", rename_all = "snake_case", deny_unknown_fields)]
pub enum Every {
    Hour { minute: u32 },
    Day { hour: u32, minute: u32 },
    Week { weekday: Weekday, hour: u32, minute: u32 },
    Month { day: u32, hour: u32, minute: u32 },
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

    pub(super) fn faults(self) -> Vec<FieldError> {
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
