//! The container's rules, by example.
#![allow(clippy::unwrap_used, reason = "tests say what they expect by failing")]

use domain::container::{
    Change, Container, ContainerCommand as C, ContainerEvent as E, ContainerRejection, ContainerSpec, Deletion,
    Features, Ipv4, Ipv6, Lifecycle, Network, Power, Request, Scripts, Source, Stopping, Where,
};
use domain::operation::Failure;
use domain::testing::given;
use domain::vmid::Vmid;
use domain::{Aggregate, HostId, OperationId};
use serde_json::{Value, json};
use uuid::Uuid;

const HOST: HostId = HostId::new(Uuid::from_u128(2));
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJJ9vLf1YxJqbR9i0iFQ4uUe5WcW0Nn6n6RzGk0kq0Jt";

fn spec() -> ContainerSpec {
    ContainerSpec {
        hostname: "web-1".into(),
        source: Source::Template("nginx".into()),
        cores: 1,
        memory_mb: 512,
        swap_mb: 0,
        disk_gb: 8,
        storage: Some("local-lvm".into()),
        network: Network::default(),
        ssh_keys: vec![format!("{KEY} ann@laptop")],
        unprivileged: true,
        features: Features::default(),
        tags: vec!["web".into()],
        description: None,
        start_on_boot: false,
        packages: vec!["curl".into()],
        scripts: Scripts::All,
        place: Where::Anywhere,
        spread_by: None,
        vmid: None,
    }
}

fn request(spec: ContainerSpec) -> Box<Request> {
    Box::new(Request {
        spec,
        operation: OperationId::new(Uuid::from_u128(1)),
        account: None,
        placement: None,
        template: None,
        root_password: None,
        inputs: None,
    })
}

fn guest(vmid: u32) -> E {
    E::GuestCreated { host: HOST, node: "pve1".into(), vmid: Vmid::try_from(vmid).unwrap() }
}

fn record_guest(vmid: u32) -> C {
    C::RecordGuest { host: HOST, node: "pve1".into(), vmid: Vmid::try_from(vmid).unwrap() }
}

fn fields(spec: &ContainerSpec) -> Vec<String> {
    spec.validate().into_iter().map(|error| error.field).collect()
}

#[test]
fn a_good_wish_has_no_errors() {
    assert_eq!(spec().validate(), []);
    let least = json!({
        "hostname": "a", "source": { "image": "debian-12-standard" },
        "cores": 1, "memory_mb": 128, "swap_mb": 0, "disk_gb": 1,
    });
    let least: ContainerSpec = serde_json::from_value(least).unwrap();
    assert_eq!(least.validate(), []);
    assert!(least.unprivileged);
}

#[test]
fn all_errors_are_told_at_once_each_with_a_way_out() {
    let bad = ContainerSpec {
        hostname: "-web".into(),
        source: Source::Image("../etc/passwd".into()),
        cores: 129,
        memory_mb: 127,
        swap_mb: 65_537,
        disk_gb: 0,
        storage: Some("a b".into()),
        network: Network {
            bridge: "vmbr0,tag=1".into(),
            vlan: Some(4095),
            ipv4: Ipv4::Static { address: "192.0.2.10".into(), gateway: None },
            ipv6: Ipv6::Static { address: "2001:db8::2/64".into(), gateway: Some("2001:db9::1".into()) },
            nameservers: vec!["dns".into()],
            domain: Some("a..b".into()),
        },
        ssh_keys: vec![KEY.into(), "ssh-rsa x".into()],
        unprivileged: false,
        features: Features { keyctl: true, ..Features::default() },
        tags: vec!["a;b".into(), "Gantry".into(), "x".into(), "X".into()],
        description: None,
        start_on_boot: true,
        packages: vec!["curl; reboot".into()],
        scripts: Scripts::Only(vec!["../x.sh".into()]),
        place: Where::Node { host: HOST, node: "a/b".into() },
        spread_by: Some("not a tag".into()),
        vmid: Some(99),
    };
    let expected = [
        "hostname",
        "source.image",
        "place.node",
        "cores",
        "memory_mb",
        "swap_mb",
        "disk_gb",
        "vmid",
        "network.vlan",
        "storage",
        "network.bridge",
        "network.ipv4.address",
        "network.ipv6.gateway",
        "network.nameservers[0]",
        "network.domain",
        "ssh_keys[1]",
        "features.keyctl",
        "spread_by",
        "tags[0]",
        "tags[1]",
        "tags[3]",
        "packages[0]",
        "scripts.only",
        "scripts.only[0]",
    ];
    assert_eq!(fields(&bad), expected);
    assert!(bad.validate().iter().all(|error| !error.problem.is_empty() && !error.fix.is_empty()));
    given::<Container>([]).when(C::Request(request(bad)), &()).then_rejected(|no| {
        assert!(matches!(no, ContainerRejection::Invalid(errors) if errors.len() == expected.len()));
    });
}

