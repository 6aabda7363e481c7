//! Who did it, in which request, because of what: what every event carries beside its data.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{AccountId, Position, RequestId, TraceParent};

/// Who is behind an event. Names no person: an id leads to the record that can be forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Actor {
    /// Gantry itself: `worker`, `sweep`, `scheduler`.
    System {
        part: String,
    },
    /// The holder of the token that the first start made.
    Bootstrap,
    User {
        id: Uuid,
    },
    Key {
        id: Uuid,
    },
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System { part } => write!(f, "system:{part}"),
            Self::Bootstrap => f.write_str("bootstrap"),
            Self::User { id } => write!(f, "user:{id}"),
            Self::Key { id } => write!(f, "key:{id}"),
        }
    }
}

/// The circumstances of an append; the same for all of its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    pub actor: Actor,
    /// The account on whose behalf it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
    /// What belongs together: the operation's id for all that an operation caused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<Uuid>,
    /// The event that this one answers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation: Option<Position>,
    /// The caller's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Why, in the caller's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The caller's trace, or the one that we began for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceParent>,
}

impl Meta {
    #[must_use]
    pub fn by(actor: Actor) -> Self {
        Self {
            actor,
            account: None,
            request: None,
            correlation: None,
            causation: None,
            address: None,
            reason: None,
            trace: None,
        }
    }

    #[must_use]
    pub fn system(part: &str) -> Self {
        Self::by(Actor::System { part: part.to_owned() })
    }
}
