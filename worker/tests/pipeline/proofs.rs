//! What holds of every pipeline, as loops over its table: a step that is added is covered the moment it exists.

use domain::container::{Lifecycle, Power, Source};
use domain::operation::{Command, Status};
use domain::pipeline::{PipelineName, StepName};
use domain::{ContainerId, OperationId};
use futures_util::StreamExt as _;
use futures_util::stream;

use crate::adopt;
use crate::cancel::{
    a_script_that_runs_is_stopped_by_a_cancellation, a_worker_that_was_replaced_can_say_nothing_any_more,
    each_step_can_be_cancelled_until_there_is_no_way_back, each_undo_may_run_twice,
};
use crate::copies;
use crate::drift;
use crate::fault::Fault;
use crate::rebuild;
use crate::support::{Ground, World, spec};
use crate::templates;
use crate::trips::{Met, Trip};

/// Where a proof is to hold.
#[derive(Debug, Clone, Copy)]
pub(crate) enum On {
    Sqlite,
    Servers,
}

impl On {
    pub(crate) async fn world(self) -> World {
        World::on(self.ground().await).await
    }

    pub(crate) async fn ground(self) -> Ground {
        match self {
            Self::Sqlite => Ground::local(),
            Self::Servers => Ground::on_servers().await,
        }
    }
}

/// Each proof as a test of its own, without servers and with.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(super::On::Sqlite).await;
            })+
        }
        mod servers {
            $(#[tokio::test(flavor = "multi_thread")]
            #[ignore = "needs Postgres and Redis: cargo xtask test"]
            async fn $name() {
                super::$name(super::On::Servers).await;
            })+
        }
    };
}
pub(crate) use on_both;

on_both!(
    every_step_may_run_twice,
    a_crash_after_every_single_append_ends_the_same,
    a_crash_after_every_single_append_of_an_action_ends_the_same,
    a_failure_at_each_step_leaves_nothing_behind_and_is_retried,
    each_undo_may_run_twice,
    each_step_can_be_cancelled_until_there_is_no_way_back,
    a_script_that_runs_is_stopped_by_a_cancellation,
    a_worker_that_was_replaced_can_say_nothing_any_more,
);

/// This many at a time: they wait for the simulator more than they work.
pub(crate) const AT_ONCE: usize = 6;

