//! Watches what waits: how much waits for what, and what is silent for longer than it should be.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::OperationId;
use domain::operation::{Status, WaitReason, stalled};
use platform::series::records;
use platform::views::OperationRow;

use super::Engine;

const EVERY: Duration = Duration::from_secs(30);
/// Every reason has its gauge, also when nobody waits for it.
const REASONS: [&str; 8] =
    ["queue", "lock", "slot", "proxmox_lock", "task", "host_unreachable", "retry_backoff", "delay"];

/// What one look found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// How many operations wait, by reason.
    pub waiting: BTreeMap<&'static str, u64>,
    /// Silent for longer than expected.
    pub stalled: Vec<OperationId>,
}

impl Engine {
    /// Looks now and again, until the process is told to end.
    pub async fn watch_on(&self) {
        let mut told = HashSet::new();
        loop {
            match self.watch(&mut told).await {
                Ok(_) => {}
                Err(error) => tracing::warn!(error, "what waits can't be looked at, it is tried again"),
            }
            tokio::select! {
                () = self.stopping.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// One look. What is silent is told of once, and a worker is called to it: it goes on, or fails with its reason.
    ///
    /// # Errors
    /// When the read model can't be asked; in words, for the log.
    pub async fn watch(&self, told: &mut HashSet<OperationId>) -> Result<Watched, String> {
        let mut found = Watched { waiting: REASONS.iter().map(|reason| (*reason, 0)).collect(), stalled: Vec::new() };
        let mut after = None;
        loop {
            let page = self.tools.unfinished(after).await.map_err(|error| error.to_string())?;
            for row in &page.items {
                if let Some(count) = reason(row).and_then(|reason| found.waiting.get_mut(reason)) {
                    *count += 1;
                }
                if let Some(since) = self.stalled_since(row).await? {
                    if !told.contains(&row.id) {
                        tell(row, (self.log.clock().now() - since).num_seconds());
                    }
                    found.stalled.push(row.id);
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        for (reason, count) in &found.waiting {
            metrics::gauge!("gantry_operations_waiting", "reason" => *reason).set(*count as f64);
        }
        metrics::gauge!("gantry_operations_stalled").set(found.stalled.len() as f64);
        told.retain(|id| found.stalled.contains(id));
        for id in &found.stalled {
            if told.insert(*id) && self.wake(*id).await.is_err() {
                told.remove(id);
            }
        }
        Ok(found)
    }

    async fn stalled_since(&self, row: &OperationRow) -> Result<Option<DateTime<Utc>>, String> {
        let now = self.log.clock().now();
        let judge = |sign| stalled(row.status, row.waiting.as_ref(), row.waiting_until, sign, now);
        if judge(row.updated_at).is_none() {
            return Ok(None);
        }
        let series = records::of_operation(row.id);
        let last = records::last(self.log.db(), &series).await.map_err(|error| error.to_string())?;
        let said = records::read(self.log.db(), &series, last - 1, 1).await.map_err(|error| error.to_string())?;
        let sign = said.last().map_or(row.updated_at, |record| record.at.max(row.updated_at));
        Ok(judge(sign))
    }
}

fn tell(row: &OperationRow, silent_s: i64) {
    tracing::warn!(
        operation.id = %row.id,
        container.id = row.target.map(|id| id.to_string()),
        step = row.step.map(|step| step.as_str()),
        reason = row.waiting.as_ref().map(ToString::to_string),
        silent_s,
        "nothing is heard of an operation for longer than expected"
    );
}

fn reason(row: &OperationRow) -> Option<&'static str> {
    Some(match (&row.waiting, row.status) {
        (None, Status::Queued) => "queue",
        (None, _) => return None,
        (Some(WaitReason::Lock { .. }), _) => "lock",
        (Some(WaitReason::Slot { .. }), _) => "slot",
        (Some(WaitReason::ProxmoxLock { .. }), _) => "proxmox_lock",
        (Some(WaitReason::Task { .. }), _) => "task",
        (Some(WaitReason::HostUnreachable { .. }), _) => "host_unreachable",
        (Some(WaitReason::RetryBackoff { .. }), _) => "retry_backoff",
        (Some(WaitReason::Delay), _) => "delay",
    })
}
