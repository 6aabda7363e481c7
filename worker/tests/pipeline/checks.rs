//! What has to be true of a world, looked at from outside.
#![allow(unreachable_pub, reason = "shared by the tests of this program")]

use domain::container::{Lifecycle, Source};
use domain::operation::{Operation, OperationEvent};
use domain::pipeline::StepName;
use domain::{Aggregate, ContainerId, SealedId, Version};
use platform::views::{self, MOST, Order, Page, VmidFilter, VmidRow};

use crate::support::World;

impl World {
    pub async fn api(&self, id: ContainerId) -> (proxmox::Client, domain::container::Guest) {
        let guest = self.container(id).await.guest().cloned().expect("it has a guest");
        (self.tools.hosts.get(self.host).await.unwrap().client.clone(), guest)
    }

    pub async fn in_guest(&self, vmid: u32, script: &str) -> String {
        let argv = ["sh", "-c", script].map(std::ffi::OsString::from);
        let out = self.sim.guests().command(vmid, &argv).unwrap().output().await.unwrap();
        assert!(out.status.success(), "{script}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    }

    pub async fn leases_of(&self, container: ContainerId) -> Vec<u32> {
        let page = Page { limit: MOST, after: None, order: Order::Oldest };
        let filter = VmidFilter { container: Some(container), ..VmidFilter::default() };
        let rows = views::page::<VmidRow>(self.log.db(), &filter, &page).await.unwrap();
        rows.items.into_iter().map(|row| row.vmid.get()).collect()
    }

    /// Every sealed row that the streams of a container and of its create ever named and that is still there.
    pub async fn sealed_of(&self, container: ContainerId) -> usize {
        let request = self.container(container).await.request().cloned().unwrap();
        let mut named: Vec<SealedId> = request.root_password.into_iter().chain(request.inputs).collect();
        for stored in self.log.stream(&Operation::stream(request.operation), Version(0)).await.unwrap() {
            if let OperationEvent::StepSucceeded { step: StepName::CollectCredentials, fact } = stored.event().unwrap()
            {
                named.extend(serde_json::from_value::<Vec<SealedId>>(fact).unwrap());
            }
        }
        let mut there = 0;
        for id in named {
            there += usize::from(self.tools.vault.open(id).await.is_ok());
        }
        there
    }

    /// The container is ready: its guest runs, is the only one of its number, and each script ended well just once.
    pub async fn is_ready(&self, container: ContainerId) -> Result<(), String> {
        let state = self.container(container).await;
        let guest = state.guest().ok_or("no guest")?;
        let vmid = guest.vmid.get();
        let leases = self.leases_of(container).await;
        let check = |right: bool, what: String| if right { Ok(()) } else { Err(what) };
        check(state.lifecycle() == Lifecycle::Ready, format!("{:?}", state.lifecycle()))?;
        check(self.sim.world().is_running(vmid), format!("{vmid} does not run"))?;
        check(leases == [vmid], format!("{leases:?} leased for {vmid}"))?;
        if matches!(state.request().unwrap().spec.source, Source::Template(_)) {
            let ran = self.in_guest(vmid, "cat /srv/ran").await;
            check(ran == "one\ntwo\nthree\n", format!("scripts ended well: {ran:?}"))?;
        }
        Ok(())
    }

    /// Nothing of it is on the host or leased.
    pub async fn is_gone(&self, container: ContainerId) -> Result<(), String> {
        let leases = self.leases_of(container).await;
        if !leases.is_empty() {
            return Err(format!("{leases:?} still leased"));
        }
        match self.container(container).await.guest() {
            Some(guest) => Err(format!("still has {guest:?}")),
            None => Ok(()),
        }
    }

    /// On the host are the guests of these containers, each once, and no others.
    pub async fn only_guests_of(&self, containers: &[ContainerId]) {
        let mut wanted = Vec::new();
        for id in containers {
            wanted.extend(self.container(*id).await.guest().map(|guest| guest.vmid.get()));
        }
        wanted.sort_unstable();
        let mut there = self.sim.world().vmids();
        there.sort_unstable();
        assert_eq!(there, wanted);
    }
}
