//! What the worker works with. One per process.

use std::sync::Arc;

use domain::container::{Container, ContainerCommand, TemplateVersion};
use domain::operation::{Failure, Operation, OperationCommand, Status};
use domain::pipeline::StepName;
use domain::template::Template;
use domain::{Aggregate as _, ContainerId, OperationId, TraceParent};
use platform::bus::{Bus, Subscription};
use platform::catalogue::Catalogue;
use platform::lock::Locks;
use platform::log::{Log, StreamAppend};
use platform::series::records;
use platform::vault::Vault;
use platform::views::{self, Cursor, MOST, OperationFilter, OperationRow, Order, Page, Paged, Row, ViewError};
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::engine::EngineError;
use crate::hosts::Hosts;
use crate::progress::{Reporter, command_topic, topic};
use crate::step::StepError;
use crate::steps::sealed_for;
use crate::vmids::Vmids;

pub struct Tools {
    pub log: Log,
    pub bus: Bus,
    pub locks: Locks,
    pub vault: Vault,
    pub catalogue: Catalogue,
    pub hosts: Hosts,
    pub(crate) vmids: Vmids,
    pub settings: Settings,
}

/// What an operator may turn.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether a missing image may be fetched from the Proxmox catalogue.
    pub download_images: bool,
    /// How long to wait for a guest's address.
    pub address_within: std::time::Duration,
    /// How long what was installed may take until its ports listen, and again until its health check holds.
    pub healthy_within: std::time::Duration,
    /// After that time without a sign, what a process held is free for others.
    pub lease: std::time::Duration,
}

impl Tools {
    #[must_use]
    pub fn new(
        log: Log,
        bus: Bus,
        locks: Locks,
        vault: Vault,
        catalogue: Catalogue,
        hosts: Hosts,
        settings: Settings,
    ) -> Self {
        Self { log, bus, locks, vault, catalogue, hosts, vmids: Vmids::default(), settings }
    }

    pub(crate) fn context(
        self: &Arc<Self>,
        id: OperationId,
        operation: &Operation,
        step: StepName,
        cancel: CancellationToken,
        reporter: &Reporter,
        trace: Option<TraceParent>,
    ) -> Option<Context> {
        Some(Context {
            id,
            container_id: operation.accepted()?.target?,
            operation: operation.clone(),
            step,
            cancel,
            tools: self.clone(),
            reporter: reporter.clone(),
            trace,
            container: tokio::sync::OnceCell::new(),
            template: tokio::sync::OnceCell::new(),
        })
    }

    pub(crate) fn asked_of(&self, id: OperationId) -> Subscription {
        self.bus.subscribe(&command_topic(id))
    }

    /// Tells the watchers that there may be more.
    pub(crate) async fn announce(&self, id: OperationId) {
        match records::last(self.log.db(), &records::of_operation(id)).await {
            Ok(last) => self.bus.publish(&topic(id), last.unsigned_abs()).await,
            Err(error) => tracing::warn!(operation.id = %id, %error, "watchers could not be told"),
        }
    }

    /// A version that some container got.
    pub(crate) async fn version(&self, version: &TemplateVersion) -> Result<Template, StepError> {
        let found = self.catalogue.version(&version.hash).await.map_err(StepError::internal)?;
        found.ok_or_else(|| {
            let detail = format!("{} at version {} is not stored any more", version.name, version.hash);
            StepError::last(Failure::new("template-missing", "The template is gone", detail))
        })
    }

    /// Every row of a read model that the filter leaves.
    pub(crate) async fn all<R: Row>(&self, filter: R::Filter) -> Result<Vec<R>, StepError> {
        let (mut rows, mut after) = (Vec::new(), None);
        loop {
            let page = Page { limit: MOST, after, order: Order::Oldest };
            let found = views::page::<R>(self.log.db(), &filter, &page).await.map_err(StepError::internal)?;
            rows.extend(found.items);
            after = found.next;
            if after.is_none() {
                return Ok(rows);
            }
        }
    }

