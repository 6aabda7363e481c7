//! How much may be at work at once: bounded per storage, node and host, and shared fairly between accounts.
//!
//! An operation first takes one of its account's places at the node, as many as the node has slots; only who has one
//! stands in line for a slot. So nobody has more in line than can run at once, and who asks for one container does not
//! wait behind somebody's hundred. Who gets none is put aside: it stands in its account's line in the read model, in
//! no process's memory, until a place is given back. All take slots in the same order, from the narrowest to the widest.

use std::time::Duration;

use domain::container::Container;
use domain::operation::{OperationCommand as C, WaitReason};
use domain::pipeline::StepName;
use futures_util::future::join_all;
use platform::lock::{Guard, Holder, LockError};
use platform::views::{ahead_in_line, next_in_line};

use super::bounds::{At, Bound, bounds, share};
use super::work::{Along, Work};
use super::{Engine, EngineError, Turn};
use crate::steps::Leased;

/// Longer than anybody waits in one go; then it stands in line again.
const IN_LINE: Duration = Duration::from_secs(3600);
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// The slots that a turn holds; to be given back when it ends.
#[derive(Default)]
pub(super) struct Slots {
    share: Option<Bound>,
    held: Vec<Guard>,
    complete: bool,
}

/// What came of asking for slots.
#[derive(PartialEq, Eq)]
pub(super) enum Asked {
    /// It has all that it needs.
    Granted,
    /// There is something else to do first.
    Overtaken,
    /// Its account has its share in use: it is called when it is next, and takes no place in this process until then.
    PutAside,
}

impl Engine {
    /// Takes the slots that the operation needs from here on.
    pub(super) async fn take_slots(
        &self,
        work: &mut Work,
        turn: &Turn,
        slots: &mut Slots,
    ) -> Result<Asked, EngineError> {
        if slots.complete {
            return Ok(Asked::Granted);
        }
        let Some(place) = self.place_of(work).await? else { return Ok(Asked::Granted) };
        // The step will say what is wrong with the host.
        let Ok(host) = self.tools.hosts.get(place.host).await else { return Ok(Asked::Granted) };
        let share = share(&place, &host.settings, work.meta.account);
        if !self.take_share(work, turn, slots, share).await? {
            return Ok(Asked::PutAside);
        }
        for bound in bounds(&place, &host.settings) {
            if !self.take_slot(work, turn, slots, &bound).await? {
                self.give_back(slots).await;
                return Ok(Asked::Overtaken);
            }
        }
        slots.complete = true;
        Ok(Asked::Granted)
    }

    /// Gives back what a turn held, and calls whoever is next.
    pub(super) async fn give_back(&self, slots: &mut Slots) {
        join_all(slots.held.drain(..).map(Guard::release)).await;
        slots.complete = false;
        if let Some(share) = slots.share.take() {
            self.call_next(&share).await;
        }
    }

    /// False when the account has its share in use.
    async fn take_share(
        &self,
        work: &mut Work,
        turn: &Turn,
        slots: &mut Slots,
        share: Bound,
    ) -> Result<bool, EngineError> {
        let was_aside = work.operation.waiting().and_then(|waiting| waiting.reason.line()) == Some(&share.key);
        if self.try_slot(work, turn, slots, &share).await.is_err() {
            if !was_aside {
                let place = ahead_in_line(self.log.db(), &share.key, work.id, work.asked_at).await?;
                work.record(C::Wait { reason: share.reason(place), until: None }, Along::default()).await?;
            }
            // Whoever gave back the last place before that was written saw nobody in line.
            if was_aside || self.try_slot(work, turn, slots, &share).await.is_err() {
                return Ok(false);
            }
        }
        work.record(C::Resume, Along::default()).await?;
        if was_aside {
            // A place that nobody called us to may not be the only one.
            self.call_next(&share).await;
        }
        slots.share = Some(share);
        Ok(true)
    }

    /// Calls as many of a line as there are places free. Who is not called because of a crash is found by the sweep.
    async fn call_next(&self, line: &Bound) {
        let call = async {
            let held = self.tools.locks.inspect(&line.key).await.map_err(|error| error.to_string())?;
            let free = line.limit.saturating_sub(held.map_or(0, |seen| seen.holders.len()));
            let Some(free) = u32::try_from(free).ok().filter(|free| *free > 0) else { return Ok(()) };
            let next = next_in_line(self.log.db(), &line.key, free).await.map_err(|error| error.to_string())?;
            for id in next {
                self.wake(id).await.map_err(|error| error.to_string())?;
            }
            Ok::<(), String>(())
        };
        if let Err(error) = call.await {
            tracing::warn!(error, key = line.key, "who is next in line was not called, the sweep finds it");
        }
    }

    /// Without standing in line; if there is none, how many do.
    async fn try_slot(&self, work: &Work, turn: &Turn, slots: &mut Slots, bound: &Bound) -> Result<(), u64> {
        let line = self.tools.locks.slots(&bound.key, bound.limit);
        match line.try_acquire(holder(work, turn), self.tools.settings.lease).await {
            Ok(guard) => {
                slots.held.push(guard);
                Ok(())
            }
            Err(LockError::Taken(taken)) => Err(taken.ahead),
            Err(LockError::Backend(error)) => {
                // Slots are a courtesy to the host; without Redis there is nobody to ask, and it comes back.
                tracing::warn!(%error, key = bound.key, "no slot could be asked for");
                Err(0)
            }
        }
    }

    /// Stands in line until there is one. False when there is something else to do first.
    async fn take_slot(
        &self,
        work: &mut Work,
        turn: &Turn,
        slots: &mut Slots,
        bound: &Bound,
    ) -> Result<bool, EngineError> {
        let ttl = self.tools.settings.lease;
        let line = self.tools.locks.slots(&bound.key, bound.limit);
        let Err(ahead) = self.try_slot(work, turn, slots, bound).await else { return Ok(true) };
        let reason = bound.reason(ahead);
        let holder = holder(work, turn);
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

fn holder(work: &Work, turn: &Turn) -> Holder {
    Holder { who: turn.name.clone(), what: format!("operation {}", work.id) }
}

/// What the engine itself waits for is asked for again by whoever goes on; it is no time that has to pass.
pub(super) fn is_ours(reason: &WaitReason) -> bool {
    matches!(reason, WaitReason::Slot { .. } | WaitReason::Lock { .. } | WaitReason::Task { .. })
}
