//! What is left when all is quiet: taken down once, so that it can be judged, and doctored to see that the judge is awake.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::time::{Duration, Instant};

use domain::operation::Status;
use domain::{AccountId, ContainerId, HostId, OperationId, Position, Recorded};
use platform::log::{Log, Replaying};
use platform::people::quota;
use platform::series::records;
use platform::views::{self, AccountRow, HostRow, MOST, Order, Page, ReservationRow, Row, VmidRow, clone_sources};
use serde_json::Value;
use sim::{SeenGuest, Sim};

use crate::ground::{Backend, Ground};
use crate::secrets;

/// One accepted command and who watched it.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) operation: OperationId,
    /// How it may end.
    pub(crate) ends: &'static [Status],
    pub(crate) seen: Vec<Seen>,
}

/// What a watcher wrote down.
pub(crate) type Seen = Vec<(i64, Value)>;

/// A guest's number, which is one of its host's.
pub(crate) type Place = (HostId, u32);

/// A guest, and what its scripts wrote at their ends if it runs.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) place: Place,
    pub(crate) seen: SeenGuest,
    pub(crate) ran: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    pub(crate) made: Vec<Made>,
    /// The whole log.
    pub(crate) events: Vec<Recorded>,
    /// The progress of every operation, as it is stored.
    pub(crate) stored: BTreeMap<OperationId, Seen>,
    pub(crate) guests: Vec<Found>,
    /// The files of backups that are there.
    pub(crate) backups: BTreeSet<(HostId, String)>,
    pub(crate) leased: BTreeSet<(Place, ContainerId)>,
    pub(crate) reserved: BTreeSet<ContainerId>,
    /// How many containers each account may have.
    pub(crate) quotas: BTreeMap<AccountId, u64>,
    pub(crate) used: BTreeMap<AccountId, u64>,
    /// Locks, slots, jobs and tasks that nobody should hold any more, in words.
    pub(crate) held: Vec<String>,
    /// What is wrong with the chain of hashes, and with the read models beside a replay.
    pub(crate) damage: Vec<String>,
    /// Where secrets stand.
    pub(crate) told: Vec<String>,
}

impl Evidence {
    pub(crate) async fn gather(ground: &Ground, made: Vec<Made>) -> Self {
        let log = ground.log().await;
        let held = still_held(ground).await;
        let events = all_events(&log).await;
        let mut stored = BTreeMap::new();
        let operations: BTreeSet<OperationId> = ids(&events, "operation").collect();
        for id in operations {
            stored.insert(id, progress(&log, id).await);
        }
        let mut held_by_clones = Vec::new();
        for id in ids::<ContainerId>(&events, "container").collect::<BTreeSet<_>>() {
            if let Some(clone) = clone_sources::clone_of(log.db(), id).await.unwrap() {
                held_by_clones.push(format!("container {id} is still held for clone {clone}"));
            }
        }
        let (mut guests, mut backups) = (Vec::new(), BTreeSet::new());
        for host in rows::<HostRow>(&log).await {
            let cluster = ground.clusters.iter().find(|cluster| cluster.name == host.settings.name).unwrap();
            guests.extend(found(host.id, &cluster.sim).await);
            backups.extend(cluster.sim.world().backups().into_iter().map(|volume| (host.id, volume)));
        }
        let accounts: Vec<AccountRow> = rows(&log).await;
        let mut used = BTreeMap::new();
        for account in &accounts {
            used.insert(account.id, quota::used(log.db(), account.id).await.unwrap().containers);
        }
        let limit = |account: &AccountRow| Some((account.id, u64::from(account.quota.containers?)));
        Self {
            made,
            stored,
            guests,
            backups,
            leased: rows::<VmidRow>(&log).await.iter().map(|row| ((row.host, row.vmid.get()), row.container)).collect(),
            reserved: rows::<ReservationRow>(&log).await.iter().map(|row| row.container).collect(),
            quotas: accounts.iter().filter_map(limit).collect(),
            used,
            held: held.into_iter().chain(held_by_clones).collect(),
            damage: damage(&log).await,
            told: told(ground),
            events,
        }
    }
}

