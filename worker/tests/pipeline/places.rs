//! Where containers go on a simulated cluster, and what is told of it before and after.

use domain::container::{ContainerSpec, Source, Where};
use domain::host::{Host, HostCommand};
use domain::preview::Wish;
use worker::Nodes;

use crate::support::{Ground, World, hostname, meta, spec};

/// Nothing can be done inside of guests here: creates fail after the guest is made, and those are kept.
async fn dry() -> World {
    let sim = sim::Options { dry_shell: true, ..sim::Options::default() };
    let world = World::on(Ground { sim, ..Ground::local() }).await;
    let nodes = Nodes::new(world.tools.clone(), std::time::Duration::from_secs(30), |_| {});
    nodes.look_at(world.host).await.unwrap();
    world
}

fn bare() -> ContainerSpec {
    spec(&hostname(), Source::Image("debian-12".into()))
}

async fn plan(world: &World, spec: ContainerSpec) -> domain::preview::Preview {
    worker::preview(&world.tools, Wish::Create { spec: Box::new(spec), image: "debian-12".into() }).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_names_the_node_and_why_not_the_other_and_changes_nothing() {
    let world = dry().await;
    let maintenance = |on| HostCommand::SetNodeMaintenance { node: "pve1".into(), on };
    world.log.execute::<Host>(world.host, maintenance(true), &(), meta()).await.unwrap();
    let guests = world.sim.world().vmids().len();
    let preview = plan(&world, bare()).await;
    let chosen = preview.chosen.expect("a place");
    assert_eq!(chosen.node, "pve2");
    let other = preview.considered.iter().find(|one| one.node == "pve1").unwrap();
    assert!(other.score.is_none() && other.why.contains("maintenance"), "{other:?}");
    let create = preview.calls.iter().find(|call| call.path == "/nodes/pve2/lxc").unwrap();
    for name in ["vmid", "hostname", "ostemplate", "rootfs", "cores", "memory", "net0", "tags"] {
        assert!(create.parameters.contains_key(name), "{name}: {create:?}");
    }
    assert!(preview.calls.last().unwrap().path.ends_with("/status/start"));
    assert_eq!(preview.conflicts, []);
    assert_eq!(world.sim.world().vmids().len(), guests);

    let too_much = plan(&world, ContainerSpec { memory_mb: 65_536, disk_gb: 10_240, ..bare() }).await;
    assert!(too_much.chosen.is_none() && too_much.conflicts[0].field == "node", "{too_much:?}");
    let nowhere = Where::Node { host: world.host, node: "none".into() };
    let nowhere = plan(&world, ContainerSpec { place: nowhere, ..bare() }).await;
    assert!(nowhere.conflicts[0].problem.contains("has no node none"), "{nowhere:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_of_one_tag_are_kept_apart_and_remember_why() {
    let world = dry().await;
    let apart = || ContainerSpec { tags: vec!["web".into()], spread_by: Some("web".into()), ..bare() };
    let mut nodes = Vec::new();
    for _ in 0..2 {
        let (container, operation) = world.request_as(meta(), apart(), true).await;
        world.drive(operation).await;
        let state = world.container(container).await;
        let placement = state.request().unwrap().placement.clone().expect("it is kept");
        assert_eq!(placement.considered.len(), 2, "{placement:?}");
        assert!(placement.reason.unwrap().contains("with web"));
        nodes.push(placement.node);
    }
    nodes.sort();
    assert_eq!(nodes, ["pve1", "pve2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delete_says_what_would_be_asked_of_proxmox() {
    let world = dry().await;
    let (container, operation) = world.request_as(meta(), bare(), true).await;
    world.drive(operation).await;
    let guest = world.container(container).await.guest().cloned();
    let path = guest.as_ref().map(|guest| format!("/nodes/{}/lxc/{}", guest.node, guest.vmid)).expect("a guest");
    let preview =
        worker::preview(&world.tools, Wish::Delete { container, guest, purge: true, keep_unreferenced: false })
            .await
            .unwrap();
    let calls: Vec<_> = preview.calls.iter().map(|call| (call.method, call.path.as_str())).collect();
    assert_eq!(calls, [("POST", format!("{path}/status/stop").as_str()), ("DELETE", path.as_str())]);
    assert_eq!(preview.calls[1].parameters["purge"], "1");
}
