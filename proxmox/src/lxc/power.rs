//! Start and stop.

use super::Lxc;
use crate::call::Call;
use crate::error::Result;
use crate::upid::Upid;

impl Lxc {
    /// [`Error::AlreadySo`](crate::Error::AlreadySo) at once if it runs; one that is unknown or locked fails in the task.
    pub async fn start(&self) -> Result<Upid> {
        self.client.call(Call::post("/nodes/{node}/lxc/{vmid}/status/start", &[&self.node, &self.vmid])).await
    }

    /// At once, as by pulling the plug; a shutdown that is under way is ended first, or it would hold the lock.
    pub async fn stop(&self) -> Result<Upid> {
        let call = Call::post("/nodes/{node}/lxc/{vmid}/status/stop", &[&self.node, &self.vmid]);
        self.client.call(call.with("overrule-shutdown", true)).await
    }

    /// In order, within `seconds`; `force` pulls the plug when they are over.
    pub async fn shutdown(&self, seconds: u32, force: bool) -> Result<Upid> {
        let call = Call::post("/nodes/{node}/lxc/{vmid}/status/shutdown", &[&self.node, &self.vmid]);
        self.client.call(call.with("timeout", seconds).with("forceStop", force)).await
    }

    pub async fn reboot(&self, seconds: u32) -> Result<Upid> {
        let call = Call::post("/nodes/{node}/lxc/{vmid}/status/reboot", &[&self.node, &self.vmid]);
        self.client.call(call.with("timeout", seconds)).await
    }

    pub async fn suspend(&self) -> Result<Upid> {
        self.client.call(Call::post("/nodes/{node}/lxc/{vmid}/status/suspend", &[&self.node, &self.vmid])).await
    }

    pub async fn resume(&self) -> Result<Upid> {
        self.client.call(Call::post("/nodes/{node}/lxc/{vmid}/status/resume", &[&self.node, &self.vmid])).await
    }
}
