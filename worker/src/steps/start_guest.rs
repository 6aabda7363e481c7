//! Starts the container; one that runs already is started.

use domain::container::{Container, ContainerCommand};
use futures_util::future::BoxFuture;
use proxmox::State;
use serde_json::Value;

use crate::context::Context;
use crate::failure::proxmox_failure;
use crate::step::{Done, Step, StepError};
use crate::steps::power::power_as_it_is;

pub(super) struct StartGuest;

impl Step for StartGuest {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let (host, place) = (context.host().await?, context.place().await?);
            let guest = host.client.lxc(&place.node, place.vmid.get());
            if !guest.status().await.map_err(proxmox_failure)?.is_running() {
                match guest.start().await {
                    Ok(upid) => context.task(&host, &upid).await?,
                    Err(error) if error.is_already(State::Running) => {}
                    Err(error) => return Err(proxmox_failure(error)),
                }
            }
            let said = context.say::<Container>(
                context.container_id,
                context.container().await?,
                ContainerCommand::RecordStarted,
                &(),
            )?;
            Ok(Done { streams: said.into_iter().collect(), ..Done::default() })
        })
    }

    fn undo<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(power_as_it_is(context))
    }
}
