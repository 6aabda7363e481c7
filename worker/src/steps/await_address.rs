//! Learns the container's addresses: static ones are known, others come some time after the boot.

use std::time::Duration;

use domain::container::{Container, ContainerCommand, Ipv4, Ipv6, Network};
use domain::operation::{Failure, FailureKind};
use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::context::Context;
use crate::failure::proxmox_failure;
use crate::step::{Done, Step, StepError};

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(2);

pub(super) struct AwaitAddress;

impl Step for AwaitAddress {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let network = &context.spec().await?.network;
            let mut addresses = fixed(network);
            if matches!(network.ipv4, Ipv4::Dhcp) || matches!(network.ipv6, Ipv6::Dhcp | Ipv6::Auto) {
                addresses.extend(found(context, matches!(network.ipv4, Ipv4::Dhcp)).await?);
            }
            addresses.sort();
            addresses.dedup();
            let command = ContainerCommand::LearnAddresses(addresses.clone());
            let said = context.say::<Container>(context.container_id, context.container().await?, command, &())?;
            let mut done = Done::with(&addresses)?;
            done.streams.extend(said);
            Ok(done)
        })
    }
}

fn fixed(network: &Network) -> Vec<String> {
    let four = if let Ipv4::Static { address, .. } = &network.ipv4 { Some(address) } else { None };
    let six = if let Ipv6::Static { address, .. } = &network.ipv6 { Some(address) } else { None };
    let host = |address: &String| address.split('/').next().unwrap_or_default().to_owned();
    four.into_iter().chain(six).map(host).collect()
}

/// Asks until there is an address that others can reach. Only the kind that was asked for by DHCP has to come: a
/// network without router advertisements gives no IPv6, and that is no failure.
async fn found(context: &Context, must_be_v4: bool) -> Result<Vec<String>, StepError> {
    let (host, place) = (context.host().await?, context.place().await?);
    let guest = host.client.lxc(&place.node, place.vmid.get());
    let deadline = tokio::time::Instant::now() + context.tools.settings.address_within;
    let mut pause = FIRST;
    loop {
        let interfaces = guest.interfaces().await.map_err(proxmox_failure)?;
        let addresses = interfaces.iter().filter(|interface| interface.name != "lo").flat_map(|i| &i.addresses);
        let usable: Vec<_> = addresses.map(|a| a.address).filter(|address| is_usable(*address)).collect();
        if usable.iter().any(|address| !must_be_v4 || address.is_ipv4()) {
            return Ok(usable.iter().map(ToString::to_string).collect());
        }
        if tokio::time::Instant::now() >= deadline {
            let detail = "no address came by DHCP; is there a server on that bridge and VLAN?";
            return Err(StepError::new(
                FailureKind::Temporary,
                Failure::new("no-address", "It has no address", detail),
            ));
        }
        context.unless_cancelled(tokio::time::sleep(pause)).await?;
        pause = (pause * 3 / 2).min(LONGEST);
    }
}

pub(super) fn is_usable(address: std::net::IpAddr) -> bool {
    match address {
        std::net::IpAddr::V4(four) => !four.is_loopback() && !four.is_link_local(),
        std::net::IpAddr::V6(six) => !six.is_loopback() && !six.is_unicast_link_local(),
    }
}
