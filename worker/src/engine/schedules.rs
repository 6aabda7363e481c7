//! Backups that are due begin by themselves, each once: what began it stands in the schedule's own stream, and of two
//! workers that see it due the log takes one.

use std::time::Duration;

use domain::container::{BackupMade, Container, Lifecycle};
use domain::copy::file;
use domain::operation::Command;
use domain::schedule::{self, ScheduleCommand, Schedules};
use domain::{Aggregate, ContainerId, Meta, OperationId};
use platform::log::{Loaded, StreamAppend};
use platform::views::{self, MOST, Order, Page, ScheduleFilter, ScheduleRow};
use uuid::Uuid;

use super::Engine;
use super::begin::{Begun, encoded};

const EVERY: Duration = Duration::from_secs(15);

impl Engine {
    /// Looks now and again for what is due, until the process is told to end.
    pub async fn schedules_on(&self) {
        loop {
            match self.begin_due().await {
                Ok(0) => {}
                Ok(begun) => tracing::info!(begun, "scheduled backups, and deletions of old ones, were begun"),
                Err(error) => tracing::warn!(error, "the look for what is due failed, it comes again"),
            }
            tokio::select! {
                () = self.stopping.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// One look; says how many operations it began.
    ///
    /// # Errors
    /// When the read model or the log can't be asked; in words, for the log.
    pub async fn begin_due(&self) -> Result<u64, String> {
        let mut begun = 0;
        let mut page = Page { limit: MOST, after: None, order: Order::Oldest };
        loop {
            let rows = views::page::<ScheduleRow>(self.log.db(), &ScheduleFilter, &page).await;
            let rows = rows.map_err(|error| error.to_string())?;
            for row in rows.items {
                let now = self.log.clock().now();
                let due = |one: &views::Scheduled| one.schedule.every.last_due(now) > one.settled;
                let prunes = |one: &views::Scheduled| one.schedule.keep != schedule::Keep::default();
                if row.schedules.iter().any(|one| due(one) || prunes(one)) {
                    begun += u64::from(self.look_at(row.container).await?);
                }
            }
            page.after = rows.next;
            if page.after.is_none() {
                return Ok(begun);
            }
        }
    }

    /// Begins one thing at most: a container has one operation at a time.
    async fn look_at(&self, id: ContainerId) -> Result<bool, String> {
        let schedules = self.log.load::<Schedules>(id).await.map_err(|error| error.to_string())?;
        let container = self.log.load::<Container>(id).await.map_err(|error| error.to_string())?.state;
        if container.lifecycle() == Lifecycle::Removed {
            return self.forget(id, &schedules.state).await.map(|()| false);
        }
        if container.lifecycle() != Lifecycle::Ready || container.guest().is_none() {
            return Ok(false);
        }
        let operation = OperationId::new(Uuid::now_v7());
        let now = self.log.clock().now();
        // One that is too many makes room for one that there is none for.
        for wanted in [due(id, &schedules.state, operation, now), surplus(id, &schedules.state, &container, operation)]
        {
            let Some(wanted) = wanted else { continue };
            match self.begin_scheduled(id, &schedules, &container, wanted, operation).await? {
                Begun::Yes => return Ok(true),
                Begun::SomebodyElse => return Ok(false),
                // It stays due, and begins when there is room.
                Begun::NoRoom => {
                    tracing::warn!(container.id = %id, "a scheduled backup waits: its account may have no more");
                }
            }
        }
        Ok(false)
    }

    /// A container that is gone needs none.
    async fn forget(&self, id: ContainerId, schedules: &Schedules) -> Result<(), String> {
        let given = schedule::Given { now: self.log.clock().now() };
        for (name, _) in schedules.all() {
            let command = ScheduleCommand::Remove { name: name.to_owned() };
            let removed = self.log.execute::<Schedules>(id, command, &given, Meta::system("schedule")).await;
            removed.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    async fn begin_scheduled(
        &self,
        container_id: ContainerId,
        schedules: &Loaded<Schedules>,
        container: &Container,
        (command, asked): (Command, ScheduleCommand),
        operation: OperationId,
    ) -> Result<Begun, String> {
        let now = self.log.clock().now();
        let said = schedules.state.decide(asked, &schedule::Given { now }).map_err(|error| error.to_string())?;
        let said = StreamAppend {
            stream: Schedules::stream(container_id),
            expected: schedules.expected(),
            events: encoded(&said)?,
        };
        self.begin(Meta::system("schedule"), operation, command, container, said).await
    }
}

fn due(
    container: ContainerId,
    schedules: &Schedules,
    operation: OperationId,
    now: chrono::DateTime<chrono::Utc>,
) -> Option<(Command, ScheduleCommand)> {
    for (name, standing) in schedules.all() {
        if let Some(due) = standing.due(now) {
            let schedule = &standing.schedule;
            let command = Command::BackUp {
                container,
                storage: schedule.storage.clone(),
                mode: schedule.mode,
                notes: schedule.notes.clone(),
                protected: false,
                schedule: Some(name.to_owned()),
            };
            return Some((command, ScheduleCommand::Begin { name: name.to_owned(), due, operation }));
        }
    }
    None
}

/// The oldest backup that is too many.
fn surplus(
    container: ContainerId,
    schedules: &Schedules,
    state: &Container,
    operation: OperationId,
) -> Option<(Command, ScheduleCommand)> {
    schedules.all().find_map(|(name, standing)| {
        let made: Vec<&BackupMade> = state.backups().filter(|made| made.schedule.as_deref() == Some(name)).collect();
        let volume = standing.surplus(&made)?;
        let command = Command::DeleteBackup { container, backup: file(&volume).to_owned() };
        Some((command, ScheduleCommand::Prune { name: name.to_owned(), volume, operation }))
    })
}
