//! Takes a guest down: only one that bears our marker, stopped first, and "already gone" is done.

use std::time::Duration;

use domain::container::{Container, ContainerCommand, Guest, marker};
use domain::operation::{Command, Failure, Operation};
use domain::pipeline::StepName;
use futures_util::future::BoxFuture;
use proxmox::{LxcDelete, Thing};
use serde_json::Value;

use super::Leased;
use crate::context::Context;
use crate::failure::proxmox_failure;
use crate::hosts::Host;
use crate::step::{Done, Step, StepError};

pub(super) struct DestroyGuest;

impl Step for DestroyGuest {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let container = context.container().await?;
            let purge = matches!(
                context.operation.accepted().map(|accepted| &accepted.command),
                Some(Command::DeleteContainer { purge: true, .. })
            );
            for guest in guests(context).await? {
                let host = context.tools.hosts.get(guest.host).await?;
                take_down(context, &host, &guest.node, guest.vmid.get(), purge).await?;
            }
            let said =
                context.say::<Container>(context.container_id, container, ContainerCommand::RecordGuestRemoved, &())?;
            Ok(Done { streams: said.into_iter().collect(), ..Done::default() })
        })
    }
}

/// The container's guest, or the one that a create which failed may have left without having seen it.
async fn guests(context: &Context) -> Result<Vec<Guest>, StepError> {
    let container = &context.container().await?.state;
    if let Some(guest) = container.guest() {
        return Ok(vec![guest.clone()]);
    }
    let Some(create) = container.created_by() else { return Ok(Vec::new()) };
    let create = context.tools.log.load::<Operation>(create).await.map_err(StepError::internal)?.state;
    let chosen = create.intent(StepName::CreateGuest).cloned();
    let chosen = chosen.and_then(|intent| serde_json::from_value::<Leased>(intent).ok());
    Ok(chosen.map(|l| Guest { host: l.place.host, node: l.place.node, vmid: l.vmid }).into_iter().collect())
}

/// Removes the guest if it is ours. One that is another's is left alone: ours is gone then.
pub(crate) async fn take_down(
    context: &Context,
    host: &Host,
    node: &str,
    vmid: u32,
    purge: bool,
) -> Result<(), StepError> {
    context.stop_tasks_of(host, node, vmid).await?;
    context.await_tasks_of(host, node, vmid).await?;
    let guest = host.client.lxc(node, vmid);
    let config = match guest.config().await {
        Ok(config) => config,
        Err(error) if error.is_missing(Thing::Guest) => return Ok(()),
        Err(error) => return Err(proxmox_failure(error)),
    };
    let owner = marker::parse(config.get("tags").unwrap_or_default(), config.get("description").unwrap_or_default());
    if owner != Some(context.container_id) {
        // While Proxmox creates, the configuration has nothing but its lock; a create of ours that was killed leaves that.
        if config.lock() == Some("create") {
            let detail = format!("guest {vmid} on {node} was left half made; remove it there, then retry");
            return Err(StepError::last(Failure::new("guest-half-made", "A half made guest is in the way", detail)));
        }
        tracing::warn!(vmid, node, "the guest does not bear our marker and is left alone");
        return Ok(());
    }
    if guest.status().await.map_err(proxmox_failure)?.is_running() {
        match guest.stop().await {
            Ok(upid) => context.task_within(host, &upid, Duration::from_secs(120)).await?,
            Err(error) if error.is_already(proxmox::State::Stopped) => {}
            Err(error) => return Err(proxmox_failure(error)),
        }
    }
    match guest.delete(LxcDelete { force: false, purge, unreferenced_disks: true }).await {
        Ok(upid) => match context.task_within(host, &upid, Duration::from_secs(300)).await {
            Ok(()) => Ok(()),
            Err(error) => match guest.config().await {
                Err(gone) if gone.is_missing(Thing::Guest) => Ok(()),
                _ => Err(error),
            },
        },
        Err(error) if error.is_missing(Thing::Guest) => Ok(()),
        Err(error) => Err(proxmox_failure(error)),
    }
}
