//! Is the judge awake? Each of these changes the evidence of a run to what it would be had one safeguard failed.

use domain::Event as _;
use domain::operation::OperationEvent;
use domain::{Recorded, Version};

use crate::check;
use crate::evidence::Evidence;

/// What is changed; false when the run has nothing that could be.
type Change = fn(&mut Evidence) -> bool;

const CHANGES: &[(&str, Change, &str)] = &[
    ("fencing: a worker that lost the operation brings its result", late_result, "a worker that had lost it"),
    ("idempotent step: done, and done again", done_again, "is done again"),
    ("idempotent step: a script's effect twice", ran_twice, "scripts ended well"),
    ("sweep: an operation that nobody works on", never_ended, "at the end"),
    ("gap-free resume: a watcher missed an event", missed, "a watcher saw"),
    ("gap-free resume: a watcher saw an event twice", seen_twice, "a watcher saw"),
    ("reservation: one place in the quota too many", over_quota, "containers of"),
    ("reservation: one VMID for two", shared_vmid, "becomes"),
    ("undo: a guest is left over", left_over, "a guest is left over"),
    ("look before acting: a guest was taken away", taken_away, "is missing"),
    ("leases: a VMID is still leased", still_leased, "leased for nothing"),
];

/// The changes that the judge did not see, or that this run could not be changed by.
pub(crate) fn unnoticed(evidence: &Evidence) -> Vec<String> {
    let mut unnoticed = Vec::new();
    for (name, change, words) in CHANGES {
        let mut doctored = evidence.clone();
        if !change(&mut doctored) {
            unnoticed.push(format!("the run has nothing to doctor for {name:?}"));
        } else if !check::judge(&doctored).iter().any(|wrong| wrong.contains(words)) {
            unnoticed.push(format!("the judge did not notice {name:?}"));
        }
    }
    unnoticed
}

fn find(evidence: &Evidence, kind: &str) -> Option<usize> {
    evidence.events.iter().position(|event| event.kind == kind)
}

/// Another event in the same stream, right after this one.
fn insert(evidence: &mut Evidence, at: usize, event: &OperationEvent) {
    let new = event.encode().unwrap();
    let copy =
        Recorded { kind: new.kind, kind_version: new.kind_version, data: new.data, ..evidence.events[at].clone() };
    evidence.events.insert(at + 1, copy);
}

fn late_result(evidence: &mut Evidence) -> bool {
    let Some(at) = find(evidence, "operation.step_started") else { return false };
    insert(evidence, at, &OperationEvent::Claimed { worker: "another".to_owned() });
    true
}

fn done_again(evidence: &mut Evidence) -> bool {
    let Some(at) = find(evidence, "operation.step_succeeded") else { return false };
    let OperationEvent::StepSucceeded { step, fact } = evidence.events[at].event().unwrap() else { return false };
    insert(evidence, at, &OperationEvent::StepSucceeded { step, fact });
    insert(evidence, at, &OperationEvent::StepStarted { step, attempt: 2, intent: serde_json::Value::Null });
    true
}

fn ran_twice(evidence: &mut Evidence) -> bool {
    let mut ran: Vec<_> = evidence.guests.iter_mut().filter_map(|guest| guest.ran.as_mut()).collect();
    ran.iter_mut().for_each(|ran| ran.push_str("three\n"));
    !ran.is_empty()
}

fn never_ended(evidence: &mut Evidence) -> bool {
    let Some(last) = evidence.events.iter().rposition(|event| event.kind == "operation.succeeded") else {
        return false;
    };
    evidence.events.remove(last);
    true
}

fn missed(evidence: &mut Evidence) -> bool {
    let mut all = evidence.made.iter_mut().flat_map(|made| &mut made.seen);
    all.find(|seen| seen.len() > 2).map(|seen| seen.remove(1)).is_some()
}

fn seen_twice(evidence: &mut Evidence) -> bool {
    let mut all = evidence.made.iter_mut().flat_map(|made| &mut made.seen);
    all.find(|seen| seen.len() > 2).map(|seen| seen.insert(1, seen[0].clone())).is_some()
}

fn over_quota(evidence: &mut Evidence) -> bool {
    evidence.quotas.values_mut().for_each(|limit| *limit = 0);
    !evidence.quotas.is_empty()
}

fn shared_vmid(evidence: &mut Evidence) -> bool {
    let Some(at) = find(evidence, "vmid.leased") else { return false };
    let other = domain::ContainerId::new(uuid::Uuid::now_v7()).to_string();
    let mut copy = evidence.events[at].clone();
    copy.data["container"] = other.into();
    copy.version = Version(copy.version.0 + 1);
    evidence.events.insert(at + 1, copy);
    true
}

fn left_over(evidence: &mut Evidence) -> bool {
    let Some(mut guest) = evidence.guests.first().cloned() else { return false };
    guest.place.1 += 100_000;
    evidence.guests.push(guest);
    true
}

fn taken_away(evidence: &mut Evidence) -> bool {
    evidence.guests.pop().is_some()
}

fn still_leased(evidence: &mut Evidence) -> bool {
    let Some(((host, vmid), container)) = evidence.leased.first().copied() else { return false };
    evidence.leased.insert(((host, vmid + 100_000), container));
    true
}
