//! What holds of every pipeline, as loops over its table: a step that is added is covered the moment it exists.

use domain::container::{Lifecycle, Source};
use domain::operation::{Command, Status};
use domain::pipeline::PipelineName;
use domain::{ContainerId, OperationId};
use futures_util::StreamExt as _;
use futures_util::stream;

use crate::support::{World, spec};
use crate::trips::{Met, Trip};

/// This many at a time: they wait for the simulator more than they work.
const AT_ONCE: usize = 6;

/// Does it to each, and says all that went wrong.
async fn each<T: std::fmt::Debug + Copy>(
    all: impl IntoIterator<Item = T>,
    proof: impl AsyncFn(T) -> Result<(), String>,
) {
    let proof = &proof;
    let ended = stream::iter(all).map(|one| async move { proof(one).await.map_err(|what| format!("{one:?}: {what}")) });
    let wrong: Vec<_> = ended.buffer_unordered(AT_ONCE).filter_map(async |end| end.err()).collect().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn tiny(world: &World, keep: bool) -> (ContainerId, OperationId) {
    world
        .request_as(crate::support::meta(), spec(&crate::support::hostname(), Source::Template("tiny".into())), keep)
        .await
}

/// A container to work on and an operation of the pipeline that has not begun.
async fn begin(world: &World, pipeline: PipelineName) -> (ContainerId, OperationId) {
    if pipeline == PipelineName::Create {
        return tiny(world, false).await;
    }
    let image = Source::Image("debian-12".into());
    let (container, create) = world.request(spec(&crate::support::hostname(), image)).await;
    assert_eq!(world.drive(create).await.status(), Some(Status::Succeeded));
    let command = match pipeline {
        PipelineName::Delete => Command::DeleteContainer { container, purge: true },
        PipelineName::Start => {
            let stop = world.accept(Command::StopContainer { container }).await;
            assert_eq!(world.drive(stop).await.status(), Some(Status::Succeeded));
            Command::StartContainer { container }
        }
        PipelineName::Stop => Command::StopContainer { container },
        PipelineName::Shutdown => Command::ShutdownContainer { container, timeout_seconds: 10 },
        PipelineName::Reboot => Command::RebootContainer { container, timeout_seconds: 10 },
        PipelineName::Create => unreachable!(),
    };
    (container, world.accept(command).await)
}

/// The end that each pipeline comes to.
async fn has_succeeded(
    world: &World,
    pipeline: PipelineName,
    container: ContainerId,
    id: OperationId,
) -> Result<(), String> {
    let operation = world.operation(id).await;
    if operation.status() != Some(Status::Succeeded) {
        return Err(format!("{:?}", operation.end()));
    }
    world.progress(id).await;
    let state = world.container(container).await;
    let runs = state.guest().is_some_and(|guest| world.sim.world().is_running(guest.vmid.get()));
    let right = match pipeline {
        PipelineName::Create | PipelineName::Start | PipelineName::Reboot => return world.is_ready(container).await,
        PipelineName::Stop | PipelineName::Shutdown => state.guest().is_some() && !runs,
        PipelineName::Delete => {
            world.is_gone(container).await?;
            state.lifecycle() == Lifecycle::Removed && world.sealed_of(container).await == 0
        }
    };
    if right { Ok(()) } else { Err(format!("{state:?}, running: {runs}")) }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_may_run_twice() {
    let world = World::new().await;
    let all = PipelineName::ALL.into_iter().flat_map(|name| name.table().steps().map(move |step| (name, step.name)));
    each(all, async |(pipeline, step)| {
        let (container, id) = begin(&world, pipeline).await;
        if world.until_killed(id, Trip::BeforeEnd(step)).await != Met::Tripped {
            return Err("never came there".to_owned());
        }
        world.drive(id).await;
        has_succeeded(&world, pipeline, container, id).await
    })
    .await;
}