    /// A page of operations that have not ended, after the one given.
    pub(crate) async fn unfinished(&self, after: Option<Cursor>) -> Result<Paged<OperationRow>, ViewError> {
        let filter = OperationFilter { status: vec![Status::Queued, Status::Running], ..OperationFilter::default() };
        let page = Page { limit: MOST, after, order: Order::Oldest };
        views::page::<OperationRow>(self.log.db(), &filter, &page).await
    }

    /// What the container's stream has to say when an operation ends otherwise than by its last step.
    pub(crate) async fn at_the_end(
        &self,
        operation: &Operation,
        end: &OperationCommand,
        because: Option<Failure>,
    ) -> Result<Option<StreamAppend>, EngineError> {
        let Some(asked) = operation.accepted().map(|accepted| &accepted.command) else { return Ok(None) };
        if asked.change().is_some() && matches!(end, OperationCommand::Fail | OperationCommand::FinishCancel) {
            return self.container_says(asked.target(), ContainerCommand::DropChange).await;
        }
        let rebuilds = asked.rebuild().is_some();
        if asked.creates().is_none() && !rebuilds {
            return Ok(None);
        }
        let command = match (end, because) {
            (OperationCommand::Fail | OperationCommand::GetStuck, Some(failure)) => {
                ContainerCommand::FailCreate(operation.failing().cloned().unwrap_or(failure))
            }
            // Of one that has not begun yet the container takes no note.
            (OperationCommand::FinishCancel, _) if rebuilds => ContainerCommand::FailCreate(cut_short()),
            (OperationCommand::FinishCancel, _) => ContainerCommand::CancelCreate,
            _ => return Ok(None),
        };
        self.container_says(asked.target(), command).await
    }

    /// A create that was taken back leaves a container that nobody can retry: what was sealed for it goes. So does a
    /// password that was not set.
    pub(crate) async fn forget_wish(&self, operation: &Operation) -> Result<(), EngineError> {
        if let Some(domain::operation::Command::SetRootPassword { password, .. }) =
            operation.accepted().map(|a| &a.command)
        {
            self.vault.forget(*password).await?;
            return Ok(());
        }
        if let Some(command) = operation.accepted().map(|accepted| &accepted.command)
            && let Some(rebuild) = command.rebuild()
        {
            let container = self.log.load::<Container>(command.target()).await?.state;
            let kept = container.request().map(|request| (request.root_password, request.inputs)).unwrap_or_default();
            // One that had begun is left to a retry, which needs them.
            for id in rebuild.sealed().filter(|id| Some(*id) != kept.0 && Some(*id) != kept.1) {
                self.vault.forget(id).await?;
            }
            return Ok(());
        }
        let Some(container) = operation.accepted().and_then(|accepted| accepted.command.creates()) else {
            return Ok(());
        };
        for id in sealed_for(&self.log, container).await? {
            self.vault.forget(id).await?;
        }
        Ok(())
    }

    async fn container_says(
        &self,
        id: ContainerId,
        command: ContainerCommand,
    ) -> Result<Option<StreamAppend>, EngineError> {
        let loaded = self.log.load::<Container>(id).await?;
        // What the container refuses has been said before, or nobody needs to know any more.
        let events = loaded.state.decide(command, &()).unwrap_or_default();
        if events.is_empty() {
            return Ok(None);
        }
        let events = events.iter().map(domain::Event::encode).collect::<Result<Vec<_>, _>>()?;
        Ok(Some(StreamAppend { stream: Container::stream(id), expected: loaded.expected(), events }))
    }
}

fn cut_short() -> Failure {
    let detail = "its old guest is gone: retry the operation, rebuild it from something else, or delete the container";
    Failure::new("rebuild-cancelled", "The rebuild was cancelled", detail)
}