/// The ids of the streams of a kind.
fn ids<I: std::str::FromStr>(events: &[Recorded], category: &str) -> impl Iterator<Item = I> {
    events
        .iter()
        .filter(move |event| event.version.0 == 1 && event.stream.category() == category)
        .filter_map(|event| event.stream.id().parse().ok())
}

async fn all_events(log: &Log) -> Vec<Recorded> {
    let mut events: Vec<Recorded> = Vec::new();
    loop {
        let after = events.last().map_or(Position(0), |event| event.position);
        let more = log.read(after, 5000).await.unwrap();
        if more.is_empty() {
            return events;
        }
        events.extend(more);
    }
}

async fn progress(log: &Log, id: OperationId) -> Seen {
    let stored = records::read(log.db(), &records::of_operation(id), 0, 1_000_000).await.unwrap();
    let shown = |mut body: Value| {
        // Where a worker goes on reading is not for watchers.
        body.as_object_mut().unwrap().remove("next");
        body
    };
    stored.into_iter().map(|record| (record.seq, shown(record.body))).collect()
}

async fn rows<R: Row>(log: &Log) -> Vec<R>
where
    R::Filter: Default,
{
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = Page { limit: MOST, after, order: Order::Oldest };
        let found = views::page::<R>(log.db(), &R::Filter::default(), &page).await.unwrap();
        all.extend(found.items);
        after = found.next;
        if after.is_none() {
            return all;
        }
    }
}

async fn found(host: HostId, sim: &Sim) -> Vec<Found> {
    let argv = ["cat", "/srv/ran"].map(OsString::from);
    let mut found = Vec::new();
    for seen in sim.world().seen() {
        let mut ran = None;
        if seen.running {
            let said = sim.guests().command(seen.vmid, &argv).unwrap().output().await.unwrap();
            ran = Some(String::from_utf8_lossy(&said.stdout).into_owned());
        }
        found.push(Found { place: (host, seen.vmid), seen, ran });
    }
    found
}

async fn damage(log: &Log) -> Vec<String> {
    let mut damage: Vec<String> = log.verify().await.err().iter().map(ToString::to_string).collect();
    let replayed = log.replay(Replaying::Compare).await.unwrap();
    for table in replayed.tables.iter().filter(|table| table.wrong + table.missing > 0) {
        damage.push(format!("the log leads to other rows than there are: {table:?}"));
    }
    damage
}

fn told(ground: &Ground) -> Vec<String> {
    let secrets = secrets::of(ground);
    let written = tokio::task::block_in_place(|| ground.written());
    written.iter().filter_map(|(place, bytes)| secrets::found(&secrets, place, bytes)).collect()
}

/// Locks, slots, jobs and tasks: what the dead held runs out by itself.
async fn still_held(ground: &Ground) -> Vec<String> {
    // A single process keeps them to itself.
    let coordination = match ground.backend {
        Backend::Postgres => Some(ground.coordination().await),
        Backend::Sqlite => None,
    };
    let patience = Instant::now() + Duration::from_secs(10);
    loop {
        let mut held: Vec<String> = ground.sims().flat_map(|sim| sim.world().tasks_running()).collect();
        if let Some(coordination) = &coordination {
            let locks = coordination.locks().list("").await.unwrap();
            // One of those that live has the turn to look at things now and again; that is nobody's left-over.
            let left = locks.iter().filter(|lock| !lock.key.starts_with("sweep:"));
            held.extend(left.map(|lock| format!("{lock:?}")));
            let depth = coordination.queue("operations", 1).depth().await.unwrap();
            if depth.queued + depth.delayed + depth.running > 0 {
                held.push(format!("jobs: {depth:?}"));
            }
        }
        if held.is_empty() || Instant::now() > patience {
            return held;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
