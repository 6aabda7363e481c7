//! What an operation's events tell its watchers, numbered in one series with the lines that its scripts say.

use std::collections::BTreeMap;

use domain::operation::{Operation, OperationEvent};
use domain::progress::{Progress, ProgressKind, progress_of};
use domain::{Aggregate as _, OperationId, Recorded};
use futures_util::future::BoxFuture;
use serde_json::Value;

use super::{Table, View, ViewError, row};
use crate::db::Tx;
use crate::series::records;

/// Written with the events and never replayed: watchers know the numbers.
#[derive(Debug, Default)]
pub(super) struct ProgressView;

impl View for ProgressView {
    fn name(&self) -> &'static str {
        "progress"
    }

    fn categories(&self) -> &'static [&'static str] {
        &[Operation::CATEGORY]
    }

    fn tables(&self) -> &'static [Table] {
        &[]
    }

    fn replayed(&self) -> bool {
        false
    }

    fn project<'a>(&'a self, tx: &'a mut Tx, events: &'a [&'a Recorded]) -> BoxFuture<'a, Result<(), ViewError>> {
        Box::pin(async move {
            let (first, last) = (events.first().map_or(0, |e| e.position.0), events.last().map_or(0, |e| e.position.0));
            let mut told: BTreeMap<OperationId, Vec<&Recorded>> = BTreeMap::new();
            let histories = row::streams(tx, events, last).await?;
            for recorded in &histories {
                if let Ok(id) = recorded.stream.id().parse() {
                    told.entry(id).or_default().push(recorded);
                }
            }
            let mut all = BTreeMap::new();
            for (id, history) in told {
                all.insert(records::of_operation(id), bodies(&history, first)?);
            }
            // What is appended together is of one time.
            let now = events.last().map_or_else(Default::default, |event| event.recorded_at);
            match records::append_all_in(tx, &all, now).await {
                Ok(()) => Ok(()),
                Err(records::RecordError::Db(error)) => Err(error.into()),
                Err(error) => Err(ViewError::Refused(error.to_string())),
            }
        })
    }
}

/// Folds the whole history, and tells what its events from position `first` on did.
fn bodies(history: &[&Recorded], first: i64) -> Result<Vec<Value>, ViewError> {
    let mut operation = Operation::default();
    let mut bodies = Vec::new();
    for recorded in history {
        let event: OperationEvent = recorded.event().map_err(|source| ViewError::Event {
            view: "progress",
            position: recorded.position,
            source,
        })?;
        let before = operation.percent();
        operation = operation.evolve(&event);
        if recorded.position.0 < first {
            continue;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
        let percent = operation.percent() as u8;
        let mut kind = operation.pipeline().and_then(|pipeline| progress_of(pipeline, &event, percent));
        // Done again after it was taken down: its worker has told of more by now than the events know.
        let again = matches!(event, OperationEvent::StepSucceeded { .. }) && operation.percent() <= before;
        if let (Some(ProgressKind::Step { percent, .. }), true) = (&mut kind, again) {
            *percent = None;
        }
        let body = kind.map(|kind| serde_json::to_value(Progress { kind, timestamp: recorded.recorded_at }));
        bodies.extend(body.transpose().map_err(|e| ViewError::Refused(e.to_string()))?);
    }
    Ok(bodies)
}
