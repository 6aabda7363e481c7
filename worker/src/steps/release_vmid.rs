//! The end of a container: its number is free again, and its stream says that it is gone.

use domain::container::{Container, ContainerCommand, ContainerEvent};
use domain::vmid::{VmidCommand, VmidLease, VmidOfHost};
use domain::{Aggregate as _, Version};
use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::context::Context;
use crate::step::{Done, Step, StepError};

pub(super) struct ReleaseVmid;

impl Step for ReleaseVmid {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let stream = Container::stream(context.container_id);
            let mut done = Done::nothing();
            // The guest is gone from the state by now; the events remember under which number it was.
            for recorded in context.tools.log.stream(&stream, Version(0)).await.map_err(StepError::internal)? {
                let event: ContainerEvent = recorded.event().map_err(StepError::internal)?;
                let ContainerEvent::GuestCreated { host, vmid, .. } = event else { continue };
                let id = VmidOfHost { host, vmid };
                let lease = context.tools.log.load::<VmidLease>(id).await.map_err(StepError::internal)?;
                if lease.state.holder() == Some(context.container_id)
                    && !done.streams.iter().any(|said| said.stream == VmidLease::stream(id))
                {
                    let release = VmidCommand::Release { container: context.container_id };
                    done.streams.extend(context.say::<VmidLease>(id, &lease, release, &())?);
                }
            }
            Ok(done)
        })
    }
}

pub(super) struct RecordRemoval;

impl Step for RecordRemoval {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let said = context.say::<Container>(
                context.container_id,
                context.container().await?,
                ContainerCommand::Remove,
                &(),
            )?;
            Ok(Done { streams: said.into_iter().collect(), ..Done::default() })
        })
    }
}
