//! How each step of a create is made to fail, and how that is mended.

use std::time::Duration;

use domain::ContainerId;
use domain::pipeline::StepName;
use proxmox::Waiting;
use sim::{Effect, Rule};
use tokio_util::sync::CancellationToken;

use crate::support::World;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// Proxmox refuses a call.
    Refused(&'static str),
    /// The same, and not a second time: its undo has to call it too.
    RefusedOnce(&'static str),
    /// The call's task does its work and fails then.
    TaskFails(&'static str),
    /// Something in the guest is in the way, and a way to remove it.
    InTheWay(&'static str, &'static str),
    /// Somebody stops the guest.
    Stopped,
}

impl Fault {
    /// Exhaustive, so that a new step has to say how it can fail. None when it cannot but with the log itself.
    pub(crate) fn at(step: StepName) -> Option<Self> {
        use StepName as S;
        Some(match step {
            S::LeaseVmid => Self::Refused("GET /cluster/nextid"),
            S::EnsureImage => Self::Refused("GET /nodes/*/storage/*/content"),
            S::CreateGuest => Self::TaskFails("POST /nodes/*/lxc"),
            S::StartGuest => Self::TaskFails("POST /nodes/*/lxc/*/status/start"),
            S::AwaitAddress => Self::Refused("GET /nodes/*/lxc/*/interfaces"),
            S::DeployFiles | S::UpdateFiles => {
                Self::InTheWay("rm -rf /etc/tiny && touch /etc/tiny", "[ -d /etc/tiny ] || rm /etc/tiny")
            }
            S::RunScripts => Self::InTheWay("touch /srv/broken", "rm -f /srv/broken"),
            S::AwaitUsable
            | S::InstallHelpers
            | S::InstallPackages
            | S::DiscoverServices
            | S::CollectCredentials
            | S::VerifyPorts
            | S::CheckHealth => Self::Stopped,
            S::TakeSnapshot | S::GuardUpdate => Self::TaskFails("POST /nodes/*/lxc/*/snapshot"),
            S::DeleteSnapshot => Self::Refused("DELETE /nodes/*/lxc/*/snapshot/*"),
            S::HaltGuest => Self::TaskFails("POST /nodes/*/lxc/*/status/stop"),
            S::RollBack => Self::Refused("POST /nodes/*/lxc/*/snapshot/*/rollback"),
            S::SnapshotSource => Self::TaskFails("POST /nodes/*/lxc/*/snapshot"),
            S::DropSourceSnapshot => Self::RefusedOnce("DELETE /nodes/*/lxc/*/snapshot/*"),
            S::CompareFiles => Self::Refused("GET /nodes/*/lxc/*/status/current"),
            S::ConfigureGuest | S::RestoreSettings => Self::Refused("PUT /nodes/*/lxc/*/config"),
            S::FindCopy => Self::Refused("GET /nodes/*/*/*/*"),
            S::BackUp => Self::TaskFails("POST /nodes/*/vzdump"),
            S::RestoreGuest => Self::TaskFails("POST /nodes/*/lxc"),
            S::DeleteBackup => Self::Refused("DELETE /nodes/*/storage/**"),
            S::StartAgain => Self::TaskFails("POST /nodes/*/lxc/*/status/start"),
            S::KeepPlace => Self::Refused("GET /nodes/*/lxc/*/config"),
            S::BackUpFirst => Self::TaskFails("POST /nodes/*/vzdump"),
            S::DestroyGuest => Self::Refused("DELETE /nodes/*/lxc/*"),
            S::DropGuard
            | S::RecordTemplate
            | S::Finish
            | S::ChangeGuest
            | S::GrowDisk
            | S::RecordChange
            | S::SetRootPassword
            | S::SuspendGuest
            | S::ResumeGuest
            | S::StopGuest
            | S::ShutdownGuest
            | S::RebootGuest
            | S::BeginRebuild
            | S::ForgetSecrets
            | S::ReleaseVmid
            | S::RecordRemoval
            | S::RecordPower
            | S::RestorePower
            | S::LookAgain
            | S::RemoveOrphan
            | S::MarkGuest
            | S::UnmarkGuest => return None,
        })
    }

    pub(crate) fn is_in_the_guest(self) -> bool {
        matches!(self, Self::InTheWay(..) | Self::Stopped)
    }

    pub(crate) async fn strike(self, world: &World, container: ContainerId) {
        let effect = match self {
            Self::Refused(_) | Self::RefusedOnce(_) => {
                Effect::Status { status: 403, reason: "Permission check failed".into() }
            }
            Self::TaskFails(_) => Effect::TaskFailsAfter("something broke".into()),
            Self::InTheWay(break_it, _) => {
                let vmid = world.container(container).await.guest().unwrap().vmid.get();
                world.in_guest(vmid, break_it).await;
                return;
            }
            Self::Stopped => return power(world, container, false).await,
        };
        let (Self::Refused(call) | Self::RefusedOnce(call) | Self::TaskFails(call)) = self else { return };
        let times = matches!(self, Self::RefusedOnce(_)).then_some(1);
        world.sim.faults().add(Rule { times, ..Rule::always(call, effect) });
    }

    pub(crate) async fn mend(self, world: &World, container: ContainerId) {
        world.sim.faults().clear();
        let Some(guest) = world.container(container).await.guest().cloned() else { return };
        match self {
            Self::InTheWay(_, mend_it) => drop(world.in_guest(guest.vmid.get(), mend_it).await),
            // Going back to the snapshot started it again.
            Self::Stopped if world.sim.world().is_running(guest.vmid.get()) => {}
            Self::Stopped => power(world, container, true).await,
            _ => {}
        }
    }
}

async fn power(world: &World, container: ContainerId, on: bool) {
    let (api, guest) = world.api(container).await;
    let guest = api.lxc(&guest.node, guest.vmid.get());
    let upid = if on { guest.start().await } else { guest.stop().await };
    let waiting = Waiting { limit: Duration::from_secs(60), cancel: CancellationToken::new() };
    assert!(matches!(api.wait_silently(&upid.unwrap(), &waiting).await, Ok(proxmox::Finished::Done { .. })));
}
