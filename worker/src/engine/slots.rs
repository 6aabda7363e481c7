//! How much may be at work at once: bounded per node, and shared fairly between accounts.
//!
//! An operation first takes one of its account's places at the node, as many as the node has slots; only who has one
//! stands in line for a slot. So nobody has more in line than can run at once, and who asks for one container does not
//! wait behind somebody's hundred.

use std::time::Duration;

use domain::container::Container;
use domain::operation::{OperationCommand as C, WaitReason};
use domain::pipeline::StepName;
use platform::lock::{Guard, Holder, LockError};

use super::work::{Along, Work};
use super::{Engine, EngineError, Turn};
use crate::steps::Leased;

const TTL: Duration = Duration::from_secs(20);
/// Longer than anybody waits in one go; then it stands in line again.
const IN_LINE: Duration = Duration::from_secs(3600);
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// The slots that a turn holds; given back when it ends.
#[derive(Default)]
pub(super) struct Slots {
    held: Vec<Guard>,
    complete: bool,
}

impl Engine {
    /// Takes the slots that the operation needs from here on. False when there is something else to do first.
    pub(super) async fn take_slots(
        &self,
        work: &mut Work,
        turn: &Turn,
        slots: &mut Slots,
    ) -> Result<bool, EngineError> {
        if slots.complete {
            return Ok(true);
        }
        let Some((host, node)) = self.place_of(work).await? else { return Ok(true) };
        let limit = match self.tools.hosts.get(host).await {
            Ok(host) => usize::from(host.settings.limits.per_node),
            // The step will say what is wrong with the host.
            Err(_) => return Ok(true),
        };
        let account = work.meta.account.map_or_else(|| "none".to_owned(), |account| account.to_string());
        for key in [format!("account:{host}:{node}:{account}"), format!("node:{host}:{node}")] {
            if !self.take_slot(work, turn, slots, &key, limit).await? {
                slots.held.clear();
                return Ok(false);
            }
        }
        slots.complete = true;
        Ok(true)
    }

    async fn take_slot(
        &self,
        work: &mut Work,
        turn: &Turn,
        slots: &mut Slots,
        key: &str,
        limit: usize,
    ) -> Result<bool, EngineError> {
        let line = self.tools.locks.slots(key, limit);
        let holder = || Holder { who: turn.name.clone(), what: format!("operation {}", work.id) };
        let ahead = match line.try_acquire(holder(), TTL).await {
            Ok(guard) => {
                slots.held.push(guard);
                return Ok(true);
            }
            Err(LockError::Taken(taken)) => taken.ahead,
            Err(LockError::Backend(error)) => {
                // Slots are a courtesy to the host; without Redis there is nobody to ask, and it comes back.
                tracing::warn!(%error, key, "no slot could be asked for");
                0
            }
        };
        let place = u32::try_from(ahead).unwrap_or(u32::MAX).saturating_add(1);
        let reason = WaitReason::Slot { limit: key.to_owned(), place };
        let holder = holder();
        work.record(C::Wait { reason, until: None }, Along::default()).await?;
        let mut asked = self.tools.asked_of(work.id);
        loop {
            let acquiring = line.acquire(holder.clone(), TTL, IN_LINE);
            tokio::pin!(acquiring);
            let got = loop {
                tokio::select! {
                    got = &mut acquiring => break got,
                    () = turn.lost.cancelled() => return Ok(false),
                    () = self.stopping.cancelled() => return Ok(false),
                    _ = asked.next() => {
                        work.catch_up().await?;
                        if work.operation.cancel_requested() {
                            return Ok(false);
                        }
                    }
                }
            };
            match got {
                Ok(guard) => {
                    slots.held.push(guard);
                    work.record(C::Resume, Along::default()).await?;
                    return Ok(true);
                }
                Err(_) => tokio::time::sleep(TRY_AGAIN).await,
            }
        }
    }

    async fn place_of(&self, work: &Work) -> Result<Option<(domain::HostId, String)>, EngineError> {
        let leased = work.operation.fact(StepName::LeaseVmid).cloned();
        if let Some(leased) = leased.and_then(|fact| serde_json::from_value::<Leased>(fact).ok()) {
            return Ok(Some((leased.place.host, leased.place.node)));
        }
        let Some(target) = work.operation.accepted().and_then(|accepted| accepted.target) else { return Ok(None) };
        let container = self.log.load::<Container>(target).await?;
        Ok(container.state.guest().map(|guest| (guest.host, guest.node.clone())))
    }
}

/// What the engine itself waits for is asked for again by whoever goes on; it is no time that has to pass.
pub(super) fn is_ours(reason: &WaitReason) -> bool {
    matches!(reason, WaitReason::Slot { .. } | WaitReason::Lock { .. } | WaitReason::Task { .. })
}
