//! Very many at once: two accounts that both ask for hundreds get on side by side, and no more is held than may be.

use std::collections::HashSet;
use std::time::Duration;

use domain::container::{Container, ContainerCommand, Lifecycle, Request, Source};
use domain::host::Limits;
use domain::operation::{Accepted, Command, Given, Operation, OperationCommand, Status};
use domain::vmid::Vmid;
use domain::{AccountId, Aggregate as _, ContainerId, Event as _, Meta, OperationId};
use futures_util::StreamExt as _;
use futures_util::stream;
use platform::clock::now;
use platform::log::{Append, Expected};
use platform::queue::Settings;
use platform::views::{self, MOST, OperationFilter, OperationRow, Order, Page};
use proxmox::LxcCreate;
use uuid::Uuid;

use crate::proofs::{On, on_both};
use crate::support::{Ground, World, hostname, meta, spec};

on_both!(a_thousand_starts_of_two_accounts_go_side_by_side);

const EACH: u32 = 500;
/// As a process has when nobody says otherwise.
const PLACES: usize = 512;
const PER_NODE: u16 = 8;
/// What the process may grow by while it does a thousand, in MiB. With all of the simulator in it, and not optimized.
const GROWTH_MIB: u64 = 400;

/// A guest that rests on Proxmox, and the container that has it.
async fn resting(world: &World, account: AccountId, vmid: u32) -> ContainerId {
    let client = world.tools.hosts.get(world.host).await.unwrap().client.clone();
    let node = if vmid.is_multiple_of(2) { "pve1" } else { "pve2" };
    let name = hostname();
    let create = LxcCreate {
        vmid,
        template: "local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst".into(),
        rootfs: "local:1".into(),
        hostname: Some(name.clone()),
        networks: vec!["name=eth0,bridge=vmbr0,ip=dhcp".into()],
        unprivileged: true,
        ..LxcCreate::default()
    };
    let upid = client.create_lxc(node, &create).await.unwrap();
    let waiting = proxmox::Waiting { limit: Duration::from_secs(60), cancel: world.stop.clone() };
    assert!(matches!(client.wait_silently(&upid, &waiting).await, Ok(proxmox::Finished::Done { .. })));

    let id = ContainerId::new(Uuid::now_v7());
    let request = Request {
        spec: spec(&name, Source::Image("debian-12".into())),
        operation: OperationId::new(Uuid::now_v7()),
        account: Some(account),
        placement: None,
        template: None,
        root_password: None,
        inputs: None,
    };
    let guest =
        ContainerCommand::RecordGuest { host: world.host, node: node.to_owned(), vmid: Vmid::try_from(vmid).unwrap() };
    let ready = ContainerCommand::BecomeReady { summary: serde_json::Value::Null, credentials: vec![] };
    let mut state = Container::default();
    let mut events = Vec::new();
    for command in [ContainerCommand::Request(Box::new(request)), guest, ready] {
        for event in state.decide(command, &()).unwrap() {
            state = state.evolve(&event);
            events.push(event.encode().unwrap());
        }
    }
    let by = Meta { account: Some(account), ..meta() };
    world.log.append(Append::new(by).stream(Container::stream(id), Expected::New, events)).await.unwrap();
    id
}

async fn start(world: &World, account: AccountId, container: ContainerId) -> OperationId {
    let id = OperationId::new(Uuid::now_v7());
    let command = Command::StartContainer { container };
    let accept = OperationCommand::Accept(Accepted::new(command, Some(account), Some(world.host)));
    let events = Operation::default().decide(accept, &Given { now: now() }).unwrap();
    let events = events.iter().map(|event| event.encode().unwrap()).collect();
    let by = Meta { account: Some(account), ..meta() };
    world.log.append(Append::new(by).stream(Operation::stream(id), Expected::New, events)).await.unwrap();
    id
}

async fn operations(world: &World) -> Vec<OperationRow> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = Page { limit: MOST, after, order: Order::Oldest };
        let found = views::page::<OperationRow>(world.log.db(), &OperationFilter::default(), &page).await.unwrap();
        all.extend(found.items);
        after = found.next;
        if after.is_none() {
            return all;
        }
    }
}

fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() / 1024
}

async fn a_thousand_starts_of_two_accounts_go_side_by_side(on: On) {
    let mut ground = on.ground().await;
    ground.sim.dry_shell = true;
    let limits = Limits { per_host: 100, per_node: PER_NODE, per_storage: 100 };
    let world = World::on(Ground { limits, ..ground }).await;
    let accounts = [AccountId::new(Uuid::now_v7()), AccountId::new(Uuid::now_v7())];
    let wished = accounts.into_iter().enumerate().flat_map(|(at, account)| {
        (0..EACH).map(move |number| (account, 1000 + u32::try_from(at).unwrap() * EACH + number))
    });
    let made = stream::iter(wished).map(|(account, vmid)| {
        let world = &world;
        async move { (account, resting(world, account, vmid).await) }
    });
    let made: Vec<_> = made.buffered(32).collect().await;
    // The worst there is: all that the one asks for stands in line before the first of the other.
    let asked = stream::iter(&made).map(|(account, container)| start(&world, *account, *container));
    let asked: Vec<_> = asked.buffered(64).collect().await;
    let engine = world.engine("w");
    for id in &asked {
        engine.wake(*id).await.unwrap();
    }
    let before = resident_mib();
    let settings = Settings { slots: PLACES, ..Settings::default() };
    let watching = async {
        let mut fewest = u64::MAX;
        loop {
            let depth = world.queue().depth().await.unwrap();
            let all = operations(&world).await;
            let left = all.iter().filter(|row| row.ended_at.is_none()).count();
            if left == 0 {
                world.stop.cancel();
                return (all, fewest);
            }
            if left > asked.len() / 2 && depth.queued == 0 {
                fewest = fewest.min(depth.running);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let (worked, (mut all, fewest)) = tokio::join!(engine.work(&settings), watching);
    worked.unwrap();
    // Each account's share of both nodes; the other hundreds stand in line and take no place.
    assert!(
        fewest <= 4 * u64::from(PER_NODE) + 8,
        "{fewest} were in hand while there was nothing to do for most of them"
    );
    let grown = resident_mib().saturating_sub(before);
    assert!(grown < GROWTH_MIB, "it has grown by {grown} MiB");

    let wrong: Vec<_> = all.iter().filter(|row| row.status != Status::Succeeded).map(|row| &row.error).collect();
    assert!(wrong.is_empty(), "{} of {}: {:?}", wrong.len(), all.len(), wrong.first());
    assert_eq!(all.len(), asked.len());
    all.sort_by_key(|row| row.ended_at);
    // Of each quarter both have their share: neither waits for the other.
    for (number, quarter) in all[..asked.len() / 2].chunks(asked.len() / 4).enumerate() {
        let first = quarter.iter().filter(|row| row.account == Some(accounts[0])).count() * 100 / quarter.len();
        assert!((40..=60).contains(&first), "the first account has {first} % of quarter {number}");
    }
    let running: HashSet<u32> =
        world.sim.world().vmids().into_iter().filter(|id| world.sim.world().is_running(*id)).collect();
    assert_eq!(running.len(), asked.len());
    for (_, container) in made.iter().step_by(97) {
        assert_eq!(world.container(*container).await.lifecycle(), Lifecycle::Ready);
    }
}
