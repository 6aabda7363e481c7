//! Waiting for Proxmox's tasks from within a step.

use std::time::Duration;

use domain::SealedId;
use domain::operation::{Failure, FailureKind, StepState};
use domain::progress::LogStream;
use proxmox::shell::Secret;
use proxmox::{Finished, Task, TaskList, Upid, Waiting};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::failure::proxmox_failure;
use crate::hosts::Host;
use crate::step::{Done, StepError};

/// A download of an image is the longest that is waited for.
const LONGEST: Duration = Duration::from_secs(3600);

impl Context {
    /// Waits for a task's end; a cancellation stops the task.
    pub(crate) async fn task(&self, host: &Host, upid: &Upid) -> Result<(), StepError> {
        self.task_within(host, upid, LONGEST).await
    }

    pub(crate) async fn task_within(&self, host: &Host, upid: &Upid, limit: Duration) -> Result<(), StepError> {
        self.end_of(host, upid, limit, self.cancel.clone()).await
    }

    /// Waits for the end of a task that must not be stopped in its middle, where Proxmox would leave a guest locked.
    pub(crate) async fn task_through(&self, host: &Host, upid: &Upid) -> Result<(), StepError> {
        self.end_of(host, upid, LONGEST, CancellationToken::new()).await
    }

    async fn end_of(
        &self,
        host: &Host,
        upid: &Upid,
        limit: Duration,
        cancel: CancellationToken,
    ) -> Result<(), StepError> {
        let waiting = Waiting { limit, cancel };
        match host.client.wait_silently(upid, &waiting).await {
            Ok(Finished::Done { warnings }) => {
                for warning in warnings {
                    self.line(upid.kind(), LogStream::Stderr, warning, None).await;
                }
                Ok(())
            }
            Ok(Finished::Cancelled { .. }) => Err(StepError::Cancelled),
            Ok(Finished::Overdue) => {
                let detail = format!("{} runs longer than {} s", upid.kind(), limit.as_secs());
                let failure = Failure::new("task-overdue", "A task of Proxmox takes too long", detail);
                Err(StepError::new(FailureKind::Temporary, failure.because(upid)))
            }
            Err(error) => Err(proxmox_failure(error)),
        }
    }

    /// Waits for the tasks of ours that still work on a guest, however they end.
    pub(crate) async fn await_tasks_of(&self, host: &Host, node: &str, vmid: u32) -> Result<(), StepError> {
        self.ends_of(host, node, vmid, &self.cancel).await
    }

    /// The same for tasks that must not be stopped in their middle.
    pub(crate) async fn tasks_of_through(&self, host: &Host, node: &str, vmid: u32) -> Result<(), StepError> {
        self.ends_of(host, node, vmid, &CancellationToken::new()).await
    }

    async fn ends_of(&self, host: &Host, node: &str, vmid: u32, cancel: &CancellationToken) -> Result<(), StepError> {
        for upid in self.running_tasks(host, node, vmid).await? {
            let waiting = Waiting { limit: LONGEST, cancel: cancel.clone() };
            match host.client.wait_silently(&upid, &waiting).await {
                Ok(Finished::Cancelled { .. }) => return Err(StepError::Cancelled),
                // What came of it shows in the guest.
                Ok(_) | Err(proxmox::Error::TaskFailed { .. }) => {}
                Err(error) => return Err(proxmox_failure(error)),
            }
        }
        Ok(())
    }

    pub(crate) async fn stop_tasks_of(&self, host: &Host, node: &str, vmid: u32) -> Result<(), StepError> {
        for upid in self.running_tasks(host, node, vmid).await? {
            host.client.stop_task(&upid).await.map_err(proxmox_failure)?;
        }
        Ok(())
    }

    /// The newest task of a kind that worked on the container's guest. Told apart from the one before ours, it says
    /// whether ours was done.
    pub(crate) async fn last_task(&self, kind: &str) -> Result<Option<Task>, StepError> {
        let (host, place) = (self.host().await?, self.place().await?);
        let wanted = TaskList {
            vmid: Some(place.vmid.get()),
            kind: Some(kind.to_owned()),
            with_active: true,
            ..TaskList::default()
        };
        let tasks = host.client.tasks(&place.node, &wanted).await.map_err(proxmox_failure)?;
        // The newest stand first, also of those that began in the same second.
        Ok(tasks.into_iter().reduce(|newest, task| if task.starttime > newest.starttime { task } else { newest }))
    }

    /// The last task of a kind before ours, so that ours is known when it is there: an intent.
    pub(crate) async fn before_task(&self, kind: &str, before: Option<&Value>) -> Result<Done, StepError> {
        let interrupted = self.operation.step(self.step).is_some_and(|run| run.state == StepState::Started);
        match before.filter(|_| interrupted) {
            Some(before) => Done::with(before),
            None => Done::with(&json!({ "last": self.last_task(kind).await?.map(|task| task.upid.to_string()) })),
        }
    }

    /// Whether a task of ours, begun after that intent, has ended well.
    pub(crate) async fn task_was_done(&self, kind: &str, intent: Option<&Value>) -> Result<bool, StepError> {
        let (host, place) = (self.host().await?, self.place().await?);
        self.tasks_of_through(&host, &place.node, place.vmid.get()).await?;
        let before = intent.and_then(|intent| intent.get("last")).and_then(Value::as_str);
        let last = self.last_task(kind).await?.filter(|task| task.status.as_deref() == Some("OK"));
        Ok(last.is_some_and(|task| Some(task.upid.as_str()) != before))
    }

    async fn running_tasks(&self, host: &Host, node: &str, vmid: u32) -> Result<Vec<Upid>, StepError> {
        let wanted = TaskList { vmid: Some(vmid), with_active: true, ..TaskList::default() };
        let tasks = host.client.tasks(node, &wanted).await.map_err(proxmox_failure)?;
        let running = tasks.into_iter().filter(|task| task.endtime.is_none());
        Ok(running.map(|task| task.upid).collect())
    }

    pub(crate) async fn secret(&self, id: SealedId) -> Result<Secret, StepError> {
        let opened = self.tools.vault.open(id).await.map_err(StepError::internal)?;
        Ok(Secret::new(opened.expose().to_vec()))
    }
}
