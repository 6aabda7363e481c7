//! A guest that is on Proxmox already, as a container's wish would have asked for it.

use crate::ContainerId;
use crate::container::ContainerSpec;

#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    pub node: String,
    pub spec: ContainerSpec,
    /// The container that has it already.
    pub owner: Option<ContainerId>,
}
