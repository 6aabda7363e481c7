//! Where a container goes when nobody said where: the online node with the most free memory that can hold it.

use domain::HostId;
use domain::container::{ContainerSpec, Where};
use domain::operation::{Failure, FailureKind};
use platform::views::{self, HostFilter, HostRow};
use serde::{Deserialize, Serialize};

use crate::failure::proxmox_failure;
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
}

struct Candidate {
    place: Place,
    free_memory: u64,
}

pub(crate) async fn choose(tools: &Tools, spec: &ContainerSpec) -> Result<Place, StepError> {
    let mut candidates = Vec::new();
    let mut against = Vec::new();
    for host in hosts(tools, spec).await? {
        match on_host(tools, spec, host, &mut against).await {
            Ok(found) => candidates.extend(found),
            // A host that is away is no reason to fail while another can take it.
            Err(StepError::Failed { failure, .. }) if matches!(spec.place, Where::Anywhere) => {
                against.push(failure.to_string());
            }
            Err(error) => return Err(error),
        }
    }
    candidates.sort_by(|a, b| b.free_memory.cmp(&a.free_memory).then_with(|| a.place.node.cmp(&b.place.node)));
    let Some(mut best) = candidates.into_iter().next() else {
        let detail = if against.is_empty() { "no host is registered".to_owned() } else { against.join("; ") };
        let failure = Failure::new("no-place", "No node can take the container", detail);
        return Err(StepError::new(FailureKind::Temporary, failure));
    };
    if !against.is_empty() {
        best.place.reason = format!("{}; not: {}", best.place.reason, against.join("; "));
    }
    Ok(best.place)
}

async fn hosts(tools: &Tools, spec: &ContainerSpec) -> Result<Vec<HostId>, StepError> {
    match &spec.place {
        Where::Host(host) | Where::Node { host, .. } => Ok(vec![*host]),
        Where::Anywhere => {
            let page = views::Page { limit: views::MOST, after: None, order: views::Order::Oldest };
            let rows = views::page::<HostRow>(tools.log.db(), &HostFilter::default(), &page).await;
            Ok(rows.map_err(StepError::internal)?.items.into_iter().map(|row| row.id).collect())
        }
    }
}

async fn on_host(
    tools: &Tools,
    spec: &ContainerSpec,
    id: HostId,
    against: &mut Vec<String>,
) -> Result<Vec<Candidate>, StepError> {
    let host = tools.hosts.get(id).await?;
    if host.in_maintenance {
        against.push(format!("{} is in maintenance", host.settings.name));
        return Ok(Vec::new());
    }
    let wanted = match &spec.place {
        Where::Node { node, .. } => Some(node.as_str()),
        _ => None,
    };
    let mut found = Vec::new();
    for node in host.client.nodes().await.map_err(proxmox_failure)? {
        if wanted.is_some_and(|wanted| wanted != node.node) {
            continue;
        }
        if node.status != "online" {
            against.push(format!("{} is {}", node.node, node.status));
            continue;
        }
        let storages = host.client.storages(&node.node, Some("rootdir")).await.map_err(proxmox_failure)?;
        let needed = u64::from(spec.disk_gb) << 30;
        let usable = |storage: &&proxmox::Storage| {
            storage.active && spec.storage.as_ref().is_none_or(|name| *name == storage.storage)
        };
        let mut usable: Vec<_> = storages.iter().filter(usable).collect();
        usable.sort_by_key(|storage| std::cmp::Reverse(storage.avail));
        let Some(storage) = usable.first() else {
            let which = spec.storage.as_deref().unwrap_or("that may hold root disks");
            against.push(format!("{} has no storage {which}", node.node));
            continue;
        };
        if storage.total > 0 && storage.avail < needed {
            let free = storage.avail >> 30;
            against.push(format!(
                "{} on {} has {free} GiB free of the {} asked for",
                storage.storage, node.node, spec.disk_gb
            ));
            continue;
        }
        let free_memory = node.maxmem.unwrap_or_default().saturating_sub(node.mem.unwrap_or_default());
        let reason = match wanted {
            Some(_) => "asked for".to_owned(),
            None => format!("{} MiB of memory free on {}", free_memory >> 20, node.node),
        };
        let (storage, shared) = (storage.storage.clone(), storage.shared);
        let place = Place { host: id, node: node.node, storage, shared, reason };
        found.push(Candidate { place, free_memory });
    }
    if let (Some(node), true, true) = (wanted, found.is_empty(), against.is_empty()) {
        against.push(format!("{} has no node {node}", host.settings.name));
    }
    Ok(found)
}
