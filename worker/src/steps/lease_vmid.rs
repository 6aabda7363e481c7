//! Chooses the place and a VMID, and leases the number in our own log before Proxmox hears of it.

use std::collections::HashSet;

use domain::HostId;
use domain::container::{Container, ContainerCommand, Placement};
use domain::operation::Failure;
use domain::pipeline::StepName;
use domain::vmid::{Vmid, VmidCommand, VmidLease, VmidOfHost};
use futures_util::future::BoxFuture;
use platform::log::StreamAppend;
use platform::views::{self, VmidFilter, VmidRow};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::context::Context;
use crate::failure::proxmox_failure;
use crate::place::{self, Place};
use crate::step::{Done, Step, StepError};

/// What this step leaves: where the container goes, under which number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Leased {
    pub place: Place,
    pub vmid: Vmid,
}

pub(super) struct LeaseVmid;

impl Step for LeaseVmid {
    fn intend<'a>(&'a self, context: &'a Context, before: Option<&'a Value>) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async move {
            if let Some(leased) = before.and_then(|before| serde_json::from_value::<Leased>(before.clone()).ok())
                && let Lease::Ours(lease) = lease(context, &leased).await?
            {
                return with(&leased, lease);
            }
            let place = place::choose(&context.tools, context.spec().await?).await?;
            let (leased, lease) = lease_one(context, &place).await?;
            with(&leased, lease)
        })
    }

    /// The lease was written with the intent; why it is this place is kept with the container.
    fn act<'a>(&'a self, context: &'a Context, intent: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let mut leased: Leased = serde_json::from_value(intent.clone()).map_err(StepError::internal)?;
            let placement = Placement {
                host: leased.place.host,
                node: leased.place.node.clone(),
                reason: Some(leased.place.reason.clone()),
                storage: Some(leased.place.storage.clone()),
                considered: std::mem::take(&mut leased.place.considered),
            };
            let command = ContainerCommand::RecordPlacement(Box::new(placement));
            let said = context.say::<Container>(context.container_id, context.container().await?, command, &())?;
            let mut done = Done::with(&leased)?;
            done.streams.extend(said);
            Ok(done)
        })
    }

    fn undo<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let mut done = Done::nothing();
            for step in [StepName::LeaseVmid, StepName::CreateGuest] {
                let chosen = context.operation.intent(step).cloned();
                if let Some(leased) = chosen.and_then(|intent| serde_json::from_value::<Leased>(intent).ok()) {
                    done.streams.extend(release(context, &leased).await?);
                }
            }
            done.streams.dedup_by(|a, b| a.stream == b.stream);
            Ok(done)
        })
    }
}

fn with(leased: &Leased, lease: Option<StreamAppend>) -> Result<Done, StepError> {
    let mut done = Done::with(leased)?;
    done.streams.extend(lease);
    Ok(done)
}

/// Another number at the same place, leased in place of the one that turned out to be taken.
pub(super) async fn instead(context: &Context, taken: &Leased) -> Result<Done, StepError> {
    let (leased, lease) = lease_one(context, &taken.place).await?;
    let mut done = with(&leased, lease)?;
    done.streams.extend(release(context, taken).await?);
    Ok(done)
}

/// A number at the place with its lease. Other processes choose at the same moment: a number that one of them was faster
/// with is passed over, unless it is the one that was asked for.
async fn lease_one(context: &Context, place: &Place) -> Result<(Leased, Option<StreamAppend>), StepError> {
    loop {
        let leased = choose(context, place.clone()).await?;
        match lease(context, &leased).await? {
            Lease::Ours(lease) => return Ok((leased, lease)),
            Lease::Anothers if context.spec().await?.vmid.is_none() => {}
            Lease::Anothers => {
                let detail = format!("{} is leased by another container", leased.vmid);
                return Err(StepError::last(Failure::new("vmid-taken", "The VMID is taken", detail)));
            }
        }
    }
}

async fn choose(context: &Context, place: Place) -> Result<Leased, StepError> {
    let host = context.tools.hosts.get(place.host).await?;
    let guests = host.client.resources(Some("vm")).await.map_err(proxmox_failure)?;
    let mut in_use: HashSet<u32> =
        guests.iter().filter_map(|g| g.vmid.and_then(|vmid| u32::try_from(vmid).ok())).collect();
    if let Some(wanted) = context.spec().await?.vmid {
        if in_use.contains(&wanted) {
            let failure =
                Failure::new("vmid-taken", "The VMID is taken", format!("{wanted} exists on {}", host.settings.name));
            return Err(StepError::last(failure));
        }
        let vmid = Vmid::try_from(wanted).map_err(StepError::internal)?;
        return Ok(Leased { place, vmid });
    }
    let mut page = views::Page { limit: views::MOST, after: None, order: views::Order::Oldest };
    loop {
        let filter = VmidFilter { host: Some(place.host), ..VmidFilter::default() };
        let rows = views::page::<VmidRow>(context.tools.log.db(), &filter, &page).await.map_err(StepError::internal)?;
        in_use.extend(rows.items.iter().map(|row| row.vmid.get()));
        page.after = rows.next;
        if page.after.is_none() {
            break;
        }
    }
    // What Proxmox would take next also tells of numbers that we may not see.
    let from = host.client.next_id().await.map_err(proxmox_failure)?.max(Vmid::LOWEST);
    let free = context.tools.vmids.choose(place.host, from, |vmid| in_use.contains(&vmid));
    let vmid = free.and_then(|vmid| Vmid::try_from(vmid).ok());
    let vmid =
        vmid.ok_or_else(|| StepError::last(Failure::new("vmids-used-up", "No VMID is free", "remove some guests")))?;
    Ok(Leased { place, vmid })
}

enum Lease {
    /// With what is to be written when it is not yet in the log.
    Ours(Option<StreamAppend>),
    Anothers,
}

async fn lease(context: &Context, leased: &Leased) -> Result<Lease, StepError> {
    let id = VmidOfHost { host: leased.place.host, vmid: leased.vmid };
    let loaded = context.tools.log.load::<VmidLease>(id).await.map_err(StepError::internal)?;
    if loaded.state.holder().is_some_and(|holder| holder != context.container_id) {
        return Ok(Lease::Anothers);
    }
    let command = VmidCommand::Lease { container: context.container_id, operation: context.id };
    Ok(Lease::Ours(context.say::<VmidLease>(id, &loaded, command, &())?))
}

pub(super) async fn is_ours(context: &Context, host: HostId, vmid: Vmid) -> Result<bool, StepError> {
    let loaded = context.tools.log.load::<VmidLease>(VmidOfHost { host, vmid }).await.map_err(StepError::internal)?;
    Ok(loaded.state.holder() == Some(context.container_id))
}

pub(super) async fn release(context: &Context, leased: &Leased) -> Result<Option<StreamAppend>, StepError> {
    let id = VmidOfHost { host: leased.place.host, vmid: leased.vmid };
    let loaded = context.tools.log.load::<VmidLease>(id).await.map_err(StepError::internal)?;
    if loaded.state.holder() != Some(context.container_id) {
        return Ok(None);
    }
    context.say::<VmidLease>(id, &loaded, VmidCommand::Release { container: context.container_id }, &())
}
