//! Looking at hosts.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::container::{Power, Source};
use domain::host::Host;
use worker::Nodes;
use worker::engine::Outcome;
use worker::nodes::Seen;

use crate::support::{Ground, World, spec, turn};

fn watcher(world: &World) -> (Nodes, Arc<Mutex<Vec<Seen>>>) {
    let shown = Arc::new(Mutex::new(Vec::new()));
    let to = shown.clone();
    (Nodes::new(world.tools.clone(), Duration::from_secs(30), move |seen| to.lock().unwrap().extend(seen)), shown)
}

async fn dry() -> World {
    let sim = sim::Options { dry_shell: true, ..sim::Options::default() };
    World::on(Ground { sim, ..Ground::local() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_host_consists_of_is_in_the_log_once() {
    let world = dry().await;
    let (nodes, _) = watcher(&world);
    assert!(nodes.look_at(world.host).await.unwrap());
    let loaded = world.log.load::<Host>(world.host).await.unwrap();
    let [first, second] = loaded.state.nodes() else { panic!("{:?}", loaded.state.nodes()) };
    assert_eq!((first.name.as_str(), first.online, first.version.as_deref()), ("pve1", true, Some("9.1.7")));
    assert_eq!(second.address.as_deref(), Some("127.0.0.1"));
    let local = first.storages.iter().find(|storage| storage.name == "local").unwrap();
    assert!(local.active && local.content.contains(&"backup".to_owned()));
    // Nothing is appended when nothing has changed.
    assert!(!nodes.look_at(world.host).await.unwrap());
    assert_eq!(world.log.load::<Host>(world.host).await.unwrap().version, loaded.version);

    world.sim.world().set_online("pve2", false);
    assert!(nodes.look_at(world.host).await.unwrap());
    let away = world.log.load::<Host>(world.host).await.unwrap().state;
    assert!(!away.nodes()[1].online && !away.nodes()[1].storages.is_empty(), "{:?}", away.nodes()[1]);
    world.sim.world().set_online("pve2", true);
    assert!(nodes.look_at(world.host).await.unwrap());
    assert_eq!(world.log.load::<Host>(world.host).await.unwrap().state.nodes(), loaded.state.nodes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_away_changes_nothing_and_stops_nobody() {
    let world = dry().await;
    let (nodes, shown) = watcher(&world);
    nodes.look().await;
    let before = world.log.load::<Host>(world.host).await.unwrap();
    assert_eq!(before.state.nodes().len(), 2);
    world.sim.world().set_online("pve1", false);
    nodes.look().await;
    assert!(nodes.look_at(world.host).await.is_err());
    assert_eq!(world.log.load::<Host>(world.host).await.unwrap().version, before.version);
    assert!(shown.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn how_our_containers_are_is_shown() {
    let world = World::new().await;
    let (nodes, shown) = watcher(&world);
    let image = "debian-12-standard_12.7-1_amd64.tar.zst";
    let (container, operation) = world.request(spec("seen", Source::Image(image.to_owned()))).await;
    assert!(matches!(world.engine("w").drive(operation, &turn("w")).await.unwrap(), Outcome::Ended));
    nodes.look().await;
    let seen = shown.lock().unwrap().clone();
    let [seen] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!((seen.container, seen.power), (container, Power::Running));
    assert!(seen.node.starts_with("pve") && seen.disk_bytes > 0, "{seen:?}");
}
