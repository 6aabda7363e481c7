//! Guests that bear our marker although no container of ours has them. They are told of, and removed only when somebody says so.

use serde::{Deserialize, Serialize};

use crate::vmid::VmidOfHost;
use crate::{Aggregate, ContainerId, Event};

/// A guest that nobody has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stray {
    pub node: String,
    pub hostname: String,
    /// The container that its marker names.
    pub container: ContainerId,
    pub why: Why,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The container was removed.
    Removed,
    /// The container has another guest: somebody copied this one with its marker.
    Copied,
    /// The container's create failed, and it has no guest.
    Failed,
    /// Our log never knew such a container: another Gantry's, or from before a restore.
    Unknown,
}

impl Why {
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Removed => "its container was removed",
            Self::Copied => "its container has another guest: this one is a copy that somebody made",
            Self::Failed => "its container's create failed and has no guest",
            Self::Unknown => "no such container was ever known here: it may be another Gantry's",
        }
    }
}

/// One place where a stray was seen, folded from its stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Orphan {
    stray: Option<Stray>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum OrphanEvent {
    #[serde(rename = "orphan.found")]
    Found(Stray),
    #[serde(rename = "orphan.gone")]
    Gone,
}

impl Event for OrphanEvent {}

impl Orphan {
    #[must_use]
    pub const fn stray(&self) -> Option<&Stray> {
        self.stray.as_ref()
    }
}

impl Aggregate for Orphan {
    const CATEGORY: &'static str = "orphan";

    type Id = VmidOfHost;
    /// What is there now.
    type Command = Option<Stray>;
    type Event = OrphanEvent;
    type Rejection = std::convert::Infallible;
    type Given = ();

    fn decide(&self, seen: Option<Stray>, (): &()) -> Result<Vec<OrphanEvent>, Self::Rejection> {
        Ok(match (self.stray.as_ref(), seen) {
            (before, seen) if before == seen.as_ref() => vec![],
            (_, Some(stray)) => vec![OrphanEvent::Found(stray)],
            (_, None) => vec![OrphanEvent::Gone],
        })
    }

    fn evolve(self, event: &OrphanEvent) -> Self {
        match event {
            OrphanEvent::Found(stray) => Self { stray: Some(stray.clone()) },
            OrphanEvent::Gone => Self::default(),
        }
    }
}
