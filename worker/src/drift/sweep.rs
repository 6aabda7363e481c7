//! The sweep: one of all workers looks now and again, and anybody may ask for a look. Two looks at once do no harm,
//! because what differs is said by the log once.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::container::{Container, Lifecycle, Power, marker};
use domain::drift::{Drift, See};
use domain::operation::Status;
use domain::{ContainerId, Meta};
use futures_util::stream::{self, StreamExt as _};
use platform::lock::Holder;
use platform::views::{
    self, ContainerFilter, ContainerRow, DriftFilter, DriftRow, HostFilter, HostRow, OperationFilter, OperationRow,
    Page, clone_sources,
};
use proxmox::Resource;
use tokio_util::sync::CancellationToken;

use super::{Judged, judge, strays};
use crate::failure::proxmox_failure;
use crate::step::StepError;
use crate::tools::Tools;

pub(super) const SWEEP: &str = "sweep";
/// Guests whose settings are read side by side.
const AT_ONCE: usize = 8;
/// So many of a host that look as recorded are read at one sweep all the same, those that were not for longest first:
/// the cluster's list tells neither network nor features.
const READ_ANYWAY: usize = 200;
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// What one look came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Looked {
    /// Containers whose guest's settings were read.
    pub containers: u64,
    /// Of all containers, how many differ now.
    pub drifted: u64,
    pub orphans: u64,
    /// Hosts that could not be looked at, and why.
    pub away: Vec<String>,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Sweep {
    tools: Arc<Tools>,
    read: Arc<Mutex<HashMap<ContainerId, Instant>>>,
}

impl Sweep {
    #[must_use]
    pub fn new(tools: Arc<Tools>) -> Self {
        Self { tools, read: Arc::default() }
    }

    /// Sweeps now and again while this process is the one of all that does, until it is told to end. `who` is its name.
    pub async fn sweep_on(&self, every: Duration, who: &str, stopping: &CancellationToken) {
        if every.is_zero() {
            return;
        }
        let lease = self.tools.settings.lease;
        while !stopping.is_cancelled() {
            let holder = Holder { who: who.to_owned(), what: "the sweep for drift".to_owned() };
            let turn = tokio::select! {
                () = stopping.cancelled() => return,
                turn = self.tools.locks.acquire("sweep:drift", holder, lease, every) => turn,
            };
            let Ok(turn) = turn else {
                // Another does it, or nobody can be asked who does.
                tokio::select! {
                    () = stopping.cancelled() => return,
                    () = tokio::time::sleep(lease) => continue,
                }
            };
            loop {
                match self.look(false).await {
                    Ok(looked) => tracing::debug!(?looked, "looked for drift and orphans"),
                    Err(error) => tracing::warn!(error, "the sweep for drift failed, it comes again"),
                }
                tokio::select! {
                    () = stopping.cancelled() => return,
                    () = turn.lost() => break,
                    () = tokio::time::sleep(every) => {}
                }
            }
        }
    }

    /// One look at all hosts; `thorough`: at every container's settings. A host that is away keeps nobody from the others.
    ///
    /// # Errors
    /// When the read models can't be asked; in words, for the log.
    pub async fn look(&self, thorough: bool) -> Result<Looked, String> {
        let words = |error: StepError| error.to_string();
        let hosts = self.tools.all::<HostRow>(HostFilter::default()).await.map_err(words)?;
        let mut looked = Looked::default();
        for row in hosts {
            match self.look_at(row.id, thorough, &mut looked).await {
                Ok(()) => {}
                Err(error) => {
                    tracing::warn!(host.id = %row.id, host = row.settings.name, %error, "a host can't be looked at for drift");
                    looked.away.push(format!("{}: {error}", row.settings.name));
                }
            }
        }
        let drifted = self.tools.all::<DriftRow>(DriftFilter::default()).await.map_err(words)?;
        looked.drifted = drifted.len() as u64;
        metrics::gauge!("gantry_containers_drifted").set(looked.drifted as f64);
        metrics::gauge!("gantry_containers_without_guest")
            .set(drifted.iter().filter(|row| row.missing()).count() as f64);
        metrics::gauge!("gantry_orphans").set(looked.orphans as f64);
        Ok(looked)
    }

