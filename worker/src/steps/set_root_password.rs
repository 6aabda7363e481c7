//! Sets root's password in a container that runs: by standard input all the way, so that no process list shows it.

use domain::container::{Container, ContainerCommand};
use domain::operation::Command;
use futures_util::future::BoxFuture;
use proxmox::shell::GuestError;
use serde_json::{Value, json};

use super::power;
use crate::context::Context;
use crate::guest::guest_failure;
use crate::step::{Done, Step, StepError};

pub(super) struct SetRootPassword;

const OTHERWISE: &str = "the password is set inside of the container: start it, then retry";

impl Step for SetRootPassword {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let Some(Command::SetRootPassword { password, .. }) = context.operation.accepted().map(|a| &a.command)
            else {
                return Err(StepError::internal("the command names no password"));
            };
            let (host, place) = (context.host().await?, context.place().await?);
            power::running(&host, place, OTHERWISE).await?;
            let secret = context.secret(*password).await?;
            match context.guest().await?.set_root_password(&secret).await {
                Err(GuestError::NotRunning { .. }) => return Err(power::stopped(OTHERWISE)),
                set => set.map_err(guest_failure)?,
            }
            let container = context.container().await?;
            let command = ContainerCommand::RecordRootPassword(*password);
            let said = context.say::<Container>(context.container_id, container, command, &())?;
            Ok(Done { fact: json!({ "root_password": "set" }), streams: said.into_iter().collect(), rows: Vec::new() })
        })
    }
}
