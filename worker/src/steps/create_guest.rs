//! Creates the container on Proxmox, with our marker on it from the first moment.

use std::fmt::Write as _;

use domain::ContainerId;
use domain::container;
use domain::container::{Container, ContainerCommand, ContainerSpec, Ipv4, Ipv6, Network, marker};
use domain::operation::{Failure, FailureKind, StepState};
use domain::pipeline::StepName;
use futures_util::future::BoxFuture;
use proxmox::{Error, LxcCreate, Thing};
use serde_json::Value;

use super::cloning;
use super::destroy_guest::remove_half_made;
use super::ensure_image::Image;
use super::half_made::{Whose, being_made, whose};
use super::making::{self, Making};
use super::rebuild::Kept;
use super::{Leased, WHOLE, lease_vmid, take_down};
use crate::context::Context;
use crate::failure::proxmox_failure;
use crate::step::{Done, Step, StepError};

pub(super) struct CreateGuest;

impl Step for CreateGuest {
    fn intend<'a>(&'a self, context: &'a Context, before: Option<&'a Value>) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async move {
            let before = before.and_then(|before| serde_json::from_value::<Leased>(before.clone()).ok());
            let leased = Leased::of(context)?;
            // Another number than the first may have been chosen here; it counts as long as it is ours.
            let chosen = match before {
                Some(before) if lease_vmid::is_ours(context, before.place.host, before.vmid).await? => before,
                _ => leased,
            };
            // A try that was interrupted goes on with its number: its guest may be under way.
            let failed = context.operation.step(StepName::CreateGuest).filter(|run| run.state == StepState::Failed);
            match failed.and_then(|run| run.error.as_ref()) {
                Some(failure) if failure.slug == "vmid-taken" => lease_vmid::instead(context, &chosen).await,
                _ => Done::with(&chosen),
            }
        })
    }

    fn look<'a>(
        &'a self,
        context: &'a Context,
        intent: Option<&'a Value>,
    ) -> BoxFuture<'a, Result<Option<Done>, StepError>> {
        Box::pin(async move {
            let leased = read(intent.unwrap_or(&Value::Null))?;
            let host = context.tools.hosts.get(leased.place.host).await?;
            cloning::settle(context).await?;
            match whose(context, &host, &leased.place.node, leased.vmid.get()).await? {
                Whose::Ours => Ok(Some(created(context, &leased).await?)),
                Whose::Nobodys | Whose::Anothers | Whose::HalfMade | Whose::BeingMade => Ok(None),
            }
        })
    }

    fn act<'a>(&'a self, context: &'a Context, intent: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async move {
            let leased = read(intent)?;
            let host = context.tools.hosts.get(leased.place.host).await?;
            let making = Making::of(context, &leased).await?;
            let (node, vmid) = (&leased.place.node, leased.vmid.get());
            let mut asked = making.begin(&host, node).await;
            if let Err(Error::AlreadyExists(Thing::Guest, said)) = &asked {
                // Our own request may have got through although its answer did not.
                match whose(context, &host, node, vmid).await? {
                    Whose::Ours => return created(context, &leased).await,
                    Whose::HalfMade => {
                        remove_half_made(context, &host, node, vmid).await?;
                        asked = making.begin(&host, node).await;
                    }
                    Whose::BeingMade => return Err(being_made(node, vmid)),
                    Whose::Nobodys | Whose::Anothers => {
                        let failure = Failure::new("vmid-taken", "The VMID is taken", &said.words);
                        // One that is made anew keeps its number.
                        let fixed = context.operation.has_succeeded(StepName::KeepPlace);
                        let wished = fixed || context.spec().await?.vmid.is_some();
                        let kind = if wished { FailureKind::Final } else { FailureKind::Temporary };
                        return Err(StepError::new(kind, failure));
                    }
                }
            }
            making.end_of(context, &host, &asked.map_err(proxmox_failure)?).await?;
            created(context, &leased).await
        })
    }

    fn undo<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let Some(intent) = context.operation.intent(StepName::CreateGuest) else { return Ok(Done::nothing()) };
            let leased = read(intent)?;
            let host = context.tools.hosts.get(leased.place.host).await?;
            cloning::settle(context).await?;
            take_down(context, &host, &leased.place.node, leased.vmid.get(), WHOLE).await?;
            let container = context.container().await?;
            let said =
                context.say::<Container>(context.container_id, container, ContainerCommand::RecordGuestRemoved, &())?;
            Ok(Done { streams: said.into_iter().collect(), ..Done::default() })
        })
    }
}

