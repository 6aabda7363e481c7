//! What a clone leaves on Proxmox when it is stopped in its middle: its source locked, its target half made. Its task is
//! its source's, and says nowhere what the target is.

use domain::container::Guest;
use domain::host::Auth;
use domain::pipeline::StepName;
use proxmox::{Task, TaskList};

use super::half_made::unlock;
use super::making::source;
use super::source_snapshot::Kept;
use crate::context::Context;
use crate::failure::proxmox_failure;
use crate::hosts::Host;
use crate::step::StepError;

/// Waits for a clone of this operation that is under way, and lets go of its source when it came to no end of its own.
pub(super) async fn settle(context: &Context) -> Result<(), StepError> {
    let Some((host, from)) = cloned(context).await? else { return Ok(()) };
    context.tasks_of_through(&host, &from.node, from.vmid.get()).await?;
    let Some(clone) = begun(context).await? else { return Ok(()) };
    if clone.status.as_deref() == Some("OK") {
        return Ok(());
    }
    match host.client.lxc(&from.node, from.vmid.get()).config().await {
        Ok(config) if config.lock() == Some("disk") => unlock(&host, &from.node, from.vmid.get()).await,
        Ok(_) => Ok(()),
        Err(error) if error.is_missing(proxmox::Thing::Guest) => Ok(()),
        Err(error) => Err(proxmox_failure(error)),
    }
}

/// The last task that clones the source, if it is this operation's: nobody else of us may clone it meanwhile.
pub(super) async fn begun(context: &Context) -> Result<Option<Task>, StepError> {
    let Some((host, from)) = cloned(context).await? else { return Ok(None) };
    let Some(kept) = context.fact::<Kept>(StepName::SnapshotSource) else { return Ok(None) };
    let (Auth::Token { id: us, .. } | Auth::Password { user: us, .. }) = &host.settings.auth;
    let last = last(&host, &from).await?;
    Ok(last.filter(|task| task.upid.user() == us && Some(task.upid.to_string()) != kept.last))
}

/// The last clone that was made of a guest.
pub(super) async fn last(host: &Host, of: &Guest) -> Result<Option<Task>, StepError> {
    let wanted = TaskList {
        vmid: Some(of.vmid.get()),
        kind: Some("vzclone".to_owned()),
        with_active: true,
        ..TaskList::default()
    };
    let tasks = host.client.tasks(&of.node, &wanted).await.map_err(proxmox_failure)?;
    // The newest stand first, also of those that began in the same second.
    Ok(tasks.into_iter().reduce(|newest, task| if task.starttime > newest.starttime { task } else { newest }))
}

/// None when this operation clones nothing, or what it clones is gone.
async fn cloned(context: &Context) -> Result<Option<(std::sync::Arc<Host>, Guest)>, StepError> {
    let Ok(from) = source(context).await else { return Ok(None) };
    Ok(Some((context.tools.hosts.get(from.host).await?, from)))
}
