//! The create pipeline, whole, against the simulator.

use crate::support::{Ground, World, spec, turn};
use domain::container::{Lifecycle, Source};
use domain::operation::Status;
use domain::progress::ProgressKind;
use worker::engine::Outcome;

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
