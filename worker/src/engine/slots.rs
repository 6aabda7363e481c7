//! How much may be at work at once: bounded per storage, node and host, and shared fairly between accounts.
//!
//! An operation first takes one of its account's places at the node, as many as the node has slots; only who has one
//! stands in line for a slot. So nobody has more in line than can run at once, and who asks for one container does not
//! wait behind somebody's hundred. All take them in the same order, from the narrowest to the widest.

use std::time::Duration;

use domain::container::Container;
use domain::host::HostSettings;
use domain::operation::{OperationCommand as C, WaitReason};
use domain::pipeline::StepName;
use domain::{AccountId, HostId};
use platform::lock::{Guard, Holder, LockError};

use super::work::{Along, Work};
use super::{Engine, EngineError, Turn};
use crate::steps::Leased;

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
        let Some(place) = self.place_of(work).await? else { return Ok(true) };
        // The step will say what is wrong with the host.
        let Ok(host) = self.tools.hosts.get(place.host).await else { return Ok(true) };
        for bound in bounds(&place, &host.settings, work.meta.account) {
            if !self.take_slot(work, turn, slots, &bound).await? {
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
        bound: &Bound,
    ) -> Result<bool, EngineError> {
        let ttl = self.tools.settings.lease;
        let line = self.tools.locks.slots(&bound.key, bound.limit);
        let holder = || Holder { who: turn.name.clone(), what: format!("operation {}", work.id) };
        let ahead = match line.try_acquire(holder(), ttl).await {
            Ok(guard) => {
                slots.held.push(guard);
                return Ok(true);
            }
            Err(LockError::Taken(taken)) => taken.ahead,
            Err(LockError::Backend(error)) => {
                // Slots are a courtesy to the host; without Redis there is nobody to ask, and it comes back.
                tracing::warn!(%error, key = bound.key, "no slot could be asked for");
                0
            }
        };
        let place = u32::try_from(ahead).unwrap_or(u32::MAX).saturating_add(1);
        let reason = WaitReason::Slot { limit: bound.words.clone(), place, key: Some(bound.key.clone()) };
        let holder = holder();
        work.record(C::Wait { reason, until: None }, Along::default()).await?;
        let mut asked = self.tools.asked_of(work.id);
        loop {
            let acquiring = line.acquire(holder.clone(), ttl, IN_LINE);
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

    async fn place_of(&self, work: &Work) -> Result<Option<At>, EngineError> {
        let fact = |step| work.operation.fact(step).cloned();
        let leased = fact(StepName::LeaseVmid).or_else(|| fact(StepName::KeepPlace));
        if let Some(Leased { place, .. }) = leased.and_then(|fact| serde_json::from_value(fact).ok()) {
            let storage = Some((place.storage, place.shared));
            return Ok(Some(At { host: place.host, node: place.node, storage }));
        }
        let Some(target) = work.operation.accepted().and_then(|accepted| accepted.target) else { return Ok(None) };
        let container = self.log.load::<Container>(target).await?;
        Ok(container.state.guest().map(|guest| At { host: guest.host, node: guest.node.clone(), storage: None }))
    }
}

/// Where an operation works; the storage when it writes whole disks to it.
struct At {
    host: HostId,
    node: String,
    /// And whether all nodes share it.
    storage: Option<(String, bool)>,
}

/// So many at once, and what that means to who waits.
struct Bound {
    key: String,
    limit: usize,
    words: String,
}

fn bounds(at: &At, settings: &HostSettings, account: Option<AccountId>) -> Vec<Bound> {
    let (host, node, name, limits) = (at.host, &at.node, &settings.name, settings.limits);
    let account = account.map_or_else(|| "none".to_owned(), |account| account.to_string());
    let bound = |key: String, limit: u16, what: String| Bound {
        key,
        limit: limit.into(),
        words: format!("{what} (at most {limit} at once)"),
    };
    let mut bounds = vec![bound(
        format!("account:{host}:{node}:{account}"),
        limits.per_node,
        format!("your share of node {node} of {name}"),
    )];
    if let Some((storage, shared)) = &at.storage {
        let key = if *shared { format!("{host}:{storage}") } else { format!("{host}:{node}:{storage}") };
        bounds.push(bound(
            format!("storage:{key}"),
            limits.per_storage,
            format!("storage {storage} on node {node} of {name}"),
        ));
    }
    bounds.push(bound(format!("node:{host}:{node}"), limits.per_node, format!("node {node} of {name}")));
    bounds.push(bound(format!("host:{host}"), limits.per_host, format!("host {name}")));
    bounds
}

/// What the engine itself waits for is asked for again by whoever goes on; it is no time that has to pass.
pub(super) fn is_ours(reason: &WaitReason) -> bool {
    matches!(reason, WaitReason::Slot { .. } | WaitReason::Lock { .. } | WaitReason::Task { .. })
}
