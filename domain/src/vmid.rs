//! VMIDs never collide: each is leased in our own log before Proxmox hears of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Aggregate, ContainerId, Event, HostId, OperationId};

/// A number that Proxmox takes for a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Vmid(u32);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{number} is no VMID: take one from {least} to {most}", least = Vmid::LOWEST, most = Vmid::HIGHEST)]
pub struct NoVmid {
    number: u32,
}

impl Vmid {
    pub const LOWEST: u32 = 100;
    pub const HIGHEST: u32 = 999_999_999;

    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Vmid {
    type Error = NoVmid;

    fn try_from(number: u32) -> Result<Self, NoVmid> {
        if (Self::LOWEST..=Self::HIGHEST).contains(&number) { Ok(Self(number)) } else { Err(NoVmid { number }) }
    }
}

impl From<Vmid> for u32 {
    fn from(vmid: Vmid) -> Self {
        vmid.0
    }
}

impl fmt::Display for Vmid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A VMID is one host's: another host may use the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VmidOfHost {
    pub host: HostId,
    pub vmid: Vmid,
}

impl fmt::Display for VmidOfHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.vmid)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum VmidEvent {
    #[serde(rename = "vmid.leased")]
    Leased { container: ContainerId, operation: OperationId },
    #[serde(rename = "vmid.released")]
    Released,
}

impl Event for VmidEvent {}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VmidCommand {
    Lease { container: ContainerId, operation: OperationId },
    Release { container: ContainerId },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VmidRejection {
    #[error("the VMID is leased by container {holder}: take another one")]
    LeasedByAnother { holder: ContainerId },
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VmidLease {
    holder: Option<ContainerId>,
}

impl VmidLease {
    #[must_use]
    pub const fn holder(&self) -> Option<ContainerId> {
        self.holder
    }
}

impl Aggregate for VmidLease {
    const CATEGORY: &'static str = "vmid";

    type Id = VmidOfHost;
    type Command = VmidCommand;
    type Event = VmidEvent;
    type Rejection = VmidRejection;
    type Given = ();

    fn decide(&self, command: VmidCommand, (): &()) -> Result<Vec<VmidEvent>, VmidRejection> {
        let (VmidCommand::Lease { container, .. } | VmidCommand::Release { container }) = command;
        match (self.holder, command) {
            (Some(holder), _) if holder != container => Err(VmidRejection::LeasedByAnother { holder }),
            (None, VmidCommand::Lease { container, operation }) => Ok(vec![VmidEvent::Leased { container, operation }]),
            (Some(_), VmidCommand::Release { .. }) => Ok(vec![VmidEvent::Released]),
            (Some(_), VmidCommand::Lease { .. }) | (None, VmidCommand::Release { .. }) => Ok(vec![]),
        }
    }

    fn evolve(self, event: &VmidEvent) -> Self {
        match event {
            VmidEvent::Leased { container, .. } => Self { holder: Some(*container) },
            VmidEvent::Released => Self { holder: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::testing::given;

    const ANN: ContainerId = ContainerId::new(Uuid::from_u128(1));
    const BEN: ContainerId = ContainerId::new(Uuid::from_u128(2));
    const OPERATION: OperationId = OperationId::new(Uuid::from_u128(3));

    fn leased() -> VmidEvent {
        VmidEvent::Leased { container: ANN, operation: OPERATION }
    }

    fn lease(container: ContainerId) -> VmidCommand {
        VmidCommand::Lease { container, operation: OPERATION }
    }

    #[test]
    fn a_free_vmid_is_leased_once_and_another_container_is_told_who_has_it() {
        given::<VmidLease>([]).when(lease(ANN), &()).then([leased()]);
        given::<VmidLease>([leased()]).when(lease(ANN), &()).then([]);
        given::<VmidLease>([leased()]).when(lease(BEN), &()).then_rejected(|no| {
            assert_eq!(*no, VmidRejection::LeasedByAnother { holder: ANN });
        });
    }

    #[test]
    fn only_the_holder_releases_and_then_it_is_free() {
        given::<VmidLease>([leased()]).when(VmidCommand::Release { container: BEN }, &()).then_rejected(|_| {});
        given::<VmidLease>([leased()]).when(VmidCommand::Release { container: ANN }, &()).then([VmidEvent::Released]);
        given::<VmidLease>([leased(), VmidEvent::Released])
            .when(lease(BEN), &())
            .then([VmidEvent::Leased { container: BEN, operation: OPERATION }]);
    }

    #[test]
    fn a_number_out_of_range_is_no_vmid() {
        for number in [0, 99, 1_000_000_000] {
            let error = serde_json::from_value::<Vmid>(number.into()).unwrap_err().to_string();
            assert!(error.contains("100") && error.contains(&number.to_string()), "{error}");
        }
        let key = VmidOfHost { host: HostId::new(Uuid::nil()), vmid: Vmid::try_from(100).unwrap() };
        assert_eq!(VmidLease::stream(key).to_string(), format!("vmid-{}:100", Uuid::nil()));
    }
}
