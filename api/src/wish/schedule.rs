use chrono::Weekday;
use domain::copy::BackupMode;
use domain::schedule::{Every, Keep, Schedule};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::paging::wrong;
use crate::problem::FieldProblem;

/// When, where to, and how many stay.
#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "every": "day", "at": "02:30", "keep": { "last": 3, "weekly": 4 } }))]
pub(crate) struct ScheduleWish {
    /// `hour`, `day`, `week` or `month`.
    #[schema(value_type = String, example = "day")]
    every: Option<Unit>,
    /// In UTC, like `02:30`; of each hour only the minutes count.
    #[schema(example = "02:30")]
    at: Option<String>,
    /// Of `week`: `mon` to `sun`.
    #[schema(value_type = Option<String>, example = "sun")]
    weekday: Option<Weekday>,
    /// Of `month`: 1 to 28.
    #[schema(minimum = 1, maximum = 28)]
    day: Option<u32>,
    /// All stay when nothing is said.
    #[serde(default)]
    keep: KeepWish,
    /// Left out: the node's one with the most room.
    #[schema(example = "local")]
    storage: Option<String>,
    /// `snapshot` (it runs on), `suspend` or `stop`; `snapshot` when left out.
    #[schema(value_type = Option<String>, example = "snapshot")]
    mode: Option<BackupMode>,
    /// One line, on each of them.
    notes: Option<String>,
}

/// The newest ones, and the newest one of each of so many days, weeks and months.
#[derive(Debug, Default, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeepWish {
    last: Option<u32>,
    daily: Option<u32>,
    weekly: Option<u32>,
    monthly: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Unit {
    Hour,
    Day,
    Week,
    Month,
}

impl ScheduleWish {
    /// What is wrong with it goes to `errors`.
    pub(crate) fn resolve(&self, errors: &mut Vec<FieldProblem>) -> Schedule {
        let at = self.at.as_deref().unwrap_or("00:00");
        let (hour, minute) = time(at).unwrap_or_else(|| {
            errors.push(wrong("at", &format!("{at:?} is no time of day"), "write it like 02:30"));
            (0, 0)
        });
        if self.every.is_none() {
            errors.push(wrong("every", "is missing", "choose hour, day, week or month"));
        }
        for (field, given, unit) in
            [("weekday", self.weekday.is_some(), Unit::Week), ("day", self.day.is_some(), Unit::Month)]
        {
            match (given, self.every == Some(unit)) {
                (true, false) if self.every.is_some() => errors.push(wrong(field, "is not for this", "leave it out")),
                (false, true) => errors.push(wrong(field, "is missing", "say on which day")),
                _ => {}
            }
        }
        let every = match self.every {
            Some(Unit::Hour) => Every::Hour { minute },
            Some(Unit::Day) | None => Every::Day { hour, minute },
            Some(Unit::Week) => Every::Week { weekday: self.weekday.unwrap_or(Weekday::Sun), hour, minute },
            Some(Unit::Month) => Every::Month { day: self.day.unwrap_or(1), hour, minute },
        };
        let KeepWish { last, daily, weekly, monthly } = self.keep;
        let schedule = Schedule {
            every,
            keep: Keep { last, daily, weekly, monthly },
            storage: self.storage.clone(),
            mode: self.mode.unwrap_or_default(),
            notes: self.notes.clone(),
        };
        let found = schedule.validate().into_iter().map(|error| {
            let field = error.field.strip_prefix("every.").unwrap_or(&error.field);
            let field = if field == "hour" || field == "minute" { "at" } else { field }.to_owned();
            FieldProblem { field, ..error.into() }
        });
        errors.extend(found);
        schedule
    }
}

fn time(text: &str) -> Option<(u32, u32)> {
    let (hour, minute) = text.split_once(':')?;
    let number =
        |text: &str| Some(text).filter(|t| t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit()))?.parse().ok();
    Some((number(hour)?, number(minute)?))
}
