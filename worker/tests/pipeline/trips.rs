//! Where a turn is to be cut off, as if the process had been killed there: a read model that sees every append of an
//! operation and can refuse it.
#![allow(unreachable_pub, reason = "shared by the tests of this program")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use domain::operation::{Operation, OperationEvent};
use domain::pipeline::StepName;
use domain::{Aggregate as _, OperationId, Recorded, StreamId};
use futures_util::future::BoxFuture;
use platform::db::Tx;
use platform::views::{Table, View, ViewError};

#[derive(Debug, Clone, Copy)]
pub enum Trip {
    /// What the step did took effect; nothing of it is recorded.
    BeforeEnd(StepName),
    BeforeStart(StepName),
    /// The same for its undo.
    BeforeUndone(StepName),
    /// Killed when the operation's stream was to come to this version, before it has.
    Before(i64),
    /// Killed as soon as it has.
    After(i64),
}

#[derive(Debug, PartialEq, Eq)]
pub enum Met {
    Tripped,
    /// It ended without ever coming there.
    Ended,
}

#[derive(Default)]
pub struct Trips(Mutex<HashMap<StreamId, (Trip, bool)>>);

impl Trips {
    pub fn set(&self, id: OperationId, trip: Trip) {
        self.0.lock().unwrap().insert(Operation::stream(id), (trip, false));
    }

    pub fn clear(&self, id: OperationId) {
        self.0.lock().unwrap().remove(&Operation::stream(id));
    }

    pub fn is_met(&self, id: OperationId) -> bool {
        self.0.lock().unwrap().get(&Operation::stream(id)).is_some_and(|(_, met)| *met)
    }

    /// Whether the event may be appended.
    fn lets(&self, recorded: &Recorded) -> bool {
        let mut trips = self.0.lock().unwrap();
        let Some((trip, met)) = trips.get_mut(&recorded.stream) else { return true };
        let version = recorded.version.0;
        let (tripped, lets) = match (*trip, recorded.event().unwrap()) {
            (Trip::Before(at), _) => (version >= at, version < at),
            (Trip::After(at), _) => (version >= at, version <= at),
            (Trip::BeforeEnd(wanted), OperationEvent::StepSucceeded { step, .. })
            | (Trip::BeforeStart(wanted), OperationEvent::StepStarted { step, .. })
            | (Trip::BeforeUndone(wanted), OperationEvent::Undone { step }) => (step == wanted, step != wanted),
            _ => (false, true),
        };
        *met |= tripped;
        lets
    }
}

pub struct Tripwire(pub Arc<Trips>);

impl View for Tripwire {
    fn name(&self) -> &'static str {
        "tripwire"
    }

    fn categories(&self) -> &'static [&'static str] {
        &["operation"]
    }

    fn tables(&self) -> &'static [Table] {
        &[]
    }

    fn replayed(&self) -> bool {
        false
    }

    fn project<'a>(&'a self, _: &'a mut Tx, events: &'a [&'a Recorded]) -> BoxFuture<'a, Result<(), ViewError>> {
        Box::pin(async {
            match events.iter().all(|event| self.0.lets(event)) {
                true => Ok(()),
                false => Err(ViewError::Refused("killed".into())),
            }
        })
    }
}