#[test]
fn limits_hold_at_both_ends() {
    for cores in [1, 128] {
        assert_eq!(fields(&ContainerSpec { cores, ..spec() }), [""; 0]);
    }
    for memory_mb in [128, 65_536] {
        assert_eq!(fields(&ContainerSpec { memory_mb, ..spec() }), [""; 0]);
    }
    for disk_gb in [1, 10_240] {
        assert_eq!(fields(&ContainerSpec { disk_gb, ..spec() }), [""; 0]);
    }
    for vmid in [100, 999_999_999] {
        assert_eq!(fields(&ContainerSpec { vmid: Some(vmid), ..spec() }), [""; 0]);
    }
    assert_eq!(fields(&ContainerSpec { cores: 0, ..spec() }), ["cores"]);
    assert_eq!(fields(&ContainerSpec { disk_gb: 10_241, ..spec() }), ["disk_gb"]);
    let no_address = Network { ipv4: Ipv4::None, ..Network::default() };
    assert_eq!(fields(&ContainerSpec { network: no_address, ..spec() }), ["network"]);
}

#[test]
fn what_is_kept_names_no_person() {
    let kept = ContainerSpec { hostname: "Web-1".into(), tags: vec!["Web".into()], ..spec() }.normalized();
    assert_eq!(
        (kept.hostname.as_str(), &kept.ssh_keys[..], &kept.tags[..]),
        ("web-1", &[KEY.into()][..], &["web".into()][..])
    );
}

#[test]
fn a_container_is_requested_once_and_gets_one_guest() {
    let requested = E::Requested(request(spec()));
    given::<Container>([]).when(C::Request(request(spec())), &()).then([requested.clone()]);
    given::<Container>([requested.clone()]).when(C::Request(request(spec())), &()).then_rejected(|no| {
        assert_eq!(*no, ContainerRejection::AlreadyRequested);
    });
    given::<Container>([requested.clone()]).when(record_guest(101), &()).then([guest(101)]);
    given::<Container>([requested.clone(), guest(101)]).when(record_guest(101), &()).then([]);
    given::<Container>([requested, guest(101)]).when(record_guest(102), &()).then_rejected(|no| {
        assert_eq!(no.to_string(), "the container has guest 101 on pve1 already");
    });
}

#[test]
fn without_a_guest_nothing_is_ready_or_running() {
    let requested = E::Requested(request(spec()));
    for command in [C::BecomeReady { summary: Value::Null, credentials: vec![] }, C::RecordStarted, C::RecordRebooted] {
        given::<Container>([requested.clone()]).when(command, &()).then_rejected(|no| {
            assert_eq!(*no, ContainerRejection::NoGuest);
        });
    }
}

#[test]
fn a_failed_create_is_taken_down_and_may_be_tried_again() {
    let failed = E::CreateFailed { error: Failure::new("image-missing", "No image", "download it") };
    let events = [E::Requested(request(spec())), guest(101), E::Started, E::GuestRemoved, failed];
    let container = Container::fold(&events);
    assert_eq!(
        (container.lifecycle(), container.guest(), container.power()),
        (Lifecycle::Failed, None, Power::Unknown)
    );
    let again = given::<Container>(events).when(C::RetryCreate, &()).then([E::CreateRetried]);
    assert_eq!(again.lifecycle(), Lifecycle::Creating);
}

#[test]
fn power_is_an_event_only_when_it_changed_and_a_removed_container_is_gone() {
    let events = [E::Requested(request(spec())), guest(101), E::Started];
    given::<Container>(events.clone()).when(C::RecordStarted, &()).then([]);
    given::<Container>(events.clone())
        .when(C::RecordStopped(Stopping::Forced), &())
        .then([E::Stopped { how: Stopping::Forced }]);
    let removed = given::<Container>(events).when(C::Remove, &()).then([E::Removed]);
    assert_eq!(removed.lifecycle(), Lifecycle::Removed);
    assert_eq!(removed.decide(C::Remove, &()), Ok(vec![]));
    assert_eq!(removed.decide(C::RecordStarted, &()), Err(ContainerRejection::Removed));
}