    async fn look_at(&self, id: domain::HostId, thorough: bool, looked: &mut Looked) -> Result<(), StepError> {
        let host = self.tools.hosts.get(id).await?;
        let filter = ContainerFilter {
            host: Some(id),
            lifecycle: vec![Lifecycle::Creating, Lifecycle::Ready, Lifecycle::Failed],
            ..ContainerFilter::default()
        };
        // The guests first: one that is made meanwhile is not among them, rather than taken for a stray.
        let guests = host.client.resources(Some("vm")).await.map_err(proxmox_failure)?;
        let rows = self.tools.all::<ContainerRow>(filter).await?;
        let known: HashSet<u32> = rows.iter().filter_map(|row| Some(row.vmid?.get())).collect();
        let drifted: HashSet<ContainerId> =
            self.tools.all::<DriftRow>(DriftFilter::default()).await?.into_iter().map(|row| row.container).collect();
        let by_vmid: HashMap<u64, &Resource> = guests.iter().filter_map(|guest| Some((guest.vmid?, guest))).collect();
        let ready: Vec<&ContainerRow> =
            rows.iter().filter(|row| row.lifecycle == Lifecycle::Ready && row.vmid.is_some()).collect();
        let suspect = |row: &&ContainerRow| {
            let seen = row.vmid.and_then(|vmid| by_vmid.get(&u64::from(vmid.get())));
            drifted.contains(&row.id) || seen.is_none_or(|seen| looks_other(row, seen))
        };
        let (mut read, others): (Vec<_>, Vec<_>) = ready.iter().copied().partition(|row| thorough || suspect(row));
        read.extend(self.longest_unread(&others));
        let read: Vec<ContainerId> = read.into_iter().map(|row| row.id).collect();
        let judged = stream::iter(read).map(|id| self.look_at_container(id)).buffer_unordered(AT_ONCE);
        let judged: Vec<Result<bool, StepError>> = judged.collect().await;
        looked.containers += judged.iter().filter(|one| matches!(one, Ok(true))).count() as u64;
        looked.orphans += strays::record(&self.tools, &host, &guests, &known).await?;
        // One that can't be asked about stays as it was known.
        judged.into_iter().find_map(Result::err).map_or(Ok(()), Err)
    }

    fn longest_unread<'a>(&self, rows: &[&'a ContainerRow]) -> Vec<&'a ContainerRow> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        // Of what is gone nobody asks again; of what is there it is due by then.
        read.retain(|_, at| at.elapsed() < REMEMBERED);
        let mut rows = rows.to_vec();
        rows.sort_by_key(|row| read.get(&row.id).copied());
        rows.truncate(READ_ANYWAY);
        rows
    }

    /// False when somebody is at work on it.
    async fn look_at_container(&self, id: ContainerId) -> Result<bool, StepError> {
        let log = &self.tools.log;
        let before = log.load::<Container>(id).await.map_err(StepError::internal)?;
        if before.state.lifecycle() != Lifecycle::Ready || is_at_work(&self.tools, id).await? {
            return Ok(false);
        }
        let Judged::So(differences) = judge(&self.tools, id, &before.state).await? else { return Ok(false) };
        self.read.lock().unwrap_or_else(PoisonError::into_inner).insert(id, Instant::now());
        let after = log.load::<Container>(id).await.map_err(StepError::internal)?;
        if after.version != before.version || is_at_work(&self.tools, id).await? {
            return Ok(false);
        }
        let account = before.state.request().and_then(|request| request.account);
        let meta = Meta { account, ..Meta::system(SWEEP) };
        let said = log.execute::<Drift>(id, See { account, differences }, &(), meta).await;
        if said.map_err(StepError::internal)?.appended.is_some() {
            tracing::info!(container.id = %id, "how a container differs from its record is different now");
        }
        Ok(true)
    }
}

pub(super) async fn is_at_work(tools: &Tools, container: ContainerId) -> Result<bool, StepError> {
    let status = vec![Status::Queued, Status::Running];
    let filter = OperationFilter { target: Some(container), status, ..OperationFilter::default() };
    let page = Page { limit: 1, ..Page::default() };
    let found = views::page::<OperationRow>(tools.log.db(), &filter, &page).await.map_err(StepError::internal)?;
    let cloned = clone_sources::clone_of(tools.log.db(), container).await.map_err(StepError::internal)?;
    Ok(!found.items.is_empty() || cloned.is_some())
}

/// As the cluster's list shows it, which lags by some seconds: reason enough to read its settings, and no more.
fn looks_other(row: &ContainerRow, seen: &Resource) -> bool {
    let running = seen.status == "running";
    let tags: HashSet<&str> = marker::tags(seen.tags.as_deref().unwrap_or_default()).collect();
    let marked = tags.contains(marker::TAG);
    let wanted = row.spec.tags.iter().filter(|tag| *tag != marker::TAG).count();
    seen.node != row.node
        || running != (row.power == Power::Running)
        || seen.name.as_ref().is_some_and(|name| *name != row.hostname)
        || (seen.maxcpu > 0.0 && (seen.maxcpu - f64::from(row.spec.cores)).abs() > 0.5)
        || (seen.maxmem > 0 && seen.maxmem >> 20 != u64::from(row.spec.memory_mb))
        || !marked
        || tags.len() != wanted + 1
        || row.spec.tags.iter().any(|tag| !tags.contains(tag.as_str()))
}