/// Does it to each, and says all that went wrong.
pub(crate) async fn each<T: std::fmt::Debug + Copy>(
    all: impl IntoIterator<Item = T>,
    proof: impl AsyncFn(T) -> Result<(), String>,
) {
    let proof = &proof;
    let ended = stream::iter(all).map(|one| async move { proof(one).await.map_err(|what| format!("{one:?}: {what}")) });
    let wrong: Vec<_> = ended.buffer_unordered(AT_ONCE).filter_map(async |end| end.err()).collect().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

pub(crate) async fn tiny(world: &World, keep: bool) -> (ContainerId, OperationId) {
    world
        .request_as(crate::support::meta(), spec(&crate::support::hostname(), Source::Template("tiny".into())), keep)
        .await
}

/// A container to work on and an operation of the pipeline that has not begun.
pub(crate) async fn begin(world: &World, pipeline: PipelineName) -> (ContainerId, OperationId) {
    if pipeline == PipelineName::Create {
        return tiny(world, false).await;
    }
    if templates::OURS.contains(&pipeline) {
        return templates::prepare(world, pipeline).await;
    }
    let image = Source::Image("debian-12".into());
    let (container, create) = world.request(spec(&crate::support::hostname(), image)).await;
    assert_eq!(world.drive(create).await.status(), Some(Status::Succeeded));
    let command = match pipeline {
        PipelineName::Delete => Command::DeleteContainer { container, purge: true, keep_unreferenced: false },
        PipelineName::Resize | PipelineName::Change => world.change(pipeline, container).await,
        PipelineName::RootPassword => world.new_password(container, b"new horse battery").await,
        PipelineName::Suspend => Command::SuspendContainer { container },
        PipelineName::Resume => {
            let suspend = world.accept(Command::SuspendContainer { container }).await;
            assert_eq!(world.drive(suspend).await.status(), Some(Status::Succeeded));
            Command::ResumeContainer { container }
        }
        PipelineName::Start => {
            let stop = world.accept(Command::StopContainer { container }).await;
            assert_eq!(world.drive(stop).await.status(), Some(Status::Succeeded));
            Command::StartContainer { container }
        }
        PipelineName::Stop => Command::StopContainer { container },
        PipelineName::Shutdown => Command::ShutdownContainer { container, timeout_seconds: 10 },
        PipelineName::Reboot => Command::RebootContainer { container, timeout_seconds: 10 },
        name if adopt::OURS.contains(&name) => return adopt::prepare(world, container, name).await,
        name if drift::OURS.contains(&name) => return (container, drift::prepare(world, container, name).await),
        PipelineName::Rebuild => return (container, rebuild::prepare(world, container).await),
        name if copies::OURS.contains(&name) => return copies::prepare(world, container, pipeline).await,
        _ => unreachable!(),
    };
    (container, world.accept(command).await)
}

/// The end that each pipeline comes to.
pub(crate) async fn has_succeeded(
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
    if adopt::OURS.contains(&pipeline) {
        return adopt::has_succeeded(world, container, id).await;
    }
    if drift::OURS.contains(&pipeline) {
        return drift::has_succeeded(world, container, id).await;
    }
    if copies::OURS.contains(&pipeline) {
        return copies::has_succeeded(world, container, pipeline).await;
    }
    if templates::OURS.contains(&pipeline) {
        return templates::has_succeeded(world, container, pipeline).await;
    }
    let right = match pipeline {
        PipelineName::Resize | PipelineName::Change => return world.is_changed(container).await,
        PipelineName::Rebuild => return rebuild::has_succeeded(world, container).await,
        PipelineName::RootPassword => return world.has_password(container, "new horse battery").await,
        PipelineName::Suspend => state.guest().is_some() && !runs && state.power() == Power::Suspended,
        PipelineName::Create | PipelineName::Start | PipelineName::Resume | PipelineName::Reboot => {
            return world.is_ready(container).await;
        }
        PipelineName::Stop | PipelineName::Shutdown => state.guest().is_some() && !runs,
        PipelineName::Delete => {
            world.is_gone(container).await?;
            state.lifecycle() == Lifecycle::Removed && world.sealed_of(container).await == 0
        }
        _ => unreachable!(),
    };
    if right { Ok(()) } else { Err(format!("{state:?}, running: {runs}")) }
}

async fn every_step_may_run_twice(on: On) {
    let world = on.world().await;
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

async fn a_crash_after_every_single_append_ends_the_same(on: On) {
    let world = on.world().await;
    let (_, whole) = tiny(&world, false).await;
    world.drive(whole).await;
    let versions = world.versions(whole).await;
    let all = (2..=versions).flat_map(|version| [Trip::Before(version), Trip::After(version)]);
    each(all, async |trip| {
        let (container, id) = tiny(&world, false).await;
        world.until_killed(id, trip).await;
        world.drive(id).await;
        has_succeeded(&world, PipelineName::Create, container, id).await
    })
    .await;
}

async fn a_crash_after_every_single_append_of_an_action_ends_the_same(on: On) {
    let world = on.world().await;
    let mut all = Vec::new();
    // The others have a proof of their own, beside what is theirs alone.
    let elsewhere = |name| {
        [PipelineName::Create, PipelineName::Rebuild].contains(&name)
            || copies::OURS.contains(&name)
            || templates::OURS.contains(&name)
    };
    for pipeline in PipelineName::ALL.into_iter().filter(|name| !elsewhere(*name)) {
        let (_, whole) = begin(&world, pipeline).await;
        world.drive(whole).await;
        all.extend((2..=world.versions(whole).await).map(|version| (pipeline, Trip::After(version))));
    }
    each(all, async |(pipeline, trip)| {
        let (container, id) = begin(&world, pipeline).await;
        world.until_killed(id, trip).await;
        world.drive(id).await;
        has_succeeded(&world, pipeline, container, id).await
    })
    .await;
}

/// What becomes of a create that failed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Then {
    /// It was taken down, and is tried again.
    Retried,
    /// It was kept, and goes on where it failed.
    KeptAndRetried,
    KeptAndDeleted,
}

async fn a_failure_at_each_step_leaves_nothing_behind_and_is_retried(on: On) {
    let steps = PipelineName::Create.table().steps().map(|spec| (spec.name, Fault::at(spec.name)));
    let faults: Vec<_> = steps.filter_map(|(step, fault)| Some((step, fault?))).collect();
    let all = faults.iter().flat_map(|(step, fault)| {
        [Then::Retried, Then::KeptAndRetried, Then::KeptAndDeleted].map(|then| (*step, *fault, then))
    });
    each(all, async |(step, fault, then)| {
        // Of its own, because many faults strike whoever comes by.
        let world = on.world().await;
        let (container, id) = tiny(&world, then != Then::Retried).await;
        if fault.is_in_the_guest() && world.until_killed(id, Trip::BeforeStart(step)).await != Met::Tripped {
            return Err("never came there".to_owned());
        }
        fault.strike(&world, container).await;
        let failed = world.drive(id).await;
        if failed.status() != Some(Status::Failed) || world.container(container).await.lifecycle() != Lifecycle::Failed
        {
            return Err(format!("did not fail: {:?}", failed.end()));
        }
        if then == Then::Retried {
            world.is_gone(container).await?;
            // What was wished stays sealed: it can be retried.
            if world.sealed_of(container).await != 1 {
                return Err("its credentials are still sealed".to_owned());
            }
            world.only_guests_of(&[]).await;
        }
        fault.mend(&world, container).await;
        if then == Then::KeptAndDeleted {
            let delete =
                world.accept(Command::DeleteContainer { container, purge: true, keep_unreferenced: false }).await;
            world.drive(delete).await;
            has_succeeded(&world, PipelineName::Delete, container, delete).await?;
            world.only_guests_of(&[]).await;
            return Ok(());
        }
        world.retry(container, id).await;
        let done = world.drive(id).await;
        if done.intent(StepName::LeaseVmid) != failed.intent(StepName::LeaseVmid).or(done.intent(StepName::LeaseVmid)) {
            return Err("other ids were chosen".to_owned());
        }
        has_succeeded(&world, PipelineName::Create, container, id).await?;
        world.only_guests_of(&[container]).await;
        Ok(())
    })
    .await;
}
