//! How a container is.

use serde::Deserialize;

use super::Lxc;
use crate::call::Call;
use crate::client::Client;
use crate::error::Result;
use crate::lenient;
use crate::metrics::{Sample, Timeframe, none_yet};

/// Live, unlike `/cluster/resources`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Status {
    #[serde(deserialize_with = "lenient::whole")]
    pub vmid: u64,
    /// `running` or `stopped`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub status: String,
    #[serde(default, deserialize_with = "lenient::maybe_text")]
    pub name: Option<String>,
    /// What holds it: `create`, `backup`, `snapshot`, …
    #[serde(default, deserialize_with = "lenient::maybe_text")]
    pub lock: Option<String>,
    /// Separated by `;`.
    #[serde(default, deserialize_with = "lenient::maybe_text")]
    pub tags: Option<String>,
    #[serde(default, deserialize_with = "lenient::flag")]
    pub template: bool,
    #[serde(default, deserialize_with = "lenient::real")]
    pub cpu: f64,
    #[serde(default, deserialize_with = "lenient::real")]
    pub cpus: f64,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub mem: u64,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub maxmem: u64,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub swap: u64,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub maxswap: u64,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub disk: u64,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub maxdisk: u64,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub netin: u64,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub netout: u64,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub diskread: u64,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub diskwrite: u64,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub uptime: u64,
}

impl Status {
    pub fn is_running(&self) -> bool {
        self.status == "running"
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    Snapshot,
    Clone,
    Copy,
}

#[derive(Deserialize)]
struct Has {
    #[serde(rename = "hasFeature", default, deserialize_with = "lenient::flag")]
    has: bool,
}

impl Client {
    pub async fn lxcs(&self, node: &str) -> Result<Vec<Status>> {
        self.list(Call::get("/nodes/{node}/lxc", &[&node])).await
    }
}

impl Lxc {
    pub async fn status(&self) -> Result<Status> {
        self.client.call(Call::get("/nodes/{node}/lxc/{vmid}/status/current", &[&self.node, &self.vmid])).await
    }

    pub async fn metrics(&self, timeframe: Timeframe) -> Result<Vec<Sample>> {
        let call = Call::get("/nodes/{node}/lxc/{vmid}/rrddata", &[&self.node, &self.vmid]);
        none_yet(self.client.list(call.with("timeframe", timeframe.as_str()).with("cf", "AVERAGE")).await)
    }

    /// Whether its storage can do it.
    pub async fn has(&self, feature: Feature) -> Result<bool> {
        let name = match feature {
            Feature::Snapshot => "snapshot",
            Feature::Clone => "clone",
            Feature::Copy => "copy",
        };
        let call = Call::get("/nodes/{node}/lxc/{vmid}/feature", &[&self.node, &self.vmid]).with("feature", name);
        self.client.call::<Has>(call).await.map(|answer| answer.has)
    }
}
