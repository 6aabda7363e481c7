//! What has to be true at the end, whatever happened on the way: the judge. Looks at the evidence and at nothing else.

use std::collections::{BTreeMap, BTreeSet};

use domain::container::{Container, Guest, Lifecycle, Power, Source, marker};
use domain::operation::{Operation, Status};
use domain::{ContainerId, HostId, OperationId};
use serde_json::Value;
use sim::SeenGuest;

pub(crate) use crate::evidence::Made;
use crate::evidence::{Evidence, Found, Place, Seen};
use crate::ground::Ground;
use crate::walk::{Walk, counts};

/// Everything that is wrong, in words.
pub(crate) async fn all(ground: &Ground, made: Vec<Made>) -> Vec<String> {
    judge(&Evidence::gather(ground, made).await)
}

pub(crate) fn judge(evidence: &Evidence) -> Vec<String> {
    let walk = Walk::through(&evidence.events, &evidence.quotas);
    let mut wrong = walk.wrong.clone();
    for (id, operation) in &walk.operations {
        wrong.extend(ended(*id, operation, evidence).map(|what| format!("operation {id}: {what}")));
    }
    for made in &evidence.made {
        wrong.extend(as_told(made, &walk, evidence).map(|what| format!("operation {}: {what}", made.operation)));
    }
    for (id, container) in &walk.containers {
        wrong.extend(stands(*id, container, &walk, evidence).map(|what| format!("container {id}: {what}")));
    }
    wrong.extend(left_over(&walk, evidence));
    wrong.extend(evidence.held.iter().map(|held| format!("still held: {held}")));
    wrong.extend(evidence.damage.iter().cloned());
    wrong.extend(evidence.told.iter().cloned());
    wrong
}

/// How many operations of each kind ended how.
pub(crate) fn tally(evidence: &Evidence) -> BTreeMap<String, u32> {
    let mut tally = BTreeMap::new();
    for operation in Walk::through(&evidence.events, &evidence.quotas).operations.values() {
        if let (Some(accepted), Some(status)) = (operation.accepted(), operation.status()) {
            *tally.entry(format!("{:?} {status}", accepted.pipeline)).or_default() += 1;
        }
    }
    tally
}

/// Of every operation that the log knows.
fn ended(id: OperationId, operation: &Operation, evidence: &Evidence) -> Option<String> {
    match operation.status() {
        Some(Status::Succeeded | Status::Failed | Status::Cancelled) => {}
        other => {
            return Some(format!(
                "is {other:?} at the end, waiting: {:?}, end: {:?}",
                operation.waiting(),
                operation.end()
            ));
        }
    }
    let stored = evidence.stored.get(&id)?;
    let gapless = stored.iter().enumerate().all(|(at, (number, _))| *number == at as i64 + 1);
    (!gapless).then(|| "its progress has gaps".to_owned())
}

/// Of every one that somebody was told of.
fn as_told(made: &Made, walk: &Walk, evidence: &Evidence) -> Option<String> {
    let Some(operation) = walk.operations.get(&made.operation) else {
        return Some("was accepted and is not in the log".to_owned());
    };
    let status = operation.status()?;
    if !made.ends.contains(&status) {
        return Some(format!("ended as {status}, not as {:?}: {:?}", made.ends, operation.end()));
    }
    let stored = evidence.stored.get(&made.operation)?;
    made.seen.iter().find_map(|seen| differs(seen, stored))
}

/// A watcher leaves at an end; there are more events only when it was retried afterwards.
fn differs(seen: &Seen, stored: &Seen) -> Option<String> {
    let ends = |event: &Value| matches!(event["type"].as_str(), Some("complete" | "error"));
    if !stored.starts_with(seen) {
        let at = seen.iter().zip(stored).position(|(seen, stored)| seen != stored).unwrap_or(stored.len());
        return Some(format!(
            "a watcher saw {} of {} events, other ones from {at} on: {:?}, stored: {:?}",
            seen.len(),
            stored.len(),
            seen.get(at),
            stored.get(at)
        ));
    }
    let first_end = stored.iter().position(|(_, event)| ends(event)).map_or(stored.len(), |at| at + 1);
    (seen.len() != first_end)
        .then(|| format!("a watcher saw {} events up to the first end, of {first_end}", seen.len()))
}

