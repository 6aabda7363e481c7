//! Guests that somebody made on Proxmox become containers, and are given back.

use domain::container::{Container, ContainerCommand, Lifecycle, Power, marker};
use domain::operation::{Command, OperationCommand, Status};
use domain::pipeline::{PipelineName, StepName};
use domain::vmid::{VmidCommand, VmidLease, VmidOfHost};
use domain::{ContainerId, OperationId};
use proxmox::{LxcChange, LxcConfig};
use uuid::Uuid;
use worker::imported;

use crate::support::{World, hostname, meta};
use crate::trips::{Met, Trip};

pub(crate) const OURS: [PipelineName; 2] = [PipelineName::Adopt, PipelineName::Release];

async fn config(world: &World, guest: &VmidOfHost, node: &str) -> LxcConfig {
    let host = world.tools.hosts.get(guest.host).await.unwrap();
    host.client.lxc(node, guest.vmid.get()).config().await.unwrap()
}

/// As if somebody had made the container's guest by hand: it is nobody's, and nothing on it says otherwise.
async fn by_hand(world: &World, id: ContainerId) -> (VmidOfHost, String) {
    let (api, guest) = world.api(id).await;
    let theirs = LxcChange {
        hostname: Some(hostname()),
        description: Some("Ann made it".into()),
        tags: Some(vec!["theirs".into()]),
        ..LxcChange::default()
    };
    api.lxc(&guest.node, guest.vmid.get()).configure(&theirs).await.unwrap();
    let place = VmidOfHost { host: guest.host, vmid: guest.vmid };
    world.log.execute::<VmidLease>(place, VmidCommand::Release { container: id }, &(), meta()).await.unwrap();
    world.log.execute::<Container>(id, ContainerCommand::Remove, &(), meta()).await.unwrap();
    (place, guest.node)
}

/// As the API accepts it.
async fn adopt(world: &World, place: &VmidOfHost) -> (ContainerId, OperationId) {
    let found = imported(&world.tools, place.host, place.vmid).await.unwrap();
    assert_eq!(found.owner, None);
    let container = ContainerId::new(Uuid::now_v7());
    let command =
        Command::AdoptGuest { container, host: place.host, node: found.node, vmid: place.vmid, account: None };
    (container, world.request_with(found.spec, command).await)
}

pub(crate) async fn prepare(world: &World, id: ContainerId, pipeline: PipelineName) -> (ContainerId, OperationId) {
    match pipeline {
        PipelineName::Adopt => {
            let (place, _) = by_hand(world, id).await;
            adopt(world, &place).await
        }
        _ => (id, world.accept(Command::ReleaseContainer { container: id }).await),
    }
}

pub(crate) async fn has_succeeded(world: &World, id: ContainerId, operation: OperationId) -> Result<(), String> {
    let accepted = world.operation(operation).await.accepted().unwrap().clone();
    if accepted.pipeline == PipelineName::Adopt {
        return world.is_ready(id).await;
    }
    world.is_gone(id).await?;
    let fact = world.operation(operation).await.fact(StepName::UnmarkGuest).cloned().unwrap();
    let vmid = fact["vmid"].as_u64().unwrap() as u32;
    match (world.container(id).await.lifecycle(), world.sim.world().is_running(vmid)) {
        (Lifecycle::Removed, true) => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_made_by_hand_becomes_a_container_and_is_given_back_as_it_was() {
    let world = World::new().await;
    let (place, node) = by_hand(&world, world.made().await).await;
    let before = config(&world, &place, &node).await;
    let (id, operation) = adopt(&world, &place).await;
    assert_eq!(world.drive(operation).await.status(), Some(Status::Succeeded));
    world.is_ready(id).await.unwrap();
    let container = world.container(id).await;
    let spec = &container.request().unwrap().spec;
    assert_eq!(
        (Some(spec.hostname.as_str()), spec.tags.as_slice()),
        (before.get("hostname"), &["theirs".to_owned()][..])
    );
    assert_eq!((spec.description.as_deref(), container.power()), (Some("Ann made it"), Power::Running));
    assert_eq!(container.addresses().len(), 1, "{:?}", container.addresses());
    let marked = config(&world, &place, &node).await;
    assert_eq!(marker::parse(marked.get("tags").unwrap(), marked.get("description").unwrap()), Some(id));
    let looked = worker::Sweep::new(world.tools.clone()).look(true).await.unwrap();
    assert_eq!((looked.containers, looked.drifted, looked.orphans), (1, 0, 0), "{looked:?}");
    // It is a container like any other.
    let stop = world.accept(Command::StopContainer { container: id }).await;
    assert_eq!(world.drive(stop).await.status(), Some(Status::Succeeded));
    let start = world.accept(Command::StartContainer { container: id }).await;
    assert_eq!(world.drive(start).await.status(), Some(Status::Succeeded));
    assert_eq!(imported(&world.tools, place.host, place.vmid).await.unwrap().owner, Some(id));

    let release = world.accept(Command::ReleaseContainer { container: id }).await;
    assert_eq!(world.drive(release).await.status(), Some(Status::Succeeded));
    has_succeeded(&world, id, release).await.unwrap();
    let after = config(&world, &place, &node).await;
    for name in ["hostname", "tags", "net0", "memory", "rootfs"] {
        assert_eq!(after.get(name), before.get(name), "{name}");
    }
    assert_eq!(after.get("description").unwrap().trim(), "Ann made it");
    // And may be adopted again.
    let (again, operation) = adopt(&world, &place).await;
    assert_eq!(world.drive(operation).await.status(), Some(Status::Succeeded));
    world.is_ready(again).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adoption_that_is_cancelled_leaves_the_guest_alone() {
    let world = World::new().await;
    let (place, node) = by_hand(&world, world.made().await).await;
    let before = config(&world, &place, &node).await;
    let (id, operation) = adopt(&world, &place).await;
    assert_eq!(world.until_killed(operation, Trip::BeforeStart(StepName::Finish)).await, Met::Tripped);
    world.ask(operation, OperationCommand::Cancel).await;
    assert_eq!(world.drive(operation).await.status(), Some(Status::Cancelled));
    world.is_gone(id).await.unwrap();
    let after = config(&world, &place, &node).await;
    for name in ["hostname", "tags", "description", "net0"] {
        assert_eq!(after.get(name), before.get(name), "{name}");
    }
    assert!(world.sim.world().is_running(place.vmid.get()));
}
