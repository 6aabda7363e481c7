//! The schedules of each container, as the sweep looks for those that are due.

use chrono::{DateTime, Utc};
use domain::{
    ContainerId,
    schedule::{Schedule, ScheduleEvent, Schedules},
};
use serde::{Deserialize, Serialize};

use super::{Conditions, Life, Row, Stamped, Table};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScheduleRow {
    pub container: ContainerId,
    pub schedules: Vec<Scheduled>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scheduled {
    pub name: String,
    pub schedule: Schedule,
    /// Up to then nothing is due any more.
    pub settled: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy, Default)]
pub struct ScheduleFilter;

impl Row for ScheduleRow {
    type Aggregate = Schedules;
    type Filter = ScheduleFilter;

    const TABLE: Table =
        Table { name: "schedules", key: "id", columns: &["id", "version", "created_at", "updated_at", "document"] };

    fn of(life: &Life, state: &Schedules, _: &[Stamped<ScheduleEvent>]) -> Option<Self> {
        let schedules: Vec<_> = state
            .all()
            .map(|(name, standing)| Scheduled {
                name: name.to_owned(),
                schedule: standing.schedule.clone(),
                settled: standing.settled,
            })
            .collect();
        let container = life.stream.id().parse().ok()?;
        (!schedules.is_empty()).then_some(Self { container, schedules })
    }

    fn filters(&self) -> Vec<Option<String>> {
        Vec::new()
    }

    fn conditions(_: &ScheduleFilter) -> Conditions {
        Conditions::default()
    }
}
