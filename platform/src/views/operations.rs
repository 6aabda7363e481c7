//! Operations as lists and detail pages show them, and as the sweep looks for those that nobody works on.

use chrono::{DateTime, Utc};
use domain::{
    AccountId, ContainerId, HostId, OperationId,
    operation::{Command, End, Failure, Operation, OperationEvent, Status, WaitReason, why},
    pipeline::{PipelineName, StepName},
    quota::Takes,
};
use serde::{Deserialize, Serialize};

use super::{Conditions, Life, Row, Sort, Stamped, Table, Values, row::word};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OperationRow {
    pub id: OperationId,
    pub pipeline: PipelineName,
    pub command: Command,
    pub status: Status,
    pub phase: Option<String>,
    /// The step that was begun last, or the one being undone.
    pub step: Option<StepName>,
    pub undoing: bool,
    pub percent: f64,
    pub target: Option<ContainerId>,
    pub account: Option<AccountId>,
    pub host: Option<HostId>,
    pub error: Option<Failure>,
    pub waiting: Option<WaitReason>,
    pub waiting_until: Option<DateTime<Utc>>,
    #[serde(default)]
    pub waiting_since: Option<DateTime<Utc>>,
    pub cancel_requested: bool,
    pub worker: Option<String>,
    /// The version of the claim; who writes progress with a lower one is refused.
    pub fence: Option<i64>,
    /// A copy that is not there yet, and counts against the quota.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub making: Option<Takes>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    pub version: i64,
}

#[derive(Debug, Clone, Default)]
pub struct OperationFilter {
    pub account: Option<AccountId>,
    pub target: Option<ContainerId>,
    pub host: Option<HostId>,
    pub pipeline: Option<PipelineName>,
    /// Any of these; all when empty.
    pub status: Vec<Status>,
    pub since: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    /// Those that stand in this line.
    pub line: Option<String>,
}

impl OperationRow {
    /// The line that it stands in, by its key.
    #[must_use]
    pub fn line(&self) -> Option<&str> {
        self.waiting.as_ref().and_then(WaitReason::line)
    }
}

impl Row for OperationRow {
    type Aggregate = Operation;
    type Filter = OperationFilter;

    const SORTS: &'static [Sort] = &[Sort { field: "status", column: "status", values: Values::Text }];
    const TABLE: Table = Table {
        name: "operations",
        key: "id",
        columns: &[
            "id",
            "account",
            "target",
            "host",
            "pipeline",
            "status",
            "making",
            "line",
            "version",
            "created_at",
            "updated_at",
            "document",
        ],
    };

    fn of(life: &Life, state: &Operation, history: &[Stamped<OperationEvent>]) -> Option<Self> {
        let (accepted, status) = (state.accepted()?, state.status()?);
        let begun = history.iter().rev().find_map(|stamped| match &stamped.event {
            OperationEvent::StepStarted { step, .. } => Some((*step, false)),
            OperationEvent::UndoStarted { step, .. } => Some((*step, true)),
            _ => None,
        });
        let claim = history.iter().rev().find(|stamped| matches!(stamped.event, OperationEvent::Claimed { .. }));
        let phase =
            begun.and_then(|(step, _)| accepted.pipeline.table().phase_of(step)).map(|phase| phase.name.to_owned());
        let error = match state.end() {
            Some(End::Failed(failure) | End::Stuck(failure)) => Some(failure.clone()),
            _ => state.failing().cloned(),
        };
        let waits = why(state, history.iter().map(|stamped| (&stamped.event, stamped.at)));
        Some(Self {
            id: life.stream.id().parse().ok()?,
            pipeline: accepted.pipeline,
            command: accepted.command.clone(),
            status,
            phase,
            step: begun.map(|(step, _)| step),
            undoing: begun.is_some_and(|(_, undoing)| undoing),
            percent: state.percent(),
            target: accepted.target,
            account: accepted.account,
            host: accepted.host,
            error,
            waiting_until: waits.as_ref().and_then(|why| why.until),
            waiting_since: waits.as_ref().and_then(|why| why.since),
            waiting: waits.map(|why| why.reason),
            cancel_requested: state.cancel_requested(),
            worker: state.worker().map(str::to_owned),
            fence: claim.map(|stamped| stamped.version.0),
            making: state.making(),
            created_at: life.created_at,
            updated_at: life.updated_at,
            ended_at: state.has_ended().then_some(life.updated_at),
            version: life.version.0,
        })
    }

    fn filters(&self) -> Vec<Option<String>> {
        vec![
            self.account.map(|id| id.to_string()),
            self.target.map(|id| id.to_string()),
            self.host.map(|id| id.to_string()),
            Some(word(&self.pipeline)),
            Some(self.status.to_string()),
            self.making.as_ref().map(word),
            self.line().map(str::to_owned),
        ]
    }

    fn conditions(filter: &OperationFilter) -> Conditions {
        Conditions::default()
            .is("account", filter.account)
            .is("target", filter.target)
            .is("host", filter.host)
            .is("pipeline", filter.pipeline.as_ref().map(word))
            .one_of("status", &filter.status)
            .is("line", filter.line.as_ref())
            .since(filter.since)
            .until(filter.until)
    }
}
