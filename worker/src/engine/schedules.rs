//! Backups that are due begin by themselves, each once: what began it stands in the schedule's own stream, and of two
//! workers that see it due the log takes one.

use std::time::Duration;

use domain::container::{BackupMade, Container, Lifecycle};
use domain::copy::file;
use domain::operation::{Accepted, Command, Given, Operation, OperationCommand};
use domain::schedule::{self, ScheduleCommand, Schedules};
use domain::{Aggregate, ContainerId, Meta, OperationId};
use platform::log::{Append, Expected, Loaded};
use platform::people::quota;
use platform::views::{self, MOST, Order, Page, ScheduleFilter, ScheduleRow, clone_sources};
use uuid::Uuid;

use super::Engine;

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
            let Some((command, asked)) = wanted else { continue };
            match self.begin(&schedules, &container, command, asked, operation).await? {
                Begun::Yes => return Ok(true),
                Begun::SomebodyElse => return Ok(false),
                Begun::NoRoom => {}
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

    async fn begin(
        &self,
        schedules: &Loaded<Schedules>,
        container: &Container,
        command: Command,
        asked: ScheduleCommand,
        operation: OperationId,
    ) -> Result<Begun, String> {
        let words = |error: &dyn std::fmt::Display| error.to_string();
        let Some(id) = command.target() else { return Ok(Begun::SomebodyElse) };
        let now = self.log.clock().now();
        let said = schedules.state.decide(asked, &schedule::Given { now }).map_err(|error| words(&error))?;
        let account = container.request().and_then(|request| request.account);
        let held = account.zip(command.takes()).map(|(account, takes)| quota::held(account, takes));
        let free = clone_sources::free(operation, &command);
        let accepted = Accepted::new(command, account, container.guest().map(|guest| guest.host));
        let accepted = Operation::default().decide(OperationCommand::Accept(accepted), &Given { now });
        let accepted = accepted.map_err(|error| words(&error))?;
        let meta = Meta { correlation: Some(operation.uuid()), account, ..Meta::system("schedule") };
        let append = Append::new(meta).stream(Schedules::stream(id), schedules.expected(), encoded(&said)?).stream(
            Operation::stream(operation),
            Expected::New,
            encoded(&accepted)?,
        );
        match self.log.append(held.into_iter().chain(free).fold(append, Append::with)).await {
            Ok(_) => {}
            // It stays due, and begins when there is room.
            Err(error) if error.over_quota().is_some() => {
                tracing::warn!(container.id = %id, %error, "a scheduled backup waits: its account may have no more");
                return Ok(Begun::NoRoom);
            }
            // Another worker was first, or an operation is at work on the container: the next look tries again.
            Err(error) if error.is_conflict() || error.is_taken() => return Ok(Begun::SomebodyElse),
            Err(error) => return Err(words(&error)),
        }
        if let Err(error) = self.wake(operation).await {
            tracing::warn!(operation.id = %operation, %error, "the job was not queued, the sweep will find the operation");
        }
        Ok(Begun::Yes)
    }
}

enum Begun {
    Yes,
    /// Another worker was first, or something else is at work on the container.
    SomebodyElse,
    /// The account may have no more.
    NoRoom,
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

fn encoded<E: domain::Event>(events: &[E]) -> Result<Vec<domain::NewEvent>, String> {
    events.iter().map(domain::Event::encode).collect::<Result<_, _>>().map_err(|error| error.to_string())
}
