//! What Proxmox has of a container against what Gantry recorded of it. Each difference is told once, and stays until it
//! is gone: because the record takes it over, because it is put back, or by itself.

mod difference;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::container::{Change, Power};
use crate::{AccountId, Aggregate, ContainerId, Event};

pub use difference::{Actual, Difference, Drifted, differences};

/// What the record takes over from Proxmox.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    #[serde(default)]
    pub change: Change,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power: Option<Power>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
}

/// Why a difference can't be accepted, or can't be put back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DriftRejection {
    #[error("there is no drift")]
    None,
    #[error("its guest is gone from Proxmox: delete the container, or restore one of its backups")]
    GuestGone,
    #[error("its guest does not bear our marker any more, which can only be put back")]
    NoMarker,
    #[error(
        "its guest bears neither our marker nor its name: nobody can tell that it is the same; look at it on Proxmox"
    )]
    NotKnown,
    #[error("its guest has no network card any more, which can only be put back")]
    NoCard,
    #[error("its guest was moved to {node}, and Gantry moves none: accept it, or move it back on Proxmox")]
    Moved { node: String },
    #[error("its disk has {found} GB and disks never shrink: accept it")]
    Grown { found: u64 },
}

/// How a container's guest differs from its record, folded from its stream.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Drift {
    account: Option<AccountId>,
    differences: Vec<Difference>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum DriftEvent {
    #[serde(rename = "drift.found")]
    Found {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<AccountId>,
        differences: Vec<Difference>,
    },
    /// It differs otherwise than before.
    #[serde(rename = "drift.changed")]
    Changed { differences: Vec<Difference> },
    #[serde(rename = "drift.gone")]
    Gone,
}

impl Event for DriftEvent {}

/// What a look found: all of it, none when there is none.
#[derive(Debug, Clone, PartialEq)]
pub struct See {
    pub account: Option<AccountId>,
    pub differences: Vec<Difference>,
}

impl See {
    #[must_use]
    pub const fn nothing() -> Self {
        Self { account: None, differences: Vec::new() }
    }
}

impl Aggregate for Drift {
    const CATEGORY: &'static str = "drift";

    type Id = ContainerId;
    type Command = See;
    type Event = DriftEvent;
    type Rejection = std::convert::Infallible;
    type Given = ();

    fn decide(&self, See { account, differences }: See, (): &()) -> Result<Vec<DriftEvent>, Self::Rejection> {
        Ok(match (self.differences.is_empty(), differences.is_empty()) {
            _ if self.differences == differences => vec![],
            (_, true) => vec![DriftEvent::Gone],
            (true, false) => vec![DriftEvent::Found { account, differences }],
            (false, false) => vec![DriftEvent::Changed { differences }],
        })
    }

    fn evolve(mut self, event: &DriftEvent) -> Self {
        match event {
            DriftEvent::Found { account, differences } => {
                self.account = *account;
                self.differences.clone_from(differences);
            }
            DriftEvent::Changed { differences } => self.differences.clone_from(differences),
            DriftEvent::Gone => self.differences.clear(),
        }
        self
    }
}

impl Drift {
    #[must_use]
    pub fn differences(&self) -> &[Difference] {
        &self.differences
    }

    #[must_use]
    pub const fn account(&self) -> Option<AccountId> {
        self.account
    }

    fn of(&self, what: Drifted) -> Option<&Difference> {
        self.differences.iter().find(|one| one.what == what)
    }

    /// What the record is to take over.
    ///
    /// # Errors
    /// When there is nothing that it could.
    pub fn accept(&self) -> Result<Taken, DriftRejection> {
        self.any()?;
        if self.of(Drifted::Marker).is_some() {
            return Err(DriftRejection::NoMarker);
        }
        if self.of(Drifted::Network).is_some_and(|one| one.found["bridge"] == "") {
            return Err(DriftRejection::NoCard);
        }
        let text = |what| self.of(what).and_then(|one| one.found.as_str().map(str::to_owned));
        Ok(Taken {
            change: self.change(|one| &one.found),
            power: self.of(Drifted::Power).and_then(|one| serde_json::from_value(one.found.clone()).ok()),
            node: text(Drifted::Node),
        })
    }

    /// What Proxmox is to have again, and whether it is to run.
    ///
    /// # Errors
    /// When nothing of it can be put back.
    pub fn put_back(&self) -> Result<(Change, Option<Power>), DriftRejection> {
        self.any()?;
        if self.of(Drifted::Marker).is_some() && self.of(Drifted::Hostname).is_some() {
            return Err(DriftRejection::NotKnown);
        }
        if let Some(moved) = self.of(Drifted::Node) {
            return Err(DriftRejection::Moved { node: moved.found.as_str().unwrap_or_default().to_owned() });
        }
        let mut change = self.change(|one| &one.recorded);
        let grown = self.of(Drifted::DiskGb).filter(|one| one.found.as_u64() > one.recorded.as_u64());
        if grown.is_some() {
            change.disk_gb = None;
        }
        let power = self.of(Drifted::Power).and_then(|one| serde_json::from_value(one.recorded.clone()).ok());
        let marker = self.of(Drifted::Marker).is_some();
        match grown {
            Some(grown) if change == Change::default() && power.is_none() && !marker => {
                Err(DriftRejection::Grown { found: grown.found.as_u64().unwrap_or_default() })
            }
            _ => Ok((change, power)),
        }
    }

    /// The marker is to be put back.
    #[must_use]
    pub fn lost_marker(&self) -> bool {
        self.of(Drifted::Marker).is_some()
    }

    fn any(&self) -> Result<(), DriftRejection> {
        match self.differences.as_slice() {
            [] => Err(DriftRejection::None),
            all if all.iter().any(|one| one.what == Drifted::Guest) => Err(DriftRejection::GuestGone),
            _ => Ok(()),
        }
    }

    /// One side of the differences, as a change to it.
    fn change(&self, side: impl Fn(&Difference) -> &Value) -> Change {
        fn read<T: serde::de::DeserializeOwned>(value: Option<&Value>) -> Option<T> {
            serde_json::from_value(value?.clone()).ok()
        }
        let of = |what| self.of(what).map(&side);
        Change {
            cores: read(of(Drifted::Cores)),
            memory_mb: read(of(Drifted::MemoryMb)),
            swap_mb: read(of(Drifted::SwapMb)),
            disk_gb: read(of(Drifted::DiskGb)),
            hostname: read(of(Drifted::Hostname)),
            tags: read(of(Drifted::Tags)),
            description: None,
            start_on_boot: read(of(Drifted::StartOnBoot)),
            network: read(of(Drifted::Network)),
            features: read(of(Drifted::Features)),
        }
    }
}
