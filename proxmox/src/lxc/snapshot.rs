//! Snapshots.

use serde::Deserialize;

use super::Lxc;
use crate::call::Call;
use crate::error::Result;
use crate::lenient;
use crate::upid::Upid;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Snapshot {
    pub name: String,
    #[serde(default, deserialize_with = "lenient::maybe_text")]
    pub description: Option<String>,
    #[serde(default, deserialize_with = "lenient::maybe_text")]
    pub parent: Option<String>,
    #[serde(default, deserialize_with = "lenient::maybe_whole")]
    pub snaptime: Option<u64>,
    /// `prepare` or `delete`: its task died in the middle, or is at it.
    #[serde(default, deserialize_with = "lenient::maybe_text")]
    pub snapstate: Option<String>,
}

impl Lxc {
    /// Without `current`, the "You are here!" that Proxmox puts last.
    pub async fn snapshots(&self) -> Result<Vec<Snapshot>> {
        let call = Call::get("/nodes/{node}/lxc/{vmid}/snapshot", &[&self.node, &self.vmid]);
        let mut all: Vec<Snapshot> = self.client.list(call).await?;
        all.retain(|snapshot| snapshot.name != "current");
        Ok(all)
    }

    /// A name has at least two characters: a letter, then letters, digits, `-` and `_`. One that is taken, and a storage
    /// without snapshots, fail in the task.
    pub async fn snapshot(&self, name: &str, description: Option<&str>) -> Result<Upid> {
        let call = Call::post("/nodes/{node}/lxc/{vmid}/snapshot", &[&self.node, &self.vmid]);
        self.client.call(call.with("snapname", name).maybe("description", &description)).await
    }

    pub async fn delete_snapshot(&self, name: &str, force: bool) -> Result<Upid> {
        let call = Call::delete("/nodes/{node}/lxc/{vmid}/snapshot/{snapname}", &[&self.node, &self.vmid, &name]);
        self.client.call(call.with("force", force)).await
    }

    /// The container is stopped afterwards unless `start` says otherwise.
    pub async fn rollback(&self, name: &str, start: bool) -> Result<Upid> {
        let call =
            Call::post("/nodes/{node}/lxc/{vmid}/snapshot/{snapname}/rollback", &[&self.node, &self.vmid, &name]);
        self.client.call(call.with("start", start)).await
    }
}
