//! Guests with our marker that no container has.

use std::collections::HashSet;

use domain::container::{Container, Lifecycle, marker};
use domain::orphan::{Orphan, Stray, Why};
use domain::vmid::{Vmid, VmidOfHost};
use domain::{ContainerId, Meta};
use platform::views::{OrphanFilter, OrphanRow};
use proxmox::Resource;

use super::sweep::{SWEEP, is_at_work};
use crate::found::{self, bearer};
use crate::hosts::Host;
use crate::step::StepError;
use crate::tools::Tools;

/// Records those that are there now, and that those of before are gone. `known` are the numbers that containers have.
pub(super) async fn record(
    tools: &Tools,
    host: &Host,
    guests: &[Resource],
    known: &HashSet<u32>,
) -> Result<u64, StepError> {
    let filter = OrphanFilter { host: Some(host.id) };
    let mut before: HashSet<u32> =
        tools.all::<OrphanRow>(filter).await?.into_iter().map(|row| row.vmid.get()).collect();
    let mut found = 0;
    for guest in guests.iter().filter(|guest| guest.kind == "lxc") {
        let Some((vmid, node)) = guest.vmid.and_then(|vmid| u32::try_from(vmid).ok()).zip(guest.node.as_deref()) else {
            continue;
        };
        // One whose node is away shows no tags: what was known of it stays.
        if guest.status == "unknown" {
            before.remove(&vmid);
            continue;
        }
        let tagged = marker::tags(guest.tags.as_deref().unwrap_or_default()).any(|tag| tag == marker::TAG);
        if known.contains(&vmid) || !(tagged || before.contains(&vmid)) {
            continue;
        }
        match look(tools, host, node, vmid).await? {
            Seen::Stray(stray) => {
                found += 1;
                before.remove(&vmid);
                say(tools, host, vmid, Some(stray)).await?;
            }
            Seen::NotNow => drop(before.remove(&vmid)),
            Seen::Nothing => {}
        }
    }
    for vmid in before {
        say(tools, host, vmid, None).await?;
    }
    Ok(found)
}

enum Seen {
    Stray(Stray),
    /// Somebody is at work on it.
    NotNow,
    Nothing,
}

async fn look(tools: &Tools, host: &Host, node: &str, vmid: u32) -> Result<Seen, StepError> {
    let Some(config) = found::config(host, node, vmid).await? else { return Ok(Seen::Nothing) };
    let Some(container) = bearer(&config) else { return Ok(Seen::Nothing) };
    if config.lock().is_some() || is_at_work(tools, container).await? {
        return Ok(Seen::NotNow);
    }
    Ok(match why(tools, host, vmid, container).await? {
        Some(why) => {
            let hostname = config.get("hostname").unwrap_or_default().to_owned();
            Seen::Stray(Stray { node: node.to_owned(), hostname, container, why })
        }
        None => Seen::Nothing,
    })
}

/// Why a guest that bears the container's marker is nobody's; none when it is the container's own.
pub(crate) async fn why(
    tools: &Tools,
    host: &Host,
    vmid: u32,
    container: ContainerId,
) -> Result<Option<Why>, StepError> {
    let state = tools.log.load::<Container>(container).await.map_err(StepError::internal)?.state;
    let own = |guest: &domain::container::Guest| guest.host == host.id && guest.vmid.get() == vmid;
    Ok(match (state.lifecycle(), state.guest()) {
        (_, Some(guest)) if own(guest) => None,
        (Lifecycle::Unknown, _) => Some(Why::Unknown),
        (Lifecycle::Removed, _) => Some(Why::Removed),
        (_, Some(_)) => Some(Why::Copied),
        (Lifecycle::Failed, None) => Some(Why::Failed),
        (Lifecycle::Creating | Lifecycle::Ready, None) => None,
    })
}

async fn say(tools: &Tools, host: &Host, vmid: u32, stray: Option<Stray>) -> Result<(), StepError> {
    let id = VmidOfHost { host: host.id, vmid: Vmid::try_from(vmid).map_err(StepError::internal)? };
    let said = tools.log.execute::<Orphan>(id, stray, &(), Meta::system(SWEEP)).await;
    if said.map_err(StepError::internal)?.appended.is_some() {
        tracing::info!(host.id = %host.id, vmid, "what is known of a guest that nobody has is different now");
    }
    Ok(())
}