/// A container, its guest, and what is kept for both.
fn stands(id: ContainerId, container: &Container, walk: &Walk, evidence: &Evidence) -> Option<String> {
    let leased: BTreeSet<Place> = evidence.leased.iter().filter(|(_, of)| *of == id).map(|(place, _)| *place).collect();
    let wanted: BTreeSet<Place> = container.guest().map(place).into_iter().collect();
    if leased != wanted {
        return Some(format!("has guests {wanted:?} and leases of VMIDs {leased:?}"));
    }
    let takes = counts(container) && container.request()?.account.is_some();
    if takes != evidence.reserved.contains(&id) {
        return Some(format!("is {:?} and takes of its quota: {}", container.lifecycle(), !takes));
    }
    let Some(guest) = container.guest() else {
        return (container.lifecycle() == Lifecycle::Ready).then(|| "is ready without a guest".to_owned());
    };
    let Some(found) = evidence.guests.iter().find(|found| found.place == place(guest)) else {
        return Some(format!("its guest {} is missing", guest.vmid));
    };
    let seen = &found.seen;
    if seen.node != guest.node || !seen.description.contains(&marker(id)) {
        return Some(format!("guest {} is another's, or elsewhere: {seen:?}", guest.vmid));
    }
    if let Some(lock) = &seen.lock {
        return Some(format!("guest {} is left locked: {lock}", guest.vmid));
    }
    if container.lifecycle() != Lifecycle::Ready {
        return Some(format!("is {:?} and still has guest {}", container.lifecycle(), guest.vmid));
    }
    let settled = walk.last.get(&id).and_then(|last| walk.operations.get(last)).and_then(Operation::status);
    if settled == Some(Status::Succeeded)
        && let Some(what) = disagrees(container, seen)
    {
        return Some(format!("guest {}: {what}", guest.vmid));
    }
    scripts_ran_once(id, container, found, walk)
}

/// After an operation that went well the record and the guest say the same.
fn disagrees(container: &Container, seen: &SeenGuest) -> Option<String> {
    let spec = &container.request()?.spec;
    let power = match container.power() {
        Power::Running => seen.running,
        // What was frozen once may lie on its node still: a rollback leaves it there.
        Power::Stopped => !seen.running,
        Power::Suspended => seen.suspended,
        Power::Unknown => true,
    };
    let snapshots: BTreeSet<&str> = container.snapshots().collect();
    let there: BTreeSet<&str> = seen.snapshots.iter().map(String::as_str).collect();
    let same = [
        ("power", power),
        ("cores", seen.cores == Some(u64::from(spec.cores))),
        ("memory", seen.memory_mb == Some(u64::from(spec.memory_mb))),
        ("name", seen.name == spec.hostname),
        ("snapshots", snapshots == there),
    ];
    let (what, _) = same.iter().find(|(_, same)| !same)?;
    Some(format!("{what} is another than on record ({:?}, {snapshots:?}, {spec:?}): {seen:?}", container.power()))
}

/// A line was written by each script at its end.
fn scripts_ran_once(id: ContainerId, container: &Container, found: &Found, walk: &Walk) -> Option<String> {
    if container.request()?.spec.source != Source::Template("tiny".to_owned()) || walk.run_again.contains(&id) {
        return None;
    }
    let ran = found.ran.as_ref()?;
    (ran != "one\ntwo\nthree\n").then(|| format!("guest {}: scripts ended well: {ran:?}", found.seen.vmid))
}

fn place(guest: &Guest) -> Place {
    (guest.host, guest.vmid.get())
}

/// What there is beside the containers.
fn left_over(walk: &Walk, evidence: &Evidence) -> Vec<String> {
    let mut wrong = Vec::new();
    let owned: BTreeSet<Place> = walk.containers.values().filter_map(Container::guest).map(place).collect();
    let guests = evidence.guests.iter().filter(|found| !owned.contains(&found.place));
    wrong.extend(guests.map(|found| format!("a guest is left over: {found:?}")));
    let leased = evidence.leased.iter().filter(|(place, _)| !owned.contains(place));
    wrong.extend(leased.map(|((_, vmid), of)| format!("VMID {vmid} is leased for nothing, to container {of}")));
    let mut seen = BTreeSet::new();
    let twice = walk.containers.values().filter_map(Container::guest).filter(|guest| !seen.insert(place(guest)));
    wrong.extend(twice.map(|guest| format!("VMID {} is shared", guest.vmid)));
    let made = walk.containers.values().flat_map(Container::backups);
    let backups: BTreeSet<(HostId, String)> = made.map(|made| (made.host, made.volume.clone())).collect();
    wrong.extend(evidence.backups.difference(&backups).map(|volume| format!("a backup is left over: {volume:?}")));
    wrong.extend(backups.difference(&evidence.backups).map(|volume| format!("a backup is missing: {volume:?}")));
    for (account, used) in &evidence.used {
        let takes = walk.places(*account);
        if takes != *used {
            wrong.push(format!("account {account}: {used} places are taken for {takes} containers"));
        }
    }
    wrong
}
