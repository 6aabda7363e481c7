//! What an operation's events tell its watchers, numbered in one series with the lines that its scripts say.

use std::collections::BTreeMap;

use domain::operation::{Operation, OperationEvent};
use domain::progress::{Progress, ProgressKind, progress_of};
use domain::{Aggregate as _, OperationId, Recorded};
use futures_util::future::BoxFuture;
use serde_json::Value;

use super::{
    Table, View, ViewError,
    fold::{Fold, Folds},
};
use crate::db::Tx;
use crate::series::records;

const NAME: &str = "progress";

/// Written with the events and never replayed: watchers know the numbers.
#[derive(Debug)]
pub(super) struct ProgressView(Folds<Operation>);

impl Default for ProgressView {
    fn default() -> Self {
        Self(Folds::new(NAME))
    }
}

impl View for ProgressView {
    fn name(&self) -> &'static str {
        NAME
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
            let (mut all, mut folded) = (BTreeMap::new(), Vec::new());
            for (mut fold, news) in self.0.before(tx, events).await? {
                let mut bodies = Vec::new();
                for recorded in news {
                    let before = fold.state.percent();
                    fold = fold.take(recorded)?;
                    bodies.extend(body(before, &fold)?);
                }
                if let Ok(id) = fold.life.stream.id().parse::<OperationId>() {
                    all.insert(records::of_operation(id), bodies);
                }
                folded.push(fold);
            }
            // What is appended together is of one time.
            let now = events.last().map_or_else(Default::default, |event| event.recorded_at);
            match records::append_all_in(tx, &all, now).await {
                Ok(()) => self.0.keep(folded),
                Err(records::RecordError::Db(error)) => return Err(error.into()),
                Err(error) => return Err(ViewError::Refused(error.to_string())),
            }
            Ok(())
        })
    }
}

/// What the last event of these did, which had led to `before` percent without it.
fn body(before: f64, fold: &Fold<Operation>) -> Result<Option<Value>, ViewError> {
    let (operation, Some(last)) = (&fold.state, fold.history().last()) else { return Ok(None) };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
    let percent = operation.percent() as u8;
    let mut kind = operation.pipeline().and_then(|pipeline| progress_of(pipeline, &last.event, percent));
    // Done again after it was taken down: its worker has told of more by now than the events know.
    let again = matches!(last.event, OperationEvent::StepSucceeded { .. }) && operation.percent() <= before;
    if let (Some(ProgressKind::Step { percent, .. }), true) = (&mut kind, again) {
        *percent = None;
    }
    let body = kind.map(|kind| serde_json::to_value(Progress { kind, timestamp: last.at }));
    body.transpose().map_err(|e| ViewError::Refused(e.to_string()))
}
