//! Whose request something was is told from the log to the script in the guest.

use domain::container::Source;
use domain::operation::{Operation, Status};
use domain::{Aggregate as _, Meta, TraceParent, Version};

use crate::support::{Ground, World, hostname, meta, spec};

#[tokio::test(flavor = "multi_thread")]
async fn the_trace_of_a_request_reaches_every_event_and_every_script() {
    let ground = Ground::local();
    let script = ground.templates.join("tiny/container-configs/scripts/20-two.sh");
    std::fs::write(&script, "#!/bin/sh\nset -eu\necho \"$TRACEPARENT\" >>/srv/trace\n").unwrap();
    let world = World::on(ground).await;
    let given: TraceParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap();
    let by = Meta { trace: Some(given.clone()), ..meta() };
    let (container, id) = world.request_as(by, spec(&hostname(), Source::Template("tiny".into())), false).await;
    assert_eq!(world.drive(id).await.status(), Some(Status::Succeeded));
    let vmid = world.container(container).await.guest().unwrap().vmid.get();
    let seen: TraceParent = world.in_guest(vmid, "cat /srv/trace").await.trim().parse().unwrap();
    assert_eq!((seen.trace(), seen.is_sampled()), (given.trace(), true));
    assert_ne!(seen.span(), given.span(), "a script is within its step");
    let events = world.log.stream(&Operation::stream(id), Version(0)).await.unwrap();
    assert!(events.len() > 10 && events.iter().all(|event| event.meta.trace.as_ref() == Some(&given)));
}
