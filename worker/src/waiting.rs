//! Waiting for Proxmox's tasks from within a step.

use std::time::Duration;

use domain::SealedId;
use domain::operation::{Failure, FailureKind};
use domain::progress::LogStream;
use proxmox::shell::Secret;
use proxmox::{Finished, TaskList, Upid, Waiting};

use crate::context::Context;
use crate::failure::proxmox_failure;
use crate::hosts::Host;
use crate::step::StepError;

/// A download of an image is the longest that is waited for.
const LONGEST: Duration = Duration::from_secs(3600);

impl Context {
    /// Waits for a task's end; a cancellation stops the task.
    pub(crate) async fn task(&self, host: &Host, upid: &Upid) -> Result<(), StepError> {
        self.task_within(host, upid, LONGEST).await
    }

    pub(crate) async fn task_within(&self, host: &Host, upid: &Upid, limit: Duration) -> Result<(), StepError> {
        let waiting = Waiting { limit, cancel: self.cancel.clone() };
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
        for upid in self.running_tasks(host, node, vmid).await? {
            let waiting = Waiting { limit: LONGEST, cancel: self.cancel.clone() };
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
