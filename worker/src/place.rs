//! Where a container goes when nobody said where: what each node is like is asked here, how it is judged is the domain's.

use std::sync::Arc;

use domain::HostId;
use domain::container::{ContainerSpec, Lifecycle, Where, marker};
use domain::operation::{Failure, FailureKind};
use domain::placement::{self, Candidate, Considered, Need, Space, Verdict};
use futures_util::future::try_join_all;
use platform::views::{ContainerFilter, ContainerRow, HostFilter, HostRow};
use proxmox::Resource;
use serde::{Deserialize, Serialize};

use crate::failure::proxmox_failure;
use crate::hosts::Host;
use crate::step::StepError;
use crate::tools::Tools;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub host: HostId,
    pub node: String,
    pub storage: String,
    /// One storage for all nodes, rather than one of that name on each.
    #[serde(default)]
    pub shared: bool,
    /// Why there, and why not elsewhere.
    pub reason: String,
    /// What the choice was from; only where it is made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub considered: Vec<Considered>,
}

pub(crate) async fn choose(tools: &Tools, spec: &ContainerSpec) -> Result<Place, StepError> {
    let Judged { verdict, away } = judge(tools, spec).await?;
    let Verdict { chosen: Some(chosen), considered } = verdict else {
        return Err(StepError::new(FailureKind::Temporary, no_place(&verdict.considered, &away)));
    };
    Ok(Place {
        host: chosen.host,
        node: chosen.node,
        storage: chosen.storage,
        shared: chosen.shared,
        reason: chosen.reason,
        considered,
    })
}

pub(crate) fn no_place(considered: &[Considered], away: &[String]) -> Failure {
    let mut why: Vec<String> = considered.iter().map(|one| format!("{}: {}", one.node, one.why)).collect();
    why.extend(away.iter().cloned());
    let detail = if why.is_empty() { "no host is registered".to_owned() } else { why.join("; ") };
    Failure::new("no-place", "No node can take the container", detail)
}

pub(crate) struct Judged {
    pub verdict: Verdict,
    /// Hosts that could not be asked, and why.
    pub away: Vec<String>,
}

/// Looks at every node that is asked for.
pub(crate) async fn judge(tools: &Tools, spec: &ContainerSpec) -> Result<Judged, StepError> {
    let (mut candidates, mut away) = (Vec::new(), Vec::new());
    for id in hosts(tools, spec).await? {
        let found = match tools.hosts.get(id).await {
            Ok(host) => on_host(tools, spec, host, &mut away).await,
            Err(error) => Err(error),
        };
        match found {
            Ok(found) => candidates.extend(found),
            // A host that is away is no reason to fail while another can take it.
            Err(StepError::Failed { failure, .. }) if matches!(spec.place, Where::Anywhere) => {
                away.push(failure.to_string());
            }
            Err(error) => return Err(error),
        }
    }
    let need = Need::of(spec, matches!(spec.place, Where::Node { .. }));
    Ok(Judged { verdict: placement::choose(&need, &candidates), away })
}

async fn hosts(tools: &Tools, spec: &ContainerSpec) -> Result<Vec<HostId>, StepError> {
    match &spec.place {
        Where::Host(host) | Where::Node { host, .. } => Ok(vec![*host]),
        Where::Anywhere => {
            let rows = tools.all::<HostRow>(HostFilter::default()).await?;
            Ok(rows.into_iter().map(|row| row.id).collect())
        }
    }
}

