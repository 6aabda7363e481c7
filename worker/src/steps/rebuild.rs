//! What a rebuild does besides a delete's and a create's steps: it keeps the place, backs up first, and says that it begins.

use domain::container::{ContainerCommand, Guest, Where};
use domain::operation::{Command, Failure, Operation};
use domain::pipeline::StepName;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Leased;
use super::backup::BackUp;
use super::configure_guest::hardware_address;
use crate::context::Context;
use crate::copies::storage_of;
use crate::failure::{guest_locked, proxmox_failure};
use crate::found::{self, bearer};
use crate::hosts::Host;
use crate::place::{self, Place};
use crate::step::{Done, Step, StepError};

pub(super) struct KeepPlace;
pub(super) struct BackUpFirst;
pub(super) struct BeginRebuild;

/// Where the new guest goes: where the old one was.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    #[serde(flatten)]
    pub leased: Leased,
    /// Whoever gives addresses by DHCP knows it by this.
    pub hardware_address: Option<String>,
}

impl Leased {
    /// The place and the number of the guest that this operation makes.
    pub(super) fn of(context: &Context) -> Result<Self, StepError> {
        let kept = || context.fact::<Kept>(StepName::KeepPlace).map(|kept| kept.leased);
        context.fact(StepName::LeaseVmid).or_else(kept).ok_or_else(|| StepError::internal("no place and no VMID"))
    }
}

impl Step for KeepPlace {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let Some(guest) = context.container().await?.state.guest() else {
                let kept = earlier(context).await?;
                return Done::with(&kept.ok_or_else(|| StepError::internal("nobody knows where its guest was"))?);
            };
            let host = context.tools.hosts.get(guest.host).await?;
            let Some(config) = found::config(&host, &guest.node, guest.vmid.get()).await? else {
                return Done::with(&of_gone(context, guest).await?);
            };
            let text = |name: &str| config.get(name).unwrap_or_default();
            if bearer(&config) != Some(context.container_id) {
                let detail =
                    format!("guest {} on {} does not bear our marker; see whose it is", guest.vmid, guest.node);
                return Err(StepError::last(Failure::new("not-ours", "The guest is not this container's", detail)));
            }
            if let Some(lock) = config.lock() {
                return Err(guest_locked(lock));
            }
            let storage = storage_of(text("rootfs")).to_owned();
            let address = hardware_address(text("net0")).map(str::to_owned);
            Done::with(&kept(&host, guest, storage, address).await?)
        })
    }
}

async fn kept(
    host: &Host,
    guest: &Guest,
    storage: String,
    hardware_address: Option<String>,
) -> Result<Kept, StepError> {
    let storages = host.client.storages(&guest.node, None).await.map_err(proxmox_failure)?;
    let shared = storages.iter().any(|one| one.storage == storage && one.shared);
    let reason = "it stays where it is".to_owned();
    let place = Place { host: guest.host, node: guest.node.clone(), storage, shared, reason, considered: Vec::new() };
    Ok(Kept { leased: Leased { place, vmid: guest.vmid }, hardware_address })
}

/// Somebody removed it there, or an earlier rebuild did and came no further.
async fn of_gone(context: &Context, guest: &Guest) -> Result<Kept, StepError> {
    if let Some(kept) = earlier(context).await? {
        return Ok(kept);
    }
    let request = context.container().await?.state.request();
    let storage = match request.and_then(|request| request.placement.as_ref()?.storage.clone()) {
        Some(storage) => storage,
        None => {
            let mut spec = context.spec().await?.clone();
            spec.place = Where::Node { host: guest.host, node: guest.node.clone() };
            place::choose(&context.tools, &spec).await?.storage
        }
    };
    let host = context.tools.hosts.get(guest.host).await?;
    kept(&host, guest, storage, None).await
}

/// As the rebuild found it that made, or was to make, what there is.
async fn earlier(context: &Context) -> Result<Option<Kept>, StepError> {
    let Some(made_by) = context.container().await?.state.created_by() else { return Ok(None) };
    let before = context.tools.log.load::<Operation>(made_by).await.map_err(StepError::internal)?.state;
    Ok(before.fact(StepName::KeepPlace).and_then(|fact| serde_json::from_value(fact.clone()).ok()))
}

/// A backup as any other; a snapshot would go with the guest.
impl Step for BackUpFirst {
    fn intend<'a>(&'a self, context: &'a Context, before: Option<&'a Value>) -> BoxFuture<'a, Result<Done, StepError>> {
        if is_wanted(context) { BackUp.intend(context, before) } else { Box::pin(async { Ok(Done::nothing()) }) }
    }

    fn look<'a>(
        &'a self,
        context: &'a Context,
        intent: Option<&'a Value>,
    ) -> BoxFuture<'a, Result<Option<Done>, StepError>> {
        if is_wanted(context) { BackUp.look(context, intent) } else { Box::pin(async { Ok(None) }) }
    }

    fn act<'a>(&'a self, context: &'a Context, intent: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        if is_wanted(context) { BackUp.act(context, intent) } else { Box::pin(async { Ok(Done::nothing()) }) }
    }
}

fn is_wanted(context: &Context) -> bool {
    let command = context.operation.accepted().map(|accepted| &accepted.command);
    matches!(command, Some(Command::RebuildContainer { backup_first: true, .. }))
}

impl Step for BeginRebuild {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async { context.and_container(Done::nothing(), ContainerCommand::BeginRebuild(context.id)).await })
    }
}
