//! From a job to a turn of work on its operation.

use std::time::Duration;

use domain::OperationId;
use platform::queue::{self, Delivery, Job, QueueError, Settings};
use tracing::{Instrument as _, field};

use super::{Engine, EngineError, Outcome, Turn};

/// After trouble with the log itself, which is nobody's operation's fault.
const AFTER_TROUBLE: Duration = Duration::from_secs(2);

impl Engine {
    /// Works on operations until the process is told to end.
    ///
    /// # Errors
    /// When jobs did not end in time, or the queue's worker broke.
    pub async fn work(&self, settings: &Settings) -> Result<(), QueueError> {
        let engine = self.clone();
        queue::work(&self.queue, settings, self.stopping.clone(), move |delivery| {
            let engine = engine.clone();
            async move { engine.take(delivery).await }
        })
        .await
    }

    async fn take(&self, delivery: Delivery) -> queue::Outcome {
        let id = OperationId::new(delivery.job.id);
        let span = tracing::info_span!(
            "operation",
            operation.id = %id,
            request.id = delivery.job.request,
            trace.id = field::Empty,
            trace.parent = field::Empty,
            trace.name = field::Empty,
            attempt = delivery.attempt,
        );
        let turn = Turn { name: format!("{}/{}", self.worker, delivery.fence), lost: delivery.lost_token() };
        match self.drive(id, &turn).instrument(span.clone()).await {
            Ok(Outcome::Ended | Outcome::Later(None)) => queue::Outcome::Done,
            Ok(Outcome::Later(Some(at))) => {
                let after = (at - self.log.clock().now()).to_std().unwrap_or_default();
                queue::Outcome::Again { after }
            }
            Ok(Outcome::Left) => queue::Outcome::Again { after: Duration::ZERO },
            Err(EngineError::Lost { worker }) => {
                span.in_scope(|| tracing::info!(worker, "another worker has taken over"));
                queue::Outcome::Done
            }
            Err(error) => {
                span.in_scope(|| tracing::error!(%error, "could not work on it, trying again"));
                queue::Outcome::Again { after: AFTER_TROUBLE }
            }
        }
    }

    /// Sees to it that an operation is worked on soon.
    ///
    /// # Errors
    /// When the queue is full or away; the sweep will find the operation.
    pub async fn wake(&self, id: OperationId) -> Result<(), QueueError> {
        self.queue.push(Job::new(id.uuid()), None).await
    }
}
