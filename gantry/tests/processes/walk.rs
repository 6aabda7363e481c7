//! The log alone, from its first event to its last: what it tells of containers and operations, and where it contradicts
//! itself.

use std::collections::{BTreeMap, BTreeSet};

use domain::container::{Container, ContainerEvent, Lifecycle};
use domain::operation::{Command, Operation, OperationEvent, StepRun, StepState};
use domain::pipeline::StepName;
use domain::vmid::{VmidEvent, VmidLease};
use domain::{AccountId, Aggregate as _, ContainerId, OperationId, Recorded};

#[derive(Default)]
pub(crate) struct Walk {
    pub(crate) containers: BTreeMap<ContainerId, Container>,
    pub(crate) operations: BTreeMap<OperationId, Operation>,
    /// Those whose template may have run more than once, with all that was copied from them.
    pub(crate) run_again: BTreeSet<ContainerId>,
    /// The operation that was the last to be asked for of a container.
    pub(crate) last: BTreeMap<ContainerId, OperationId>,
    leases: BTreeMap<String, VmidLease>,
    pub(crate) wrong: Vec<String>,
}

impl Walk {
    pub(crate) fn through(events: &[Recorded], quotas: &BTreeMap<AccountId, u64>) -> Self {
        let mut walk = Self::default();
        for (event, next) in events.iter().zip(events.iter().skip(1).map(Some).chain([None])) {
            let at = event.position;
            match event.stream.category() {
                "operation" => walk.operation(event.stream.id().parse().unwrap(), &event.event().unwrap()),
                "container" => walk.container(event.stream.id().parse().unwrap(), &event.event().unwrap()),
                VmidLease::CATEGORY => walk.lease(event.stream.id(), &event.event().unwrap()),
                _ => {}
            }
            // What is committed together has one time, and is seen by nobody in between.
            if next.is_none_or(|next| next.recorded_at != event.recorded_at) {
                walk.within_quotas(quotas);
            }
            for wrong in walk.wrong.iter_mut().filter(|wrong| !wrong.starts_with('@')) {
                *wrong = format!("@{at} {wrong}");
            }
        }
        walk
    }

    fn operation(&mut self, id: OperationId, event: &OperationEvent) {
        use OperationEvent as E;
        let state = self.operations.remove(&id).unwrap_or_default();
        let step = |name: &StepName| state.step(*name).cloned().unwrap_or_default();
        let wrong = match event {
            E::Accepted(accepted) => {
                if let Some(container) = accepted.target {
                    self.last.insert(container, id);
                    let again = match &accepted.command {
                        Command::ApplyTemplate { .. } | Command::UpdateContainer { .. } => true,
                        command => command.source().is_some_and(|source| self.run_again.contains(&source)),
                    };
                    if again {
                        self.run_again.insert(container);
                    }
                }
                state.accepted().map(|_| "was accepted twice".to_owned())
            }
            E::RetryRequested => (!state.has_ended()).then(|| "is retried without having ended".to_owned()),
            _ if state.has_ended() => Some(format!("had ended and goes on with {event:?}")),
            E::StepStarted { step: name, .. } => {
                (step(name).state == StepState::Succeeded).then(|| format!("{name} is done again"))
            }
            E::StepSucceeded { step: name, .. } | E::StepFailed { step: name, .. } => {
                unfounded(&step(name), StepState::Started).map(|what| format!("{name} {what}"))
            }
            E::Undone { step: name } | E::UndoFailed { step: name, .. } => {
                unfounded(&step(name), StepState::Undoing).map(|what| format!("undo of {name} {what}"))
            }
            _ => None,
        };
        self.wrong.extend(wrong.map(|wrong| format!("operation {id}: {wrong}")));
        self.operations.insert(id, state.evolve(event));
    }

    fn container(&mut self, id: ContainerId, event: &ContainerEvent) {
        let state = self.containers.remove(&id).unwrap_or_default();
        if let (ContainerEvent::GuestCreated { vmid, .. }, Some(guest)) = (event, state.guest()) {
            self.wrong.push(format!("container {id}: has guest {} and gets {vmid}", guest.vmid));
        }
        self.containers.insert(id, state.evolve(event));
    }

    fn lease(&mut self, name: &str, event: &VmidEvent) {
        let state = self.leases.remove(name).unwrap_or_default();
        let before = state.holder();
        let after = state.evolve(event);
        if let (Some(before), Some(now)) = (before, after.holder())
            && before != now
        {
            self.wrong.push(format!("VMID {name}: is {before}'s and becomes {now}'s"));
        }
        self.leases.insert(name.to_owned(), after);
    }

    fn within_quotas(&mut self, quotas: &BTreeMap<AccountId, u64>) {
        for (account, limit) in quotas {
            let taken = self.places(*account);
            if taken > *limit {
                self.wrong.push(format!("account {account}: has {taken} containers of {limit}"));
            }
        }
    }

    /// How many containers count for an account.
    pub(crate) fn places(&self, account: AccountId) -> u64 {
        let of = |container: &&Container| container.request().and_then(|request| request.account) == Some(account);
        self.containers.values().filter(of).filter(|container| counts(container)).count() as u64
    }
}

/// Whether it takes its place in the quota.
pub(crate) fn counts(container: &Container) -> bool {
    match container.lifecycle() {
        Lifecycle::Creating | Lifecycle::Ready => true,
        Lifecycle::Failed => container.guest().is_some() || container.is_rebuilt(),
        Lifecycle::Unknown | Lifecycle::Removed => false,
    }
}

/// A result that nobody was about to bring: twice, or from somebody whose work is another's by now.
fn unfounded(run: &StepRun, wanted: StepState) -> Option<String> {
    match run.state {
        state if state != wanted => Some(format!("has a result while it is {state:?}")),
        _ if run.interrupted => Some("has a result from a worker that had lost it".to_owned()),
        _ => None,
    }
}
