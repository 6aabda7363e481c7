//! Creates that can't be: each names its cause and the way out, and leaves nothing behind.

use std::time::Duration;

use domain::container::{Container, ContainerSpec, Source};
use domain::operation::{Command, End, Failure, Status};
use domain::pipeline::StepName;
use sim::{Effect, Rule};
use worker::engine::Outcome;

use crate::support::{Ground, World, hostname, spec, turn};

const IMAGE: &str = "debian-12";

async fn refused(world: &World, wish: ContainerSpec) -> Failure {
    let (container, id) = world.request(wish).await;
    let ended = world.drive(id).await;
    world.is_gone(container).await.unwrap();
    world.only_guests_of(&[]).await;
    match ended.end() {
        Some(End::Failed(failure)) => failure.clone(),
        other => panic!("{other:?}"),
    }
}

fn image(name: &str) -> ContainerSpec {
    spec(&hostname(), Source::Image(name.to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_is_nowhere_is_named() {
    let world = World::new().await;
    let failure = refused(&world, image("plan9-4")).await;
    assert_eq!(failure.slug, "image-missing");
    assert!(failure.detail.contains("plan9-4") && failure.detail.contains("pveam update"), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storage_without_room_is_named_before_and_while_it_is_filled() {
    let world = World::new().await;
    let failure = refused(&world, ContainerSpec { disk_gb: 10_000, ..image(IMAGE) }).await;
    assert_eq!(failure.slug, "no-place");
    assert!(failure.detail.contains("GiB free of the 10000 asked for"), "{failure}");
    // Somebody else fills it between the look and the act.
    let effect = Effect::TaskFails("unable to create CT 100 - No space left on device".to_owned());
    world.sim.faults().add(Rule::always("POST /nodes/*/lxc", effect));
    let failure = refused(&world, image(IMAGE)).await;
    assert_eq!(failure.slug, "storage-full");
    assert!(failure.detail.contains("free some space or choose another storage"), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_that_is_not_there_is_named() {
    let world = World::new().await;
    let mut wish = image(IMAGE);
    wish.network.bridge = "vmbr77".to_owned();
    let failure = refused(&world, wish).await;
    assert!(failure.detail.contains("vmbr77"), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_down_is_waited_for_and_said() {
    let world = World::new().await;
    for node in ["pve1", "pve2"] {
        world.sim.world().set_online(node, false);
    }
    let (container, id) = world.request(image(IMAGE)).await;
    let outcome = world.engine("w").drive(id, &turn("w/1")).await.unwrap();
    assert!(matches!(outcome, Outcome::Later(Some(_))), "{outcome:?}");
    let error = world.operation(id).await.step(StepName::LeaseVmid).unwrap().error.clone().unwrap();
    assert!(error.to_string().contains("does not answer") && error.to_string().contains("is down"), "{error}");
    for node in ["pve1", "pve2"] {
        world.sim.world().set_online(node, true);
    }
    assert_eq!(world.drive(id).await.status(), Some(Status::Succeeded));
    world.is_ready(container).await.unwrap();
}

/// The create's task ended before it had made anything, and left the guest's number with nothing but its lock.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_create_of_ours_left_half_made_is_removed_and_made_again() {
    let options = sim::Options { lock_timeout: Duration::from_millis(50), ..sim::Options::default() };
    let world = World::on(Ground { sim: options, ..Ground::local() }).await;
    let mut made = Vec::new();
    for cancelled in [false, true] {
        let (container, id) = world.request(image(IMAGE)).await;
        let rule = world.sim.faults().add(Rule::once("", Effect::LockTimeout));
        let outcome = world.engine("w").drive(id, &turn(&hostname())).await.unwrap();
        assert!(matches!(outcome, Outcome::Later(Some(_))), "{outcome:?}");
        assert_eq!(world.sim.faults().hits(rule), 1);
        assert_eq!(world.sim.world().vmids().len(), made.len() + 1, "it left something");
        if cancelled {
            world.ask(id, domain::operation::OperationCommand::Cancel).await;
            assert_eq!(world.drive(id).await.status(), Some(Status::Cancelled));
        } else {
            assert_eq!(world.drive(id).await.status(), Some(Status::Succeeded));
            world.is_ready(container).await.unwrap();
            made.push(container);
        }
        world.only_guests_of(&made).await;
        assert_eq!(world.log.load::<Container>(container).await.unwrap().state.guest().is_some(), !cancelled);
    }
}

/// The create's task ended before it had made anything, and the one that was to remove what it left did nothing either.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_destroy_of_ours_left_half_made_is_still_ours() {
    let options = sim::Options { lock_timeout: Duration::from_millis(50), ..sim::Options::default() };
    let world = World::on(Ground { sim: options, ..Ground::local() }).await;
    let (container, id) = world.request(image(IMAGE)).await;
    let fails = Effect::TaskFails("can't lock file '/run/lock/lxc/pve-config-100.lock' - got timeout".to_owned());
    let rules = [("", Effect::LockTimeout), ("DELETE /nodes/*/lxc/*", fails)]
        .map(|(call, effect)| world.sim.faults().add(Rule::once(call, effect)));
    assert_eq!(world.drive(id).await.status(), Some(Status::Succeeded));
    assert_eq!(rules.map(|rule| world.sim.faults().hits(rule)), [1, 1]);
    world.is_ready(container).await.unwrap();
    world.only_guests_of(&[container]).await;
}

/// A create that failed gave its number back, and another container has it by now.
#[tokio::test(flavor = "multi_thread")]
async fn a_delete_does_not_touch_whoever_has_the_number_now() {
    let world = World::new().await;
    let wish = || ContainerSpec { vmid: Some(150), ..image(IMAGE) };
    world.sim.faults().add(Rule::once("POST /nodes/*/lxc", Effect::TaskFails("something broke".to_owned())));
    let (failed, id) = world.request(wish()).await;
    assert_eq!(world.drive(id).await.status(), Some(Status::Failed));
    let (other, id) = world.request(wish()).await;
    assert_eq!(world.drive(id).await.status(), Some(Status::Succeeded));
    world.sim.faults().add(Rule::once("POST /nodes/*/lxc/*/status/stop", Effect::TaskHangs));
    let (api, guest) = world.api(other).await;
    let upid = api.lxc(&guest.node, guest.vmid.get()).stop().await.unwrap();
    let delete = Command::DeleteContainer { container: failed, purge: true, keep_unreferenced: false };
    let delete = world.accept(delete).await;
    assert_eq!(world.drive(delete).await.status(), Some(Status::Succeeded));
    assert_eq!(api.task_status(&upid).await.unwrap(), proxmox::TaskStatus::Running);
    api.stop_task(&upid).await.unwrap();
    world.is_ready(other).await.unwrap();
    world.only_guests_of(&[other]).await;
}

/// The node went down in the middle of it, or somebody stopped it there.
#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_was_interrupted_is_begun_again() {
    let world = World::new().await;
    let effect = Effect::TaskFails("unexpected status".to_owned());
    let calls = ["POST /nodes/*/lxc", "POST /nodes/*/lxc/*/status/start"]
        .map(|call| world.sim.faults().add(Rule::once(call, effect.clone())));
    let (container, id) = world.request(image(IMAGE)).await;
    assert_eq!(world.drive(id).await.status(), Some(Status::Succeeded));
    assert_eq!(calls.map(|rule| world.sim.faults().hits(rule)), [1, 1]);
    world.is_ready(container).await.unwrap();
    world.only_guests_of(&[container]).await;
}