#[test]
fn a_change_is_held_until_it_is_made_or_dropped_and_the_wish_follows_it() {
    let bigger =
        Change { memory_mb: Some(1024), disk_gb: Some(9), tags: Some(vec!["Shop".into()]), ..Change::default() };
    let ready =
        || vec![E::Requested(request(spec())), guest(101), E::Ready { summary: Value::Null, credentials: vec![] }];
    let accepted = E::ChangeAccepted { change: bigger.clone() };
    let _ = given::<Container>(ready()).when(C::AcceptChange(bigger.clone()), &()).then([accepted.clone()]);
    let mut under_way = ready();
    under_way.push(accepted);
    let other = Change { cores: Some(3), ..Change::default() };
    given::<Container>(under_way.clone())
        .when(C::AcceptChange(other), &())
        .then_rejected(|no| assert_eq!(*no, ContainerRejection::Changing));
    let _ = given::<Container>(under_way.clone()).when(C::AcceptChange(bigger.clone()), &()).then([]);
    let _ = given::<Container>(under_way.clone()).when(C::DropChange, &()).then(vec![E::ChangeDropped]);
    let made = E::Changed { change: bigger };
    let _ = given::<Container>(under_way.clone()).when(C::RecordChange, &()).then(vec![made.clone()]);
    under_way.push(made);
    let now = under_way.iter().fold(Container::default(), Container::evolve);
    let spec = &now.request().unwrap().spec;
    assert_eq!(
        (spec.memory_mb, spec.disk_gb, spec.cores, spec.tags.as_slice()),
        (1024, 9, 1, &["shop".to_owned()][..])
    );
    assert_eq!(now.changing(), None);
}

#[test]
fn what_is_wrong_with_a_change_is_told_by_its_fields_and_disks_only_grow() {
    let bad = Change {
        cores: Some(0),
        memory_mb: Some(1),
        disk_gb: Some(7),
        hostname: Some("-".into()),
        tags: Some(vec!["a b".into()]),
        description: Some("a\u{7}".into()),
        ..Change::default()
    };
    let mut named = bad.faults(&spec()).into_iter().map(|error| error.field).collect::<Vec<_>>();
    named.sort();
    assert_eq!(named, ["cores", "description", "disk_gb", "hostname", "memory_mb", "tags[0]"]);
    assert_eq!(Change { disk_gb: Some(8), ..Change::default() }.faults(&spec()), []);
    let claims = Change { description: Some("gantry:container=x".into()), ..Change::default() };
    assert_eq!(claims.faults(&spec()).len(), 1, "nobody writes our marker");
}

#[test]
fn a_delete_that_is_put_off_is_begun_or_taken_back_once() {
    let requested =
        || [E::Requested(request(spec())), guest(100), E::Ready { summary: Value::Null, credentials: vec![] }];
    let deletion = |hours| Deletion {
        at: chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::hours(hours),
        purge: true,
        keep_unreferenced: false,
    };
    let operation = OperationId::new(Uuid::from_u128(9));
    let no = ContainerRejection::NotToBeDeleted;
    given::<Container>(requested()).when(C::WithdrawDelete, &()).then_rejected(|why| assert_eq!(*why, no));
    given::<Container>(requested()).when(C::BeginDelete(operation), &()).then_rejected(|why| assert_eq!(*why, no));
    let state = given::<Container>(requested().into_iter().chain([E::DeletePlanned(deletion(1))]))
        .when(C::PlanDelete(deletion(2)), &())
        .then([E::DeletePlanned(deletion(2))]);
    assert_eq!(state.deletion(), Some(&deletion(2)), "the last word counts");
    for (command, event) in
        [(C::WithdrawDelete, E::DeleteWithdrawn), (C::BeginDelete(operation), E::DeleteBegun { operation })]
    {
        let planned = requested().into_iter().chain([E::DeletePlanned(deletion(1))]);
        let state = given::<Container>(planned).when(command.clone(), &()).then([event]);
        assert_eq!(state.decide(command, &()), Err(no.clone()));
    }
    let removed = requested().into_iter().chain([E::DeletePlanned(deletion(1)), E::Removed]);
    assert_eq!(Container::fold(&removed.collect::<Vec<_>>()).deletion(), None);
}
