//! What belongs to no single node.

use serde::Deserialize;

use crate::call::Call;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::lenient;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Version {
    /// `9.1.7`
    #[serde(default, deserialize_with = "lenient::text")]
    pub version: String,
    #[serde(default, deserialize_with = "lenient::text")]
    pub release: String,
}

impl Version {
    /// Major and minor.
    pub fn number(&self) -> Option<(u32, u32)> {
        let mut parts = self.version.split(['.', '-']).map(str::parse);
        Some((parts.next()?.ok()?, parts.next().and_then(std::result::Result::ok).unwrap_or(0)))
    }
}

/// A row of `/cluster/resources`, which Proxmox renews every 10 s: a fresh guest has no name yet and its status is
/// `unknown`. What counts is asked of the guest itself.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Resource {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub node: Option<String>,
    #[serde(default, deserialize_with = "lenient::maybe_whole")]
    pub vmid: Option<u64>,
    #[serde(default, deserialize_with = "lenient::maybe_text")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub status: String,
    #[serde(default)]
    pub storage: Option<String>,
    #[serde(default)]
    pub pool: Option<String>,
    #[serde(default, deserialize_with = "lenient::maybe_text")]
    pub tags: Option<String>,
    #[serde(default, deserialize_with = "lenient::flag")]
    pub template: bool,
    #[serde(default, deserialize_with = "lenient::maybe_text")]
    pub lock: Option<String>,
    #[serde(default, deserialize_with = "lenient::real")]
    pub cpu: f64,
    #[serde(default, deserialize_with = "lenient::real")]
    pub maxcpu: f64,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub mem: u64,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub maxmem: u64,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub disk: u64,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub maxdisk: u64,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub netin: u64,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub netout: u64,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub uptime: u64,
}

/// A member of a cluster, as the others know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub node: String,
    pub address: Option<String>,
    pub online: bool,
}

#[derive(Deserialize)]
struct StatusRow {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default, deserialize_with = "lenient::text")]
    name: String,
    #[serde(default, deserialize_with = "lenient::maybe_text")]
    ip: Option<String>,
    #[serde(default, deserialize_with = "lenient::flag")]
    online: bool,
}

impl Client {
    /// The members of the cluster; none for a server that is in no cluster.
    pub async fn members(&self) -> Result<Vec<Member>> {
        let rows: Vec<StatusRow> = self.list(Call::get("/cluster/status", &[])).await?;
        if !rows.iter().any(|row| row.kind == "cluster") {
            return Ok(Vec::new());
        }
        let nodes = rows.into_iter().filter(|row| row.kind == "node");
        Ok(nodes.map(|row| Member { node: row.name, address: row.ip, online: row.online }).collect())
    }

    pub async fn version(&self) -> Result<Version> {
        self.call(Call::get("/version", &[])).await
    }

    /// `kind`: `vm`, `storage`, `node` or `sdn`; all without. What we may not see is not in it.
    pub async fn resources(&self, kind: Option<&str>) -> Result<Vec<Resource>> {
        self.list(Call::get("/cluster/resources", &[]).maybe("type", &kind)).await
    }

    /// A free id. Nothing is reserved by it: several who ask at once get the same.
    pub async fn next_id(&self) -> Result<u32> {
        let call = Call::get("/cluster/nextid", &[]);
        let text: serde_json::Value = self.call(call.clone()).await?;
        let text = text.as_str().map_or_else(|| text.to_string(), str::to_owned);
        text.parse().map_err(|_| Error::Other(self.said(&call, 200, format!("`{text}` is no id of a guest"))))
    }

    /// Whether an id is free; [`Error::AlreadyExists`] if it is not.
    pub async fn check_id(&self, vmid: u32) -> Result<()> {
        self.order(Call::get("/cluster/nextid", &[]).with("vmid", vmid)).await
    }
}
