//! One operation under way in this process: its state as of a version, and the only way to write to its stream.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::operation::{Given, Operation, OperationCommand, OperationEvent};
use domain::pipeline::Pipeline;
use domain::plan::{Next, plan};
use domain::{Aggregate as _, Event as _, Meta, OperationId, Recorded, TraceParent, Version};
use platform::log::{Append, AppendError, Expected, Log, LogError, Rows, StreamAppend};
use platform::sabotage::{Safeguard, is_off};

use super::{EngineError, trace};

pub(super) struct Work {
    pub id: OperationId,
    pub pipeline: &'static Pipeline,
    pub operation: Operation,
    pub meta: Meta,
    pub asked_at: DateTime<Utc>,
    /// The step that is at work, in the trace of the request.
    pub within: Option<TraceParent>,
    version: Version,
    worker: String,
    log: Log,
    /// Whether the plan that is being carried out knew of the cancellation.
    planned_cancelled: bool,
}

/// What is written together with the operation's own events.
#[derive(Default)]
pub(super) struct Along {
    pub streams: Vec<StreamAppend>,
    pub rows: Vec<Arc<dyn Rows>>,
}

impl Work {
    /// Loads the operation and claims it under a name; `None` when there is nothing to do any more.
    pub(super) async fn begin(log: &Log, id: OperationId, worker: &str) -> Result<Option<Self>, EngineError> {
        loop {
            match Self::claim(log, id, worker).await {
                // Whoever had it before us wrote a last word; the next one is ours.
                Err(EngineError::Lost { .. }) => {}
                claimed => return claimed,
            }
        }
    }

    async fn claim(log: &Log, id: OperationId, worker: &str) -> Result<Option<Self>, EngineError> {
        let Some((first, state, version)) = read(log, id).await? else { return Ok(None) };
        let Some(pipeline) = state.pipeline().filter(|_| !state.has_ended()) else { return Ok(None) };
        // The work belongs to the request that asked for it, and is done on behalf of the same account.
        let meta = Meta {
            correlation: Some(id.uuid()),
            request: first.meta.request,
            trace: first.meta.trace.clone(),
            account: first.meta.account,
            causation: Some(first.position),
            ..Meta::system("worker")
        };
        // Also of one that the sweep found, whose job was lost.
        trace::join(meta.trace.as_ref(), pipeline.name);
        let worker = worker.to_owned();
        let mut work = Self {
            id,
            pipeline,
            operation: state,
            meta,
            asked_at: first.recorded_at,
            within: None,
            version,
            worker: worker.clone(),
            log: log.clone(),
            planned_cancelled: false,
        };
        work.record(OperationCommand::Claim { worker }, Along::default()).await?;
        Ok(Some(work))
    }

    /// The version that every later write of a worker without this one's claim fails against.
    pub(super) fn version(&self) -> Version {
        self.version
    }

    /// Of the request that asked for it, as seen from the step that is at work.
    pub(super) fn trace(&self) -> Option<&TraceParent> {
        self.within.as_ref().or(self.meta.trace.as_ref())
    }

    /// Somebody worked on it before, and may have told of more than the events do.
    pub(super) fn has_begun(&self) -> bool {
        self.pipeline.steps().any(|spec| self.operation.step(spec.name).is_some_and(|run| run.attempts > 0))
    }

    /// What is to be done now.
    pub(super) fn plan(&mut self) -> Next {
        self.planned_cancelled = self.operation.cancel_requested();
        plan(self.pipeline, &self.operation, self.log.clock().now())
    }

    pub(super) async fn record(&mut self, command: OperationCommand, along: Along) -> Result<(), EngineError> {
        loop {
            let given = Given { now: self.log.clock().now() };
            let events = match self.operation.decide(command.clone(), &given) {
                // A cancellation came between the plan and this; the plan is to be made again.
                Err(_) if self.operation.cancel_requested() && !self.planned_cancelled => {
                    return Err(EngineError::Overtaken);
                }
                decided => decided?,
            };
            if events.is_empty() && along.streams.is_empty() {
                return Ok(());
            }
            let encoded = events.iter().map(OperationEvent::encode).collect::<Result<Vec<_>, _>>()?;
            let mut append = Append::new(self.meta.clone()).stream(
                Operation::stream(self.id),
                if is_off(Safeguard::Fencing) { Expected::Any } else { Expected::Version(self.version) },
                encoded,
            );
            append.streams.extend(along.streams.iter().cloned());
            append.rows.clone_from(&along.rows);
            match self.log.append(append).await {
                Ok(_) => {
                    self.version = Version(self.version.0 + i64::try_from(events.len()).unwrap_or(0));
                    self.operation = events.iter().fold(std::mem::take(&mut self.operation), Operation::evolve);
                    return Ok(());
                }
                // Somebody wrote to our stream: a cancellation is welcome, another worker's claim is the end for us.
                Err(error) if error.is_conflict() => {
                    if !self.catch_up().await? {
                        return Err(error.into());
                    }
                }
                // It may be in the log or not; reading tells.
                Err(AppendError::Unknown(_)) => {
                    self.catch_up().await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Reads what others wrote; whether there was anything.
    pub(super) async fn catch_up(&mut self) -> Result<bool, EngineError> {
        let Some((_, state, version)) = read(&self.log, self.id).await? else { return Ok(false) };
        let moved = version != self.version;
        if state.worker().is_some_and(|worker| worker != self.worker) {
            return Err(EngineError::Lost { worker: state.worker().unwrap_or_default().to_owned() });
        }
        self.operation = state;
        self.version = version;
        Ok(moved)
    }
}

/// The operation with its first event; `None` when there is no such stream.
async fn read(log: &Log, id: OperationId) -> Result<Option<(Recorded, Operation, Version)>, LogError> {
    let recorded = log.stream(&Operation::stream(id), Version(0)).await?;
    let mut operation = Operation::default();
    for one in &recorded {
        let event = one.event().map_err(|source| LogError::Event { position: one.position, source })?;
        operation = operation.evolve(&event);
    }
    let version = recorded.last().map(|last| last.version).unwrap_or_default();
    Ok(recorded.into_iter().next().map(|first| (first, operation, version)))
}