async fn on_host(
    tools: &Tools,
    spec: &ContainerSpec,
    host: Arc<Host>,
    away: &mut Vec<String>,
) -> Result<Vec<Candidate>, StepError> {
    let wanted = match &spec.place {
        Where::Node { node, .. } => Some(node.as_str()),
        _ => None,
    };
    let mut nodes = host.client.nodes().await.map_err(proxmox_failure)?;
    nodes.retain(|node| wanted.is_none_or(|wanted| wanted == node.node));
    if let (Some(node), true) = (wanted, nodes.is_empty()) {
        away.push(format!("{} has no node {node}", host.settings.name));
    }
    let guests = host.client.resources(Some("vm")).await.map_err(proxmox_failure)?;
    let coming = coming(tools, host.id).await?;
    let look = |node: proxmox::Node| {
        let (host, guests, coming) = (&host, &guests, &coming);
        async move {
            let mut candidate = measured(spec, host, &node, guests);
            candidate.barred = barred(host, &node);
            if candidate.barred.is_none() {
                candidate.storages = storages(host, &node.node).await?;
            }
            for row in coming.iter().filter(|row| row.node.as_ref() == Some(&node.node)) {
                candidate.guests += 1;
                candidate.cores_promised += row.spec.cores;
                candidate.memory_promised_mb += u64::from(row.spec.memory_mb);
                candidate.alike += u32::from(row.spec.tags.iter().any(|tag| spec.tags.contains(tag)));
                candidate.same_spread +=
                    u32::from(spec.spread_by.as_ref().is_some_and(|tag| row.spec.tags.contains(tag)));
            }
            Ok::<_, StepError>(candidate)
        }
    };
    try_join_all(nodes.into_iter().map(look)).await
}

/// Containers that have a place on this host but no guest yet, so that Proxmox does not know of them.
async fn coming(tools: &Tools, host: HostId) -> Result<Vec<ContainerRow>, StepError> {
    let lifecycle = vec![Lifecycle::Creating];
    let rows = tools.all(ContainerFilter { host: Some(host), lifecycle, ..ContainerFilter::default() }).await?;
    Ok(rows.into_iter().filter(|row: &ContainerRow| row.vmid.is_none()).collect())
}

fn barred(host: &Host, node: &proxmox::Node) -> Option<String> {
    if host.in_maintenance {
        return Some(format!("{} is in maintenance", host.settings.name));
    }
    if host.nodes_in_maintenance.contains(&node.node) {
        return Some("it is in maintenance".to_owned());
    }
    (node.status != "online").then(|| format!("it is {}", node.status))
}

fn measured(spec: &ContainerSpec, host: &Host, node: &proxmox::Node, guests: &[Resource]) -> Candidate {
    let here = || guests.iter().filter(|guest| guest.node.as_ref() == Some(&node.node));
    let tagged = |wanted: &dyn Fn(&str) -> bool| {
        let bears = |guest: &&Resource| marker::tags(guest.tags.as_deref().unwrap_or_default()).any(wanted);
        count(here().filter(bears))
    };
    let total = node.maxmem.unwrap_or_default();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of cores")]
    let cores_promised = here().map(|guest| guest.maxcpu.max(0.0) as u32).sum();
    Candidate {
        host: host.id,
        host_name: host.settings.name.clone(),
        node: node.node.clone(),
        barred: None,
        cores: u32::try_from(node.maxcpu.unwrap_or_default()).unwrap_or(u32::MAX),
        cores_promised,
        memory_mb: total >> 20,
        memory_free_mb: total.saturating_sub(node.mem.unwrap_or_default()) >> 20,
        memory_promised_mb: 0,
        storages: Vec::new(),
        guests: count(here()),
        alike: tagged(&|tag| spec.tags.iter().any(|own| own == tag)),
        same_spread: tagged(&|tag| spec.spread_by.as_deref() == Some(tag)),
    }
}

fn count(items: impl Iterator) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}

async fn storages(host: &Host, node: &str) -> Result<Vec<Space>, StepError> {
    let storages = host.client.storages(node, Some("rootdir")).await.map_err(proxmox_failure)?;
    let usable = storages.into_iter().filter(|storage| storage.active);
    let space = |storage: proxmox::Storage| Space {
        free_mb: storage.avail >> 20,
        total_mb: storage.total >> 20,
        shared: storage.shared,
        name: storage.storage,
    };
    Ok(usable.map(space).collect())
}
