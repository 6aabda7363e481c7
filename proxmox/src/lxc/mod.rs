//! Containers.

mod config;
mod create;
mod interfaces;
mod power;
mod snapshot;
mod status;

pub use config::{Config, ConfigChange, Pending};
pub use create::{Clone, Create, Delete, Restore};
pub use interfaces::{Interface, IpAddress};
pub use snapshot::Snapshot;
pub use status::{Feature, Status};

use crate::client::Client;

/// One container of one node. Making one asks nothing of the host.
#[derive(std::clone::Clone, Debug)]
pub struct Lxc {
    client: Client,
    node: String,
    vmid: u32,
}

impl Client {
    pub fn lxc(&self, node: impl Into<String>, vmid: u32) -> Lxc {
        Lxc { client: self.clone(), node: node.into(), vmid }
    }
}

impl Lxc {
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub fn node(&self) -> &str {
        &self.node
    }

    pub fn vmid(&self) -> u32 {
        self.vmid
    }
}
