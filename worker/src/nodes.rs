//! Looks at the hosts now and again: what they consist of goes into the log when it has changed, how their guests are
//! goes to whoever shows it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::container::{Lifecycle, Power};
use domain::host::{self, HostCommand};
use domain::{Actor, ContainerId, HostId, Meta};
use futures_util::stream::{self, StreamExt as _};
use platform::views::{ContainerFilter, ContainerRow, HostFilter, HostRow};
use proxmox::{Client, Resource};
use tokio_util::sync::CancellationToken;

use crate::failure::proxmox_failure;
use crate::hosts::Host;
use crate::step::StepError;
use crate::tools::Tools;

/// How often to look, unless an operator says otherwise.
pub const EVERY: Duration = Duration::from_secs(30);
/// Hosts looked at side by side.
const AT_ONCE: usize = 8;
/// One that does not answer by then is looked at again in the next round.
const PATIENCE: Duration = Duration::from_secs(60);

/// A container as its host saw it.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub container: ContainerId,
    pub power: Power,
    pub node: String,
    /// Of all its cores, 0 to 1.
    pub cpu: f64,
    pub memory_bytes: u64,
    pub disk_bytes: u64,
    pub uptime_seconds: u64,
    /// Proxmox's own lock: `backup`, `migrate`.
    pub lock: Option<String>,
    pub at: DateTime<Utc>,
}

type Show = Arc<dyn Fn(Vec<Seen>) + Send + Sync>;

/// One per process that shows or places containers. Cheap to clone.
#[derive(Clone)]
pub struct Nodes {
    tools: Arc<Tools>,
    every: Duration,
    show: Show,
}

impl Nodes {
    /// `show` gets what was seen of a host's containers; what it does not get is not known at the moment.
    #[must_use]
    pub fn new(tools: Arc<Tools>, every: Duration, show: impl Fn(Vec<Seen>) + Send + Sync + 'static) -> Self {
        Self { tools, every, show: Arc::new(show) }
    }

    /// Looks at the start and from then on now and again, until the process is told to end.
    pub async fn watch_on(&self, stopping: &CancellationToken) {
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = self.look() => {}
            }
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(self.every) => {}
            }
        }
    }

    /// One look at every host. What goes wrong with one is logged and keeps nobody from the others.
    pub async fn look(&self) {
        let hosts = match self.tools.all::<HostRow>(HostFilter::default()).await {
            Ok(hosts) => hosts,
            Err(error) => return tracing::warn!(%error, "the hosts can't be read, they are looked at later"),
        };
        stream::iter(hosts)
            .for_each_concurrent(AT_ONCE, |row| async move {
                let (id, name) = (row.id, row.settings.name);
                match tokio::time::timeout(PATIENCE, self.look_at(id)).await {
                    Ok(Ok(changed)) => tracing::debug!(host.id = %id, host = name, changed, "looked at a host"),
                    Ok(Err(StepError::Failed { failure, .. })) => {
                        tracing::warn!(host.id = %id, host = name, %failure, cause = failure.cause, "a host can't be looked at");
                    }
                    Ok(Err(error)) => tracing::warn!(host.id = %id, host = name, %error, "a host can't be looked at"),
                    Err(_) => tracing::warn!(host.id = %id, host = name, "a host takes too long to answer"),
                }
            })
            .await;
    }

    /// One look at one host; says whether it consists of something else than before.
    ///
    /// # Errors
    /// When it is unknown or does not answer.
    pub async fn look_at(&self, id: HostId) -> Result<bool, StepError> {
        let host = self.tools.hosts.get(id).await?;
        let nodes = consists_of(&host).await?;
        let meta = Meta::by(Actor::System { part: "nodes".to_owned() });
        let log = &self.tools.log;
        let synced = log.execute::<host::Host>(id, HostCommand::SyncNodes(nodes), &(), meta).await;
        let changed = synced.map_err(StepError::internal)?.appended.is_some();
        let seen = self.guests(id, &host.client).await?;
        (self.show)(seen);
        Ok(changed)
    }

    async fn guests(&self, id: HostId, client: &Client) -> Result<Vec<Seen>, StepError> {
        let ready = ContainerFilter {
            host: Some(id),
            lifecycle: vec![Lifecycle::Creating, Lifecycle::Ready],
            ..ContainerFilter::default()
        };
        let ours = self.tools.all::<ContainerRow>(ready).await?;
        let ours: HashMap<u64, ContainerId> =
            ours.into_iter().filter_map(|row| Some((u64::from(row.vmid?.get()), row.id))).collect();
        if ours.is_empty() {
            return Ok(Vec::new());
        }
        let guests = client.resources(Some("vm")).await.map_err(proxmox_failure)?;
        let at = self.tools.log.clock().now();
        Ok(guests.into_iter().filter_map(|guest| seen(*ours.get(&guest.vmid?)?, guest, at)).collect())
    }
}

fn seen(container: ContainerId, guest: Resource, at: DateTime<Utc>) -> Option<Seen> {
    let power = match guest.status.as_str() {
        "running" => Power::Running,
        "stopped" => Power::Stopped,
        // Its node is away, or it has just been made: nothing was seen.
        _ => return None,
    };
    Some(Seen {
        container,
        power,
        node: guest.node?,
        cpu: guest.cpu,
        memory_bytes: guest.mem,
        disk_bytes: guest.disk,
        uptime_seconds: guest.uptime,
        lock: guest.lock,
        at,
    })
}

/// What a node can't be asked at the moment stays as it was: it is not known to be otherwise.
async fn consists_of(host: &Host) -> Result<Vec<host::Node>, StepError> {
    let client = &host.client;
    let rows = client.nodes().await.map_err(proxmox_failure)?;
    let members = client.members().await.map_err(proxmox_failure)?;
    let mut nodes = Vec::new();
    for row in rows {
        let online = row.status == "online";
        let before = host.nodes.iter().find(|node| node.name == row.node);
        let mut node = host::Node {
            online,
            version: None,
            address: members.iter().find(|member| member.node == row.node).and_then(|member| member.address.clone()),
            storages: before.map(|before| before.storages.clone()).unwrap_or_default(),
            name: row.node,
        };
        if online {
            node.version = version(client, &node.name).await.or_else(|| before.and_then(|node| node.version.clone()));
            match client.storages(&node.name, None).await {
                Ok(storages) => node.storages = storages.into_iter().map(storage).collect(),
                Err(error) => {
                    tracing::warn!(host = client.host(), node = node.name, %error, "storages can't be listed")
                }
            }
        }
        nodes.push(node);
    }
    Ok(nodes)
}

/// `pve-manager/9.1.7/…` is 9.1.7.
async fn version(client: &Client, node: &str) -> Option<String> {
    let status = client.node_status(node).await;
    let status = status.inspect_err(|error| tracing::warn!(host = client.host(), node, %error, "a node's version"));
    status.ok()?.pveversion.split('/').nth(1).map(str::to_owned)
}

fn storage(from: proxmox::Storage) -> host::Storage {
    let mut content: Vec<String> = from.content.split(',').map(|each| each.trim().to_owned()).collect();
    // Proxmox lists them in any order; the order is no change.
    content.sort();
    host::Storage { name: from.storage, kind: from.kind, content, active: from.active && from.enabled }
}
