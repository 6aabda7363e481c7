//! One request for many containers: for which it was, under which operation each goes, and which of them were refused.

use serde::{Deserialize, Serialize};

use crate::{AccountId, Aggregate, BulkId, ContainerId, Event, OperationId};

/// The operations' ids are chosen before anything is accepted, so that a crash in the middle leaves no question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requested {
    /// As in the path of the action: `start`, `delete`.
    pub action: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    pub items: Vec<Item>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    pub container: ContainerId,
    pub operation: OperationId,
}

/// One that could not be accepted, in the words that its asker was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    pub container: ContainerId,
    /// The problem's type: `busy`, `not-possible`.
    #[serde(rename = "type")]
    pub slug: String,
    pub detail: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum BulkEvent {
    #[serde(rename = "bulk.requested")]
    Requested(Requested),
    /// All were asked; these were refused.
    #[serde(rename = "bulk.asked")]
    Asked { refused: Vec<Refused> },
}

impl Event for BulkEvent {}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BulkCommand {
    Request(Requested),
    RecordAsked(Vec<Refused>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BulkRejection {
    #[error("there is no such request")]
    Unknown,
    #[error("it has been requested before")]
    AlreadyRequested,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bulk {
    requested: Option<Requested>,
    refused: Option<Vec<Refused>>,
}

impl Bulk {
    #[must_use]
    pub const fn requested(&self) -> Option<&Requested> {
        self.requested.as_ref()
    }

    /// None while not all were asked.
    #[must_use]
    pub fn refused(&self) -> Option<&[Refused]> {
        self.refused.as_deref()
    }
}

impl Aggregate for Bulk {
    const CATEGORY: &'static str = "bulk";

    type Id = BulkId;
    type Command = BulkCommand;
    type Event = BulkEvent;
    type Rejection = BulkRejection;
    type Given = ();

    fn decide(&self, command: BulkCommand, (): &()) -> Result<Vec<BulkEvent>, BulkRejection> {
        match (command, &self.requested) {
            (BulkCommand::Request(requested), None) => Ok(vec![BulkEvent::Requested(requested)]),
            (BulkCommand::Request(_), Some(_)) => Err(BulkRejection::AlreadyRequested),
            (BulkCommand::RecordAsked(_), None) => Err(BulkRejection::Unknown),
            (BulkCommand::RecordAsked(_), Some(_)) if self.refused.is_some() => Ok(vec![]),
            (BulkCommand::RecordAsked(refused), Some(_)) => Ok(vec![BulkEvent::Asked { refused }]),
        }
    }

    fn evolve(mut self, event: &BulkEvent) -> Self {
        match event {
            BulkEvent::Requested(requested) => self.requested = Some(requested.clone()),
            BulkEvent::Asked { refused } => self.refused = Some(refused.clone()),
        }
        self
    }
}
