//! Bringing Proxmox back to what is recorded, and taking down what nobody has.

use domain::container::{Container, Power};
use domain::drift::{Drift, See};
use domain::operation::{Command, Failure, FailureKind};
use domain::orphan::Orphan;
use domain::vmid::VmidOfHost;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::half_made::{Whose, whose};
use super::power::StopGuest;
use super::start_guest::StartGuest;
use super::{WHOLE, take_down};
use crate::context::Context;
use crate::drift::{Judged, judge};
use crate::step::{Done, Step, StepError};

pub(super) struct RestorePower;
pub(super) struct LookAgain;
pub(super) struct RemoveOrphan;

impl Step for RestorePower {
    fn act<'a>(&'a self, context: &'a Context, intent: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async move {
            match context.operation.accepted().map(|accepted| &accepted.command) {
                Some(Command::PutBack { power: Some(Power::Running), .. }) => StartGuest.act(context, intent).await,
                Some(Command::PutBack { power: Some(Power::Stopped | Power::Suspended), .. }) => {
                    StopGuest.act(context, intent).await
                }
                _ => Ok(Done::nothing()),
            }
        })
    }
}

impl Step for LookAgain {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let container = &context.container().await?.state;
            let Judged::So(left) = judge(&context.tools, context.container_id, container).await? else {
                let detail = "Proxmox has it locked just now; it is looked at again";
                let failure = Failure::new("guest-locked", "Proxmox has it locked", detail);
                return Err(StepError::new(FailureKind::Locked, failure));
            };
            let account = container.request().and_then(|request| request.account);
            let before = context.tools.log.load::<Drift>(context.container_id).await.map_err(StepError::internal)?;
            let names: Vec<_> = left.iter().map(|one| one.what.as_str()).collect();
            let mut done = Done::with(&json!({ "left": names }))?;
            let see = See { account, differences: left };
            done.streams.extend(context.say::<Drift>(context.container_id, &before, see, &())?);
            Ok(done)
        })
    }
}

impl Step for RemoveOrphan {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let Some(Command::RemoveOrphan { host, node, vmid, .. }) =
                context.operation.accepted().map(|accepted| &accepted.command)
            else {
                return Err(StepError::internal("the command names no guest"));
            };
            let refused =
                |detail: &str| StepError::last(Failure::new("orphan-not-ours", "The guest is not taken down", detail));
            // As it is now: since somebody saw it, it may have become a container's.
            let container = context.tools.log.load::<Container>(context.container_id).await;
            let container = container.map_err(StepError::internal)?.state;
            if container.guest().is_some_and(|guest| guest.host == *host && guest.vmid == *vmid) {
                return Err(refused("it is its container's guest: delete the container"));
            }
            let id = VmidOfHost { host: *host, vmid: *vmid };
            let host = context.tools.hosts.get(*host).await?;
            match whose(context, &host, node, vmid.get()).await? {
                Whose::Nobodys => {}
                Whose::Ours => take_down(context, &host, node, vmid.get(), WHOLE).await?,
                Whose::Anothers | Whose::HalfMade | Whose::BeingMade => {
                    return Err(refused("it does not bear that container's marker any more: look at it on Proxmox"));
                }
            }
            let before = context.tools.log.load::<Orphan>(id).await.map_err(StepError::internal)?;
            let mut done = Done::with(&json!({ "vmid": vmid, "node": node }))?;
            done.streams.extend(context.say::<Orphan>(id, &before, None, &())?);
            Ok(done)
        })
    }
}
