//! Containers that are to be deleted at a time are deleted then: whoever has the log sleeps until the next of them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::container::{Container, ContainerCommand};
use domain::{Aggregate as _, ContainerId, Meta, OperationId};
use platform::log::StreamAppend;
use platform::views::{self, ContainerFilter, ContainerRow, MOST, Order, Page};
use uuid::Uuid;

use super::Engine;
use super::begin::{Begun, encoded};

/// Somebody else may be at work on one that is due, and the bus may lose a word.
const EVERY: Duration = Duration::from_secs(15);

/// Where it is heard that another container is to be deleted.
#[must_use]
pub fn deletions_topic() -> &'static str {
    "deletions"
}

/// What a look at those that are to be deleted came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deletions {
    /// Deletes that it began.
    pub begun: u64,
    /// When the next is due.
    pub next: Option<DateTime<Utc>>,
}

impl Engine {
    /// Deletes what is due when it is due, until the process is told to end.
    pub async fn deletions_on(&self) {
        let mut told = self.tools.bus.subscribe(deletions_topic());
        loop {
            let looked = self.delete_due().await.unwrap_or_else(|error| {
                tracing::warn!(error, "the look for containers to delete failed, it comes again");
                Deletions::default()
            });
            if looked.begun > 0 {
                tracing::info!(begun = looked.begun, "deletes that were put off were begun");
            }
            let until = looked.next.map(|at| (at - self.log.clock().now()).to_std().unwrap_or_default());
            tokio::select! {
                () = self.stopping.cancelled() => return,
                _ = told.next() => {}
                () = tokio::time::sleep(until.unwrap_or(EVERY).min(EVERY)) => {}
            }
        }
    }

    /// One look.
    ///
    /// # Errors
    /// When the read model or the log can't be asked; in words, for the log.
    pub async fn delete_due(&self) -> Result<Deletions, String> {
        let filter = ContainerFilter { to_delete: true, ..ContainerFilter::default() };
        let mut looked = Deletions::default();
        let mut page = Page { limit: MOST, after: None, order: Order::Oldest };
        loop {
            let rows = views::page::<ContainerRow>(self.log.db(), &filter, &page).await;
            let rows = rows.map_err(|error| error.to_string())?;
            for row in rows.items {
                let Some(deletion) = row.deletion else { continue };
                if deletion.at <= self.log.clock().now() {
                    looked.begun += u64::from(self.delete(row.id).await?);
                } else {
                    looked.next = Some(looked.next.map_or(deletion.at, |next| next.min(deletion.at)));
                }
            }
            page.after = rows.next;
            if page.after.is_none() {
                return Ok(looked);
            }
        }
    }

    async fn delete(&self, id: ContainerId) -> Result<bool, String> {
        let container = self.log.load::<Container>(id).await.map_err(|error| error.to_string())?;
        // It may have been taken back or put off since it was seen.
        let due = container.state.deletion().filter(|deletion| deletion.at <= self.log.clock().now());
        let Some(deletion) = due else { return Ok(false) };
        let operation = OperationId::new(Uuid::now_v7());
        let said = container.state.decide(ContainerCommand::BeginDelete(operation), &());
        let said = StreamAppend {
            stream: Container::stream(id),
            expected: container.expected(),
            events: encoded(&said.map_err(|error| error.to_string())?)?,
        };
        let begun =
            self.begin(Meta::system("deletion"), operation, deletion.command(id), &container.state, said).await?;
        Ok(matches!(begun, Begun::Yes))
    }
}
