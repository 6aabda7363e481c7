//! What the audit has to know of reading and refusing: who came with what opens nothing, who asked for what is not
//! theirs, who read a secret. One stream for each day.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::{Aggregate, ContainerId, Event, KeyId, UserId};

/// A day, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day(NaiveDate);

impl Day {
    #[must_use]
    pub fn of(time: DateTime<Utc>) -> Self {
        Self(time.date_naive())
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a token opened nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    #[error("it is none of ours")]
    Unknown,
    #[error("its secret is wrong")]
    Secret,
    #[error("it has expired")]
    Expired,
    #[error("it has been revoked")]
    Revoked,
    #[error("it is not for this address")]
    Address,
    #[error("its user is disabled")]
    Disabled,
    #[error("its account is closed")]
    AccountClosed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum AccessEvent {
    /// Told once in a while when it is often.
    #[serde(rename = "access.credential_refused")]
    CredentialRefused {
        why: Why,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<KeyId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<UserId>,
    },
    /// Somebody known asked for what they may not do, or see.
    #[serde(rename = "access.request_refused")]
    RequestRefused { method: String, path: String, status: u16 },
    #[serde(rename = "access.secret_read")]
    SecretRead { container: ContainerId, what: String },
}

impl Event for AccessEvent {}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("everything is recorded")]
pub struct NotRecorded;

/// Nothing is decided by it: what happened is recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Access;

impl Aggregate for Access {
    const CATEGORY: &'static str = "access";

    type Id = Day;
    type Command = AccessEvent;
    type Event = AccessEvent;
    type Rejection = NotRecorded;
    type Given = ();

    fn decide(&self, happened: AccessEvent, (): &()) -> Result<Vec<AccessEvent>, NotRecorded> {
        Ok(vec![happened])
    }

    fn evolve(self, _: &AccessEvent) -> Self {
        self
    }
}
