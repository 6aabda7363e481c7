//! What has to be true at the end, whatever happened on the way.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::time::{Duration, Instant};

use domain::container::{Container, Lifecycle};
use domain::operation::{Operation, Status};
use domain::{Aggregate as _, ContainerId, OperationId, Version};
use platform::log::Log;
use platform::series::records;
use platform::views::{self, MOST, Order, Page, VmidFilter, VmidRow};
use serde_json::Value;

use crate::ground::Ground;

/// One create and who watched it.
pub(crate) struct Made {
    pub(crate) container: ContainerId,
    pub(crate) operation: OperationId,
    /// How it may end.
    pub(crate) ends: &'static [Status],
    pub(crate) seen: Vec<Vec<(i64, Value)>>,
}

/// Everything that is wrong, in words.
pub(crate) async fn all(ground: &Ground, made: &[Made]) -> Vec<String> {
    let log = ground.log().await;
    let mut wrong = Vec::new();
    let mut wanted = Vec::new();
    for one in made {
        if let Err(what) = create(ground, &log, one, &mut wanted).await {
            wrong.push(format!("operation {}: {what}", one.operation));
        }
    }
    let numbers: BTreeSet<u32> = wanted.iter().copied().collect();
    if numbers.len() < wanted.len() {
        wrong.push(format!("a VMID is shared: {wanted:?}"));
    }
    let there: BTreeSet<u32> = ground.sim.world().vmids().into_iter().collect();
    if there != numbers {
        let (over, missing) = (&there - &numbers, &numbers - &there);
        wrong.push(format!("guests left over: {over:?}, missing: {missing:?}"));
    }
    let leased = leases(&log).await;
    if leased != numbers {
        let (over, missing) = (&leased - &numbers, &numbers - &leased);
        wrong.push(format!("VMIDs leased for nothing: {over:?}, not leased: {missing:?}"));
    }
    wrong.extend(nothing_is_held(ground).await.err());
    wrong
}

async fn create(ground: &Ground, log: &Log, made: &Made, vmids: &mut Vec<u32>) -> Result<(), String> {
    let operation = log.load::<Operation>(made.operation).await.unwrap().state;
    let status = operation.status().unwrap();
    if !made.ends.contains(&status) {
        return Err(format!("ended as {status}, not as {:?}: {:?}", made.ends, operation.end()));
    }
    let stored = records::read(log.db(), &records::of_operation(made.operation), 0, 100_000).await.unwrap();
    let shown = |mut body: Value| {
        // Where a worker goes on reading is not for watchers.
        body.as_object_mut().unwrap().remove("next");
        body
    };
    let stored: Vec<(i64, Value)> = stored.into_iter().map(|record| (record.seq, shown(record.body))).collect();
    if !stored.iter().enumerate().all(|(at, (number, _))| *number == at as i64 + 1) {
        return Err("its events have gaps".to_owned());
    }
    if let Some(seen) = made.seen.iter().find(|seen| **seen != stored) {
        return Err(format!("a watcher saw {} of {} events", seen.len(), stored.len()));
    }
    let container = log.load::<Container>(made.container).await.unwrap().state;
    let guest = container.guest().cloned();
    if status != Status::Succeeded {
        return match guest {
            None => Ok(()),
            Some(guest) => Err(format!("ended as {status} and still has {guest:?}")),
        };
    }
    let guest = guest.ok_or("is ready without a guest")?;
    vmids.push(guest.vmid.get());
    if container.lifecycle() != Lifecycle::Ready {
        return Err(format!("its container is {:?}", container.lifecycle()));
    }
    scripts_ran_once(ground, guest.vmid.get()).await?;
    let versions = log.stream(&Operation::stream(made.operation), Version(0)).await.unwrap();
    if versions.len() < 3 { Err("its log is too short".to_owned()) } else { Ok(()) }
}

/// A line was written by each script at its end.
async fn scripts_ran_once(ground: &Ground, vmid: u32) -> Result<(), String> {
    let argv = ["cat", "/srv/ran"].map(OsString::from);
    let ran = ground.sim.guests().command(vmid, &argv).unwrap().output().await.unwrap();
    let ran = String::from_utf8_lossy(&ran.stdout).into_owned();
    if ran == "one\ntwo\nthree\n" { Ok(()) } else { Err(format!("guest {vmid}: scripts ended well: {ran:?}")) }
}

async fn leases(log: &Log) -> BTreeSet<u32> {
    let page = Page { limit: MOST, after: None, order: Order::Oldest };
    let rows = views::page::<VmidRow>(log.db(), &VmidFilter::default(), &page).await.unwrap();
    rows.items.into_iter().map(|row| row.vmid.get()).collect()
}

/// Locks, slots and jobs: what the dead held runs out by itself.
async fn nothing_is_held(ground: &Ground) -> Result<(), String> {
    let coordination = ground.coordination().await;
    let queue = coordination.queue("operations", 1);
    let patience = Instant::now() + Duration::from_secs(10);
    loop {
        let mut held = coordination.locks().list("").await.unwrap();
        // One of those that live has the turn to look at things now and again; that is nobody's left-over.
        held.retain(|lock| !lock.key.starts_with("sweep:"));
        let depth = queue.depth().await.unwrap();
        if held.is_empty() && depth.queued + depth.delayed + depth.running == 0 {
            return Ok(());
        }
        if Instant::now() > patience {
            return Err(format!("still held: {held:?}, queued: {depth:?}"));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
