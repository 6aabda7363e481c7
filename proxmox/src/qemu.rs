//! Virtual machines: Gantry watches them and switches them, it does not make them.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::call::Call;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::lenient;
pub use crate::lxc::Config;
use crate::lxc::{Interface, IpAddress};
use crate::upid::Upid;

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Status {
    #[serde(deserialize_with = "lenient::whole")]
    pub vmid: u64,
    #[serde(default, deserialize_with = "lenient::text")]
    pub status: String,
    /// `paused` while `status` still says `running`. Not in the list.
    #[serde(default, deserialize_with = "lenient::maybe_text")]
    pub qmpstatus: Option<String>,
    #[serde(default, deserialize_with = "lenient::maybe_text")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "lenient::maybe_text")]
    pub lock: Option<String>,
    #[serde(default, deserialize_with = "lenient::maybe_text")]
    pub tags: Option<String>,
    #[serde(default, deserialize_with = "lenient::flag")]
    pub template: bool,
    /// Whether the guest agent is configured; it may still be silent.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub agent: bool,
    #[serde(default, deserialize_with = "lenient::real")]
    pub cpu: f64,
    #[serde(default, deserialize_with = "lenient::real")]
    pub cpus: f64,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub mem: u64,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub maxmem: u64,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub maxdisk: u64,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub netin: u64,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub netout: u64,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub uptime: u64,
}

impl Status {
    pub fn is_running(&self) -> bool {
        self.status == "running"
    }
}

#[derive(Clone, Debug)]
pub struct Qemu {
    pub(crate) client: Client,
    pub(crate) node: String,
    pub(crate) vmid: u32,
}

#[derive(Deserialize)]
struct Agent {
    #[serde(default, deserialize_with = "lenient::list")]
    result: Vec<AgentInterface>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct AgentInterface {
    name: String,
    #[serde(default, deserialize_with = "lenient::text")]
    hardware_address: String,
    #[serde(default, deserialize_with = "lenient::list")]
    ip_addresses: Vec<AgentAddress>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct AgentAddress {
    #[serde(default, deserialize_with = "lenient::text")]
    ip_address: String,
    #[serde(default, deserialize_with = "lenient::whole")]
    prefix: u64,
}

impl Client {
    pub async fn qemus(&self, node: &str) -> Result<Vec<Status>> {
        self.list(Call::get("/nodes/{node}/qemu", &[&node])).await
    }

    pub fn qemu(&self, node: impl Into<String>, vmid: u32) -> Qemu {
        Qemu { client: self.clone(), node: node.into(), vmid }
    }
}

impl Qemu {
    pub async fn status(&self) -> Result<Status> {
        self.client.call(Call::get("/nodes/{node}/qemu/{vmid}/status/current", &[&self.node, &self.vmid])).await
    }

    pub async fn config(&self) -> Result<Config> {
        let call = Call::get("/nodes/{node}/qemu/{vmid}/config", &[&self.node, &self.vmid]);
        self.client.call::<BTreeMap<_, _>>(call).await.map(Config::of)
    }

    /// Whether the guest agent answers; Proxmox takes 3 s to find that it does not.
    pub async fn ping(&self) -> Result<bool> {
        let call = Call::post("/nodes/{node}/qemu/{vmid}/agent/ping", &[&self.node, &self.vmid]);
        match self.client.order(call).await {
            Ok(()) => Ok(true),
            Err(error) if silent(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What the guest agent says; none if there is no agent, or if it is silent.
    pub async fn interfaces(&self) -> Result<Option<Vec<Interface>>> {
        let call = Call::get("/nodes/{node}/qemu/{vmid}/agent/network-get-interfaces", &[&self.node, &self.vmid]);
        match self.client.call::<Agent>(call).await {
            Ok(agent) => Ok(Some(agent.result.into_iter().map(Interface::from).collect())),
            Err(error) if silent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// One that runs fails in the task, unlike a container.
    pub async fn start(&self) -> Result<Upid> {
        self.client.call(Call::post("/nodes/{node}/qemu/{vmid}/status/start", &[&self.node, &self.vmid])).await
    }

    pub async fn stop(&self) -> Result<Upid> {
        let call = Call::post("/nodes/{node}/qemu/{vmid}/status/stop", &[&self.node, &self.vmid]);
        self.client.call(call.with("overrule-shutdown", true)).await
    }

    pub async fn shutdown(&self, seconds: u32, force: bool) -> Result<Upid> {
        let call = Call::post("/nodes/{node}/qemu/{vmid}/status/shutdown", &[&self.node, &self.vmid]);
        self.client.call(call.with("timeout", seconds).with("forceStop", force)).await
    }

    pub async fn reboot(&self, seconds: u32) -> Result<Upid> {
        let call = Call::post("/nodes/{node}/qemu/{vmid}/status/reboot", &[&self.node, &self.vmid]);
        self.client.call(call.with("timeout", seconds)).await
    }

    pub async fn reset(&self) -> Result<Upid> {
        self.client.call(Call::post("/nodes/{node}/qemu/{vmid}/status/reset", &[&self.node, &self.vmid])).await
    }
}

impl From<AgentInterface> for Interface {
    fn from(row: AgentInterface) -> Self {
        let addresses = row.ip_addresses.iter().filter_map(|each| {
            Some(IpAddress { address: each.ip_address.parse().ok()?, prefix: u8::try_from(each.prefix).ok()? })
        });
        Self { name: row.name, hardware: row.hardware_address, addresses: addresses.collect() }
    }
}

fn silent(error: &Error) -> bool {
    let words = error.words();
    words.contains("guest agent is not running") || words.contains("No QEMU guest agent configured")
}
