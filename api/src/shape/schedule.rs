//! Backup schedules as their readers see them.

use chrono::{DateTime, Utc};
use domain::schedule::{Every, Standing};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::operation::word;

#[derive(Debug, Serialize, ToSchema)]
pub struct ScheduleView {
    #[schema(example = "nightly")]
    pub name: String,
    /// `hour`, `day`, `week` or `month`.
    #[schema(example = "day")]
    pub every: String,
    /// In UTC.
    #[schema(example = "02:30")]
    pub at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Sun")]
    pub weekday: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<u32>,
    /// `last`, `daily`, `weekly` and `monthly`, each a number or null; all null keeps all.
    #[schema(value_type = Object, example = json!({ "last": 3, "daily": null, "weekly": 4, "monthly": null }))]
    pub keep: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
    #[schema(example = "snapshot")]
    pub mode: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    pub next: DateTime<Utc>,
    /// The last one that was begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/v1/operations/0199a4c0-5f6e-7c3a-9d53-0d6b2f3c1a77")]
    pub last: Option<String>,
}

impl ScheduleView {
    #[must_use]
    pub fn of(name: &str, standing: &Standing, now: DateTime<Utc>) -> Self {
        let schedule = &standing.schedule;
        let (every, hour, minute, weekday, day) = match schedule.every {
            Every::Hour { minute } => ("hour", 0, minute, None, None),
            Every::Day { hour, minute } => ("day", hour, minute, None, None),
            Every::Week { weekday, hour, minute } => ("week", hour, minute, Some(weekday.to_string()), None),
            Every::Month { day, hour, minute } => ("month", hour, minute, None, Some(day)),
        };
        Self {
            name: name.to_owned(),
            every: every.to_owned(),
            at: format!("{hour:02}:{minute:02}"),
            weekday,
            day,
            keep: serde_json::to_value(schedule.keep).unwrap_or_default(),
            storage: schedule.storage.clone(),
            mode: word(&schedule.mode),
            notes: schedule.notes.clone(),
            next: standing.due(now).unwrap_or_else(|| schedule.every.next_due(now)),
            last: standing.last.map(|id| format!("/v1/operations/{id}")),
        }
    }
}
