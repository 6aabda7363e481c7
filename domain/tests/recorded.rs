//! Events of every released version stay readable for ever. A file in `recorded/` is never changed after its release;
//! when a kind gets a new shape, it gets an upcaster, and the new shape goes into the next version's file.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests say what they expect by failing")]

use std::collections::BTreeSet;

use domain::access::{Access, AccessEvent};
use domain::account::{Account, AccountEvent};
use domain::api_key::{ApiKey, ApiKeyEvent};
use domain::container::{Container, ContainerEvent};
use domain::host::{Host, HostEvent};
use domain::invitation::{Invitation, InvitationEvent};
use domain::membership::{Membership, MembershipEvent};
use domain::operation::{Operation, OperationEvent};
use domain::user::{User, UserEvent};
use domain::vmid::{VmidEvent, VmidLease};
use domain::{Aggregate, Event, NewEvent};
use serde_json::json;

const V0_1: &str = include_str!("recorded/v0.1.jsonl");

fn recorded(category: &str) -> Vec<NewEvent> {
    V0_1.lines()
        .map(|line| serde_json::from_str::<NewEvent>(line).unwrap_or_else(|e| panic!("{line}: {e}")))
        .filter(|event| event.kind.split_once('.').expect("a kind has a category").0 == category)
        .collect()
}

/// All kinds that the enum knows, in serde's own words about one that it does not.
fn kinds<E: Event>() -> BTreeSet<String> {
    let Err(error) = serde_json::from_value::<E>(json!({ "kind": "?", "data": {} })) else {
        panic!("there is a kind named ?")
    };
    let words = error.to_string();
    words.split('`').skip(1).step_by(2).filter(|word| *word != "?").map(str::to_owned).collect()
}

fn stays_readable<A: Aggregate>() {
    let stored = recorded(A::CATEGORY);
    let mut events = vec![];
    for event in &stored {
        let read = A::Event::decode(&event.kind, event.kind_version, &event.data)
            .unwrap_or_else(|e| panic!("{}: {e}", event.data));
        let again = read.encode().unwrap();
        if again.kind_version == event.kind_version {
            assert_eq!(again.data, event.data, "{}: reading lost something", event.kind);
        }
        events.push(read);
    }
    let _ = A::fold(&events);
    let seen: BTreeSet<_> = stored.into_iter().map(|event| event.kind).collect();
    let known = kinds::<A::Event>();
    assert!(known.len() > 1, "{known:?}");
    assert_eq!(known, seen, "each kind needs a line in the newest file, and each line a kind");
}

#[test]
fn operations_stay_readable() {
    stays_readable::<Operation>();
}

#[test]
fn containers_stay_readable() {
    stays_readable::<Container>();
}

#[test]
fn vmids_stay_readable() {
    stays_readable::<VmidLease>();
}

#[test]
fn schedules_stay_readable() {
    stays_readable::<domain::schedule::Schedules>();
}

#[test]
fn drift_and_orphans_stay_readable() {
    stays_readable::<domain::drift::Drift>();
    stays_readable::<domain::orphan::Orphan>();
}

#[test]
fn the_catalogue_stays_readable() {
    stays_readable::<domain::catalogue::Catalogue>();
    stays_readable::<domain::own_templates::OwnTemplates>();
}

#[test]
fn hosts_stay_readable() {
    stays_readable::<Host>();
}

#[test]
fn accounts_and_their_members_stay_readable() {
    stays_readable::<Account>();
    stays_readable::<Membership>();
    stays_readable::<Invitation>();
}

#[test]
fn users_and_keys_stay_readable() {
    stays_readable::<User>();
    stays_readable::<ApiKey>();
    stays_readable::<Access>();
}

#[test]
fn no_line_belongs_to_nobody() {
    let mut known = kinds::<OperationEvent>();
    known.extend(kinds::<ContainerEvent>());
    known.extend(kinds::<VmidEvent>());
    known.extend(kinds::<HostEvent>());
    known.extend(kinds::<AccountEvent>());
    known.extend(kinds::<MembershipEvent>());
    known.extend(kinds::<UserEvent>());
    known.extend(kinds::<InvitationEvent>());
    known.extend(kinds::<ApiKeyEvent>());
    known.extend(kinds::<AccessEvent>());
    known.extend(kinds::<domain::schedule::ScheduleEvent>());
    known.extend(kinds::<domain::drift::DriftEvent>());
    known.extend(kinds::<domain::orphan::OrphanEvent>());
    known.extend(kinds::<domain::catalogue::CatalogueEvent>());
    known.extend(kinds::<domain::own_templates::OwnTemplateEvent>());
    for line in V0_1.lines() {
        let event: NewEvent = serde_json::from_str(line).unwrap();
        assert!(known.contains(&event.kind), "{}", event.kind);
    }
}
