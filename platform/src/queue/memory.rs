//! The queue of a single process. The same rules as the Lua scripts; the contract suite holds both to them.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::job::{Catch, Depth, End, Finish, Job, Place, Taken};

#[derive(Default)]
struct State {
    /// By due time, then by order of arrival.
    waiting: BTreeSet<(Instant, u64, Uuid)>,
    running: BTreeSet<(Instant, Uuid)>,
    jobs: HashMap<Uuid, Entry>,
    arrivals: u64,
    token: u64,
}

struct Entry {
    job: Job,
    attempts: u32,
    stage: Stage,
}

enum Stage {
    Waiting { due: Instant, arrival: u64 },
    Running { until: Instant, token: u64, again: Option<Instant> },
}

#[derive(Default)]
pub(super) struct Memory(Mutex<State>);

impl Memory {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of jobs when there is no room.
    pub(super) fn push(&self, job: Job, delay: Duration, limit: u64) -> Result<(), u64> {
        let state = &mut *self.state();
        let due = Instant::now() + delay;
        let id = job.id;
        let count = state.jobs.len() as u64;
        match state.jobs.get_mut(&id).map(|entry| &mut entry.stage) {
            Some(Stage::Running { again, .. }) => *again = Some(again.map_or(due, |at| at.min(due))),
            Some(Stage::Waiting { due: old, arrival }) => {
                if due < *old {
                    state.waiting.remove(&(*old, *arrival, id));
                    state.waiting.insert((due, *arrival, id));
                    *old = due;
                }
            }
            None if count >= limit => return Err(count),
            None => {
                state.jobs.insert(id, Entry { job, attempts: 0, stage: Stage::Waiting { due, arrival: 0 } });
                state.wait(id, due);
            }
        }
        Ok(())
    }

    pub(super) fn take(&self, want: usize, lease: Duration) -> Catch {
        let state = &mut *self.state();
        let now = Instant::now();
        let time = u64::try_from(crate::clock::now().timestamp_micros()).unwrap_or(0);
        let mut jobs = Vec::new();
        while jobs.len() < want {
            let expired = state.running.first().copied().filter(|(until, _)| *until <= now);
            let (id, due, redelivered) = if let Some((until, id)) = expired {
                state.running.pop_first();
                (id, until, true)
            } else if let Some((due, _, id)) = state.waiting.first().copied().filter(|(due, ..)| *due <= now) {
                state.waiting.pop_first();
                (id, due, false)
            } else {
                break;
            };
            // As on Redis the time is the floor, so that tokens rise over a restart too.
            state.token = state.token.max(time) + 1;
            let (token, until) = (state.token, now + lease);
            let Some(entry) = state.jobs.get_mut(&id) else { continue };
            let again = match entry.stage {
                Stage::Running { again, .. } => again,
                Stage::Waiting { .. } => None,
            };
            entry.stage = Stage::Running { until, token, again };
            entry.attempts += 1;
            state.running.insert((until, id));
            let waited = now.duration_since(due);
            jobs.push(Taken { job: entry.job.clone(), token, attempt: entry.attempts, redelivered, waited });
        }
        let next = [state.waiting.first().map(|w| w.0), state.running.first().map(|r| r.0)].into_iter().flatten().min();
        Catch { jobs, next: next.map(|at| at.saturating_duration_since(now)) }
    }

    pub(super) fn renew(&self, leases: &[(Uuid, u64)], lease: Duration) -> Vec<bool> {
        let state = &mut *self.state();
        let deadline = Instant::now() + lease;
        let mut held = Vec::with_capacity(leases.len());
        for (id, mine) in leases {
            held.push(match state.jobs.get_mut(id).map(|entry| &mut entry.stage) {
                Some(Stage::Running { until, token, .. }) if token == mine => {
                    state.running.remove(&(*until, *id));
                    state.running.insert((deadline, *id));
                    *until = deadline;
                    true
                }
                _ => false,
            });
        }
        held
    }

    pub(super) fn finish(&self, batch: &[Finish]) -> Vec<bool> {
        let state = &mut *self.state();
        batch.iter().map(|one| state.finish(*one)).collect()
    }

    pub(super) fn place(&self, id: Uuid) -> Option<Place> {
        let state = self.state();
        let now = Instant::now();
        Some(match state.jobs.get(&id)?.stage {
            Stage::Running { .. } => Place::Running,
            Stage::Waiting { due, .. } if due > now => Place::Delayed { for_: due - now },
            Stage::Waiting { due, arrival } => {
                Place::Queued { ahead: state.waiting.range(..(due, arrival, id)).count() as u64 }
            }
        })
    }

    pub(super) fn depth(&self) -> Depth {
        let state = self.state();
        let now = Instant::now();
        let delayed = state.waiting.iter().rev().take_while(|(due, ..)| *due > now).count() as u64;
        Depth { queued: state.waiting.len() as u64 - delayed, delayed, running: state.running.len() as u64 }
    }
}

impl State {
    fn wait(&mut self, id: Uuid, due: Instant) {
        self.arrivals += 1;
        let arrival = self.arrivals;
        if let Some(entry) = self.jobs.get_mut(&id) {
            entry.stage = Stage::Waiting { due, arrival };
            self.waiting.insert((due, arrival, id));
        }
    }

    fn finish(&mut self, Finish { id, token: mine, end }: Finish) -> bool {
        let now = Instant::now();
        let Some(entry) = self.jobs.get_mut(&id) else { return false };
        let (until, again) = match entry.stage {
            Stage::Running { until, token, again } if token == mine => (until, again),
            _ => return false,
        };
        self.running.remove(&(until, id));
        let due = match end {
            End::Done => None,
            End::Again(after) | End::Failed(after) => Some(now + after),
            End::Back => Some(now),
        };
        match end {
            End::Done | End::Again(_) => entry.attempts = 0,
            End::Back => entry.attempts = entry.attempts.saturating_sub(1),
            End::Failed(_) => {}
        }
        match due.into_iter().chain(again).min() {
            Some(due) => self.wait(id, due),
            None => drop(self.jobs.remove(&id)),
        }
        true
    }
}
