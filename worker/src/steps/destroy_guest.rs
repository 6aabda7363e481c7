//! Takes a guest down: only one that bears our marker, stopped first, and "already gone" is done.

use std::time::Duration;

use domain::container::{Container, ContainerCommand, Guest};
use domain::operation::{Command, Operation};
use domain::pipeline::StepName;
use domain::vmid::Vmid;
use futures_util::future::BoxFuture;
use proxmox::{LxcDelete, Thing};
use serde_json::Value;

use super::half_made::{Whose, being_made, unlock, whose};
use super::rebuild::Kept;
use super::{Leased, lease_vmid};
use crate::context::Context;
use crate::failure::proxmox_failure;
use crate::found::{self, bearer};
use crate::hosts::Host;
use crate::step::{Done, Step, StepError};

/// With all that is its own. Only what was stopped before is deleted.
pub(crate) const WHOLE: LxcDelete = LxcDelete { force: false, purge: true, unreferenced_disks: true };

pub(super) struct DestroyGuest;

impl Step for DestroyGuest {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let container = context.container().await?;
            let how = match context.operation.accepted().map(|accepted| &accepted.command) {
                Some(Command::DeleteContainer { purge, keep_unreferenced, .. }) => {
                    LxcDelete { force: false, purge: *purge, unreferenced_disks: !keep_unreferenced }
                }
                _ => LxcDelete { purge: false, ..WHOLE },
            };
            for guest in guests(context).await? {
                let host = context.tools.hosts.get(guest.host).await?;
                take_down(context, &host, &guest.node, guest.vmid.get(), how).await?;
            }
            let said =
                context.say::<Container>(context.container_id, container, ContainerCommand::RecordGuestRemoved, &())?;
            Ok(Done { streams: said.into_iter().collect(), ..Done::default() })
        })
    }
}

/// The container's guest, or the one that a create which failed may have left without having seen it.
async fn guests(context: &Context) -> Result<Vec<Guest>, StepError> {
    let guest = |leased: Leased| Guest { host: leased.place.host, node: leased.place.node, vmid: leased.vmid };
    if let Some(kept) = context.fact::<Kept>(StepName::KeepPlace) {
        return Ok(vec![guest(kept.leased)]);
    }
    let container = &context.container().await?.state;
    if let Some(guest) = container.guest() {
        return Ok(vec![guest.clone()]);
    }
    let Some(create) = container.created_by() else { return Ok(Vec::new()) };
    let create = context.tools.log.load::<Operation>(create).await.map_err(StepError::internal)?.state;
    let chosen = create.intent(StepName::CreateGuest).cloned();
    let chosen = chosen.and_then(|intent| serde_json::from_value::<Leased>(intent).ok());
    Ok(chosen.map(guest).into_iter().collect())
}

/// Removes the guest if it is ours. One that is another's is left alone: ours is gone then.
pub(crate) async fn take_down(
    context: &Context,
    host: &Host,
    node: &str,
    vmid: u32,
    how: LxcDelete,
) -> Result<(), StepError> {
    if !may_be_ours(context, host, node, vmid).await? {
        tracing::warn!(vmid, node, "the guest is another's and is left alone");
        return Ok(());
    }
    context.stop_tasks_of(host, node, vmid).await?;
    match whose(context, host, node, vmid).await? {
        Whose::Nobodys => return Ok(()),
        Whose::Anothers => {
            tracing::warn!(vmid, node, "the guest does not bear our marker and is left alone");
            return Ok(());
        }
        Whose::BeingMade => return Err(being_made(node, vmid)),
        Whose::HalfMade => return remove_half_made(context, host, node, vmid).await,
        Whose::Ours => {}
    }
    let guest = host.client.lxc(node, vmid);
    if guest.status().await.map_err(proxmox_failure)?.is_running() {
        match guest.stop().await {
            Ok(upid) => context.task_within(host, &upid, Duration::from_secs(120)).await?,
            Err(error) if error.is_already(proxmox::State::Stopped) => {}
            Err(error) => return Err(proxmox_failure(error)),
        }
    }
    remove(context, host, node, vmid, how).await
}

/// Before anything under its number is stopped. One that was given back may be another container's by now, whose tasks
/// are not ours to end. Where a guest bears no marker yet, the number's lease tells.
async fn may_be_ours(context: &Context, host: &Host, node: &str, vmid: u32) -> Result<bool, StepError> {
    match found::config(host, node, vmid).await?.as_ref().and_then(bearer) {
        Some(bearer) => Ok(bearer == context.container_id),
        None => lease_vmid::is_ours(context, host.id, Vmid::try_from(vmid).map_err(StepError::internal)?).await,
    }
}

/// What a create of ours left that died in the middle.
pub(super) async fn remove_half_made(context: &Context, host: &Host, node: &str, vmid: u32) -> Result<(), StepError> {
    unlock(host, node, vmid).await?;
    remove(context, host, node, vmid, WHOLE).await
}

async fn remove(context: &Context, host: &Host, node: &str, vmid: u32, how: LxcDelete) -> Result<(), StepError> {
    let guest = host.client.lxc(node, vmid);
    match guest.delete(how).await {
        Ok(upid) => match context.task_within(host, &upid, Duration::from_secs(300)).await {
            Ok(()) => Ok(()),
            Err(error) => match found::config(host, node, vmid).await {
                Ok(None) => Ok(()),
                _ => Err(error),
            },
        },
        Err(error) if error.is_missing(Thing::Guest) => Ok(()),
        Err(error) => Err(proxmox_failure(error)),
    }
}
