//! Whose a guest is, also when nobody can tell from the guest itself: while Proxmox makes one, its configuration has
//! nothing but its lock, and a create that died in the middle leaves it so.

use domain::host::Auth;
use domain::operation::{Failure, FailureKind};
use proxmox::shell::{Command, GuestError};
use proxmox::{Task, TaskList};

use super::cloning;
use crate::context::Context;
use crate::failure::proxmox_failure;
use crate::found::{self, bearer};
use crate::guest::guest_failure;
use crate::hosts::Host;
use crate::step::StepError;

pub(super) enum Whose {
    /// It bears our marker.
    Ours,
    /// A create of ours began it, and has ended.
    HalfMade,
    /// It is being made, and nobody can tell yet by whom.
    BeingMade,
    Anothers,
    /// There is none.
    Nobodys,
}

/// After waiting for a task that may still be making it.
pub(super) async fn whose(context: &Context, host: &Host, node: &str, vmid: u32) -> Result<Whose, StepError> {
    context.await_tasks_of(host, node, vmid).await?;
    let Some(config) = found::config(host, node, vmid).await? else { return Ok(Whose::Nobodys) };
    Ok(match bearer(&config) {
        Some(container) if container == context.container_id => Whose::Ours,
        Some(_) => Whose::Anothers,
        // Without its lock when we were killed between taking that off and the rest.
        None if config.lock() != Some("create") && config.get("rootfs").is_some() => Whose::Anothers,
        None => begun_by(context, host, node, vmid).await?,
    })
}

/// Who began it, as Proxmox's own list of tasks tells: its last create is under our name. We hold the number's lease,
/// so that it is a create for this container or the rest of one before it.
async fn begun_by(context: &Context, host: &Host, node: &str, vmid: u32) -> Result<Whose, StepError> {
    let wanted = TaskList { vmid: Some(vmid), with_active: true, limit: Some(50), ..TaskList::default() };
    let mut tasks = host.client.tasks(node, &wanted).await.map_err(proxmox_failure)?;
    tasks.extend(cloning::begun(context).await?);
    tasks.sort_by_key(|task| std::cmp::Reverse(task.starttime));
    let (Auth::Token { id: us, .. } | Auth::Password { user: us, .. }) = &host.settings.auth;
    let makes = ["vzcreate", "vzrestore", "vzclone"];
    let last = tasks.into_iter().find(|task| makes.contains(&task.upid.kind()) || may_have_removed(task));
    Ok(match last {
        Some(task) if task.endtime.is_none() => Whose::BeingMade,
        Some(task) if task.upid.kind() == "vzdestroy" => Whose::BeingMade,
        Some(task) if task.upid.user() == us => Whose::HalfMade,
        Some(_) => Whose::Anothers,
        None => Whose::BeingMade,
    })
}

/// One that came to a bad end left the guest that was there before it.
fn may_have_removed(task: &Task) -> bool {
    task.upid.kind() == "vzdestroy" && (task.endtime.is_none() || task.status.as_deref() == Some("OK"))
}

/// Looked at again in a moment; when it stays so, somebody has to look.
pub(super) fn being_made(node: &str, vmid: u32) -> StepError {
    let detail = format!("guest {vmid} on {node} is half made and not known to be ours; remove it there, then retry");
    StepError::new(FailureKind::Temporary, Failure::new("guest-half-made", "A half made guest is in the way", detail))
}

/// Takes the lock off that a task of ours left which came to no end of its own; only the node's own command can.
pub(super) async fn unlock(host: &Host, node: &str, vmid: u32) -> Result<(), StepError> {
    let shell = host.shell(node).await?;
    let unlock = Command::new("pct").args(["unlock", &vmid.to_string()]);
    let output = shell.output(unlock).await.map_err(|error| guest_failure(GuestError::from(error)))?;
    tracing::info!(vmid, node, "a lock that a task of ours left is taken off");
    match output.code {
        0 => Ok(()),
        code => {
            let failure =
                Failure::new("unlock-failed", "The guest can't be unlocked", "the operator's log has the cause");
            let cause = format!("pct unlock {vmid} on {node} ended with {code}: {}", output.said());
            Err(StepError::new(FailureKind::Temporary, failure.because(cause)))
        }
    }
}
