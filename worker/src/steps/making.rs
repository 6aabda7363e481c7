//! What a new guest is made from: an image, a backup, or another container.

use domain::container::{Container, Guest, marker};
use domain::operation::{Command, Failure};
use domain::pipeline::StepName;
use proxmox::{LxcClone, LxcCreate, Restore, Upid};

use super::Leased;
use super::backup::present;
use super::create_guest::{description, from_image};
use super::source_snapshot::Kept;
use crate::context::Context;
use crate::hosts::Host;
use crate::step::StepError;

pub(super) enum Making {
    Fresh(Box<LxcCreate>),
    Restored(Box<Restore>),
    Cloned { from: Guest, how: Box<LxcClone> },
}

impl Making {
    /// With our marker on it from the first moment, whatever it is made from.
    pub(super) async fn of(context: &Context, leased: &Leased) -> Result<Self, StepError> {
        let vmid = leased.vmid.get();
        match context.operation.accepted().map(|accepted| &accepted.command) {
            Some(Command::RestoreNew { .. }) => {
                let spec = context.spec().await?;
                let restore = Restore {
                    vmid,
                    archive: present(context).await?.0.volume,
                    storage: Some(leased.place.storage.clone()),
                    unique: true,
                    hostname: Some(spec.hostname.clone()),
                    tags: tags(&spec.tags),
                    description: Some(description(context.container_id, spec)),
                    ..Restore::default()
                };
                Ok(Self::Restored(Box::new(restore)))
            }
            Some(Command::CloneContainer { full, snapshot, .. }) => {
                let spec = context.spec().await?;
                let taken: Option<Kept> = context.fact(StepName::SnapshotSource);
                let how = LxcClone {
                    newid: vmid,
                    hostname: Some(spec.hostname.clone()),
                    full: *full,
                    snapshot: snapshot.clone().or_else(|| taken.and_then(|taken| taken.snapshot)),
                    // The tags come with the source's settings, ours among them.
                    description: Some(description(context.container_id, spec)),
                    ..LxcClone::default()
                };
                Ok(Self::Cloned { from: source(context).await?, how: Box::new(how) })
            }
            _ => from_image(context, leased).await.map(|wish| Self::Fresh(Box::new(wish))),
        }
    }

    pub(super) async fn begin(&self, host: &Host, node: &str) -> proxmox::Result<Upid> {
        match self {
            Self::Fresh(wish) => host.client.create_lxc(node, wish).await,
            Self::Restored(restore) => host.client.restore_lxc(node, restore).await,
            Self::Cloned { from, how } => host.client.lxc(&from.node, from.vmid.get()).clone_to(how).await,
        }
    }

    /// A clone that is stopped leaves its source locked, which only the node's own command takes off.
    pub(super) async fn end_of(&self, context: &Context, host: &Host, upid: &Upid) -> Result<(), StepError> {
        match self {
            Self::Cloned { .. } if host.settings.ssh.is_none() => context.task_through(host, upid).await,
            _ => context.task(host, upid).await,
        }
    }
}

/// The guest of the container that is cloned.
pub(super) async fn source(context: &Context) -> Result<Guest, StepError> {
    let Some(Command::CloneContainer { source, .. }) = context.operation.accepted().map(|accepted| &accepted.command)
    else {
        return Err(StepError::internal("the command names no source"));
    };
    let loaded = context.tools.log.load::<Container>(*source).await.map_err(StepError::internal)?;
    loaded.state.guest().cloned().ok_or_else(|| {
        let detail = "the container that was to be cloned has no guest any more";
        StepError::last(Failure::new("source-gone", "There is nothing to clone", detail))
    })
}

pub(crate) fn tags(wished: &[String]) -> Vec<String> {
    let others = wished.iter().filter(|tag| *tag != marker::TAG).cloned();
    std::iter::once(marker::TAG.to_owned()).chain(others).collect()
}
