//! The end of a container: its number is free again, and its stream says that it is gone.

use domain::container::{Container, ContainerCommand};
use domain::pipeline::PipelineName;
use domain::vmid::{VmidCommand, VmidLease, VmidOfHost};
use futures_util::future::BoxFuture;
use platform::views::{self, VmidFilter, VmidRow};
use serde_json::Value;

use crate::context::Context;
use crate::step::{Done, Step, StepError};

pub(super) struct ReleaseVmid;

impl Step for ReleaseVmid {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let mut done = Done::nothing();
            // Not from the container's own events: a create that failed before its guest was there leased one too.
            let filter = VmidFilter { container: Some(context.container_id), ..VmidFilter::default() };
            let page = views::Page { limit: views::MOST, after: None, order: views::Order::Oldest };
            let rows = views::page::<VmidRow>(context.tools.log.db(), &filter, &page).await;
            for row in rows.map_err(StepError::internal)?.items {
                let id = VmidOfHost { host: row.host, vmid: row.vmid };
                let lease = context.tools.log.load::<VmidLease>(id).await.map_err(StepError::internal)?;
                if lease.state.holder() == Some(context.container_id) {
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
                match context.operation.accepted().map(|accepted| accepted.pipeline) {
                    Some(PipelineName::Release) => ContainerCommand::Release,
                    _ => ContainerCommand::Remove,
                },
                &(),
            )?;
            Ok(Done { streams: said.into_iter().collect(), ..Done::default() })
        })
    }
}
