//! The create pipeline, whole, against the simulator.

use crate::support::{Ground, World, hostname, spec, turn};
use crate::trips::{Met, Trip};
use domain::container::{Lifecycle, Source};
use domain::operation::{End, Status};
use domain::pipeline::StepName;
use domain::progress::ProgressKind;
use domain::{ContainerId, OperationId};
use worker::engine::Outcome;

/// A create of the tiny template that has not begun.
async fn tiny(world: &World) -> (ContainerId, OperationId) {
    world.request(spec(&hostname(), Source::Template("tiny".into()))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_is_made_from_a_template_and_ready() {
    let templates = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/lxc/templates").into();
    let world = World::on(Ground { templates, ..Ground::local() }).await;
    let (container, operation) = world.request(spec("web-1", Source::Template("nginx".into()))).await;
    let outcome = world.engine("w1").drive(operation, &turn("w1/1")).await.unwrap();
    let progress = world.progress(operation).await;
    assert_eq!(outcome, Outcome::Ended);
    let done = world.operation(operation).await;
    assert_eq!(done.status(), Some(Status::Succeeded), "{:?}", done.end());
    assert_eq!(world.container(container).await.lifecycle(), Lifecycle::Ready);
    assert!(matches!(progress.last().map(|p| &p.kind), Some(ProgressKind::Complete { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_health_check_that_keeps_failing_fails_the_create_with_what_it_said() {
    let ground = Ground::local();
    // The port listens, and what asks is told otherwise.
    let conf = ground.templates.join("tiny/template.conf");
    let text = std::fs::read_to_string(&conf).unwrap().replace("http://:80/health", "tcp://:81");
    std::fs::write(conf, text).unwrap();
    let world = World::on(ground).await;
    let (container, id) = tiny(&world).await;
    let ended = world.drive(id).await;
    let Some(End::Failed(failure)) = ended.end() else { panic!("{:?}", ended.end()) };
    assert_eq!(failure.slug, "unhealthy");
    assert!(failure.detail.contains("tcp://:81") && failure.detail.contains("nothing takes a connection"), "{failure}");
    world.is_gone(container).await.unwrap();
    world.only_guests_of(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_needs_a_moment_is_waited_for() {
    let world = World::new().await;
    let (container, id) = tiny(&world).await;
    assert_eq!(world.until_killed(id, Trip::BeforeStart(StepName::CheckHealth)).await, Met::Tripped);
    let vmid = world.container(container).await.guest().unwrap().vmid.get();
    world.in_guest(vmid, "systemctl stop nginx; (sleep 1; systemctl start nginx) >/dev/null 2>&1 &").await;
    assert_eq!(world.drive(id).await.status(), Some(Status::Succeeded));
    assert_eq!(world.operation(id).await.fact(StepName::CheckHealth).unwrap()["asked"], "http://:80/health");
}
