//! The addresses that a container has of its own, by which two would get into each other's way.

use std::net::IpAddr;

use super::{ContainerSpec, Ipv4, Ipv6, Where};
use crate::HostId;

/// A static address, in the network that it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// Where it was said, as in `network.ipv4.address`.
    pub field: &'static str,
    /// Without its prefix.
    pub address: IpAddr,
    network: String,
}

impl Fixed {
    /// The same for two containers that can't both have it.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{} {}", self.network, self.address)
    }
}

impl ContainerSpec {
    #[must_use]
    pub fn fixed_ipv4(&self) -> Option<Fixed> {
        let Ipv4::Static { address, .. } = &self.network.ipv4 else { return None };
        self.fixed("network.ipv4.address", address)
    }

    #[must_use]
    pub fn fixed_ipv6(&self) -> Option<Fixed> {
        let Ipv6::Static { address, .. } = &self.network.ipv6 else { return None };
        self.fixed("network.ipv6.address", address)
    }

    /// The host that was asked for. Bridges of one name on two hosts may be two networks.
    #[must_use]
    pub const fn host_asked(&self) -> Option<HostId> {
        match &self.place {
            Where::Anywhere => None,
            Where::Host(host) | Where::Node { host, .. } => Some(*host),
        }
    }

    fn fixed(&self, field: &'static str, address: &str) -> Option<Fixed> {
        let address = address.split('/').next()?.parse().ok()?;
        let network = match self.network.vlan {
            Some(vlan) => format!("{}.{vlan}", self.network.bridge),
            None => self.network.bridge.clone(),
        };
        Some(Fixed { field, address, network })
    }
}
