//! Nodes.

use serde::Deserialize;

use crate::call::Call;
use crate::client::Client;
use crate::error::Result;
use crate::lenient;
use crate::metrics::{Sample, Timeframe, none_yet};

/// A row of the list: without `Sys.Audit` only the name and the status.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Node {
    pub node: String,
    /// `online`, `offline` or `unknown`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub status: String,
    #[serde(default, deserialize_with = "lenient::maybe_real")]
    pub cpu: Option<f64>,
    #[serde(default, deserialize_with = "lenient::maybe_whole")]
    pub maxcpu: Option<u64>,
    #[serde(default, deserialize_with = "lenient::maybe_whole")]
    pub mem: Option<u64>,
    #[serde(default, deserialize_with = "lenient::maybe_whole")]
    pub maxmem: Option<u64>,
    #[serde(default, deserialize_with = "lenient::maybe_whole")]
    pub disk: Option<u64>,
    #[serde(default, deserialize_with = "lenient::maybe_whole")]
    pub maxdisk: Option<u64>,
    #[serde(default, deserialize_with = "lenient::maybe_whole")]
    pub uptime: Option<u64>,
    #[serde(default)]
    pub ssl_fingerprint: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct NodeStatus {
    #[serde(deserialize_with = "lenient::real")]
    pub cpu: f64,
    /// Share of the time that waited for disks.
    #[serde(deserialize_with = "lenient::real")]
    pub wait: f64,
    #[serde(deserialize_with = "lenient::whole")]
    pub uptime: u64,
    /// `pve-manager/9.1.7/…`
    #[serde(deserialize_with = "lenient::text")]
    pub pveversion: String,
    #[serde(deserialize_with = "lenient::text")]
    pub kversion: String,
    /// 1, 5 and 15 minutes, as text.
    #[serde(deserialize_with = "lenient::list")]
    pub loadavg: Vec<String>,
    pub cpuinfo: CpuInfo,
    pub memory: Space,
    pub swap: Space,
    pub rootfs: Space,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct CpuInfo {
    #[serde(deserialize_with = "lenient::whole")]
    pub cpus: u64,
    #[serde(deserialize_with = "lenient::whole")]
    pub sockets: u64,
    #[serde(deserialize_with = "lenient::text")]
    pub model: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Space {
    #[serde(deserialize_with = "lenient::whole")]
    pub total: u64,
    #[serde(deserialize_with = "lenient::whole")]
    pub used: u64,
    #[serde(deserialize_with = "lenient::whole")]
    pub free: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct NodeTime {
    /// Seconds since 1970, UTC.
    #[serde(deserialize_with = "lenient::whole")]
    pub time: u64,
    #[serde(default, deserialize_with = "lenient::text")]
    pub timezone: String,
}

impl Client {
    pub async fn nodes(&self) -> Result<Vec<Node>> {
        self.list(Call::get("/nodes", &[])).await
    }

    pub async fn node_status(&self, node: &str) -> Result<NodeStatus> {
        self.call(Call::get("/nodes/{node}/status", &[&node])).await
    }

    pub async fn node_metrics(&self, node: &str, timeframe: Timeframe) -> Result<Vec<Sample>> {
        let call = Call::get("/nodes/{node}/rrddata", &[&node]);
        none_yet(self.list(call.with("timeframe", timeframe.as_str()).with("cf", "AVERAGE")).await)
    }

    pub async fn node_time(&self, node: &str) -> Result<NodeTime> {
        self.call(Call::get("/nodes/{node}/time", &[&node])).await
    }
}