fn read(intent: &Value) -> Result<Leased, StepError> {
    serde_json::from_value(intent.clone()).map_err(StepError::internal)
}

async fn created(context: &Context, leased: &Leased) -> Result<Done, StepError> {
    let command =
        ContainerCommand::RecordGuest { host: leased.place.host, node: leased.place.node.clone(), vmid: leased.vmid };
    let said = context.say::<Container>(context.container_id, context.container().await?, command, &())?;
    let mut done = Done::with(leased)?;
    done.streams.extend(said);
    Ok(done)
}

pub(super) async fn from_image(context: &Context, leased: &Leased) -> Result<LxcCreate, StepError> {
    let spec = context.spec().await?;
    let image: Image = context.fact(StepName::EnsureImage).ok_or_else(|| StepError::internal("no image"))?;
    let password = match context.container().await?.state.request().and_then(|request| request.root_password) {
        Some(sealed) => Some(context.secret(sealed).await?),
        None => None,
    };
    let mut card = network(&spec.network);
    if let Some(address) = context.fact::<Kept>(StepName::KeepPlace).and_then(|kept| kept.hardware_address) {
        let _ = write!(card, ",hwaddr={address}");
    }
    let keys = (!spec.ssh_keys.is_empty()).then(|| spec.ssh_keys.join("\n"));
    Ok(LxcCreate {
        vmid: leased.vmid.get(),
        template: image.volume,
        rootfs: format!("{}:{}", leased.place.storage, spec.disk_gb),
        hostname: Some(spec.hostname.clone()),
        password,
        ssh_keys: keys,
        cores: Some(spec.cores),
        memory: Some(spec.memory_mb.into()),
        swap: Some(spec.swap_mb.into()),
        networks: vec![card],
        features: features(spec.features),
        unprivileged: spec.unprivileged,
        onboot: spec.start_on_boot.then_some(true),
        tags: making::tags(&spec.tags),
        description: Some(description(context.container_id, spec)),
        nameserver: (!spec.network.nameservers.is_empty()).then(|| spec.network.nameservers.join(" ")),
        searchdomain: spec.network.domain.clone(),
        ..LxcCreate::default()
    })
}

pub(super) fn description(container: ContainerId, spec: &ContainerSpec) -> String {
    let own = spec.description.as_ref().map(|text| format!("{text}\n\n")).unwrap_or_default();
    let marker = marker(container);
    format!("{own}{}, managed by Gantry: changes made here are shown there as drift.\n\n{marker}\n", spec.hostname)
}

pub(crate) fn network(network: &Network) -> String {
    let mut text = format!("name=eth0,bridge={}", network.bridge);
    if let Some(vlan) = network.vlan {
        let _ = write!(text, ",tag={vlan}");
    }
    match &network.ipv4 {
        Ipv4::Dhcp => text.push_str(",ip=dhcp"),
        Ipv4::Static { address, gateway } => {
            let _ = write!(text, ",ip={address}");
            if let Some(gateway) = gateway {
                let _ = write!(text, ",gw={gateway}");
            }
        }
        Ipv4::None => {}
    }
    match &network.ipv6 {
        Ipv6::Dhcp => text.push_str(",ip6=dhcp"),
        Ipv6::Auto => text.push_str(",ip6=auto"),
        Ipv6::Static { address, gateway } => {
            let _ = write!(text, ",ip6={address}");
            if let Some(gateway) = gateway {
                let _ = write!(text, ",gw6={gateway}");
            }
        }
        Ipv6::None => {}
    }
    text
}

fn features(features: container::Features) -> Option<String> {
    let on = [("nesting", features.nesting), ("keyctl", features.keyctl), ("fuse", features.fuse)];
    let on: Vec<_> = on.iter().filter(|(_, on)| *on).map(|(name, _)| format!("{name}=1")).collect();
    (!on.is_empty()).then(|| on.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_said_as_proxmox_reads_them() {
        let dhcp = Network::default();
        assert_eq!(network(&dhcp), "name=eth0,bridge=vmbr0,ip=dhcp");
        let fixed = Network {
            vlan: Some(7),
            ipv4: Ipv4::Static { address: "192.0.2.9/24".into(), gateway: Some("192.0.2.1".into()) },
            ipv6: Ipv6::Auto,
            ..Network::default()
        };
        assert_eq!(network(&fixed), "name=eth0,bridge=vmbr0,tag=7,ip=192.0.2.9/24,gw=192.0.2.1,ip6=auto");
        let all = container::Features { nesting: true, keyctl: true, fuse: false };
        assert_eq!(features(all).as_deref(), Some("nesting=1,keyctl=1"));
    }
}
