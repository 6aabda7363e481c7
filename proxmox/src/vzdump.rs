//! Backups.

use crate::call::Call;
use crate::client::Client;
use crate::error::Result;
use crate::storage::Content;
use crate::upid::Upid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Snapshot,
    Suspend,
    Stop,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compress {
    None,
    Gzip,
    Lzo,
    Zstd,
}

#[derive(Clone, Debug)]
pub struct Backup {
    pub vmid: u32,
    pub storage: String,
    pub mode: Mode,
    pub compress: Compress,
    /// May name `{{guestname}}`, `{{vmid}}`, `{{node}}` and `{{cluster}}`.
    pub notes: Option<String>,
    pub protected: bool,
    pub bandwidth_kib: Option<u64>,
}

impl Client {
    /// Nothing is pruned by it: what goes is decided by us, not by a side effect of a backup.
    pub async fn backup(&self, node: &str, wanted: &Backup) -> Result<Upid> {
        let mode = match wanted.mode {
            Mode::Snapshot => "snapshot",
            Mode::Suspend => "suspend",
            Mode::Stop => "stop",
        };
        let compress = match wanted.compress {
            Compress::None => "0",
            Compress::Gzip => "gzip",
            Compress::Lzo => "lzo",
            Compress::Zstd => "zstd",
        };
        let mut call = Call::post("/nodes/{node}/vzdump", &[&node])
            .with("vmid", wanted.vmid)
            .with("storage", &wanted.storage)
            .with("mode", mode)
            .with("compress", compress)
            .with("remove", false)
            .maybe("notes-template", &wanted.notes)
            .maybe("bwlimit", &wanted.bandwidth_kib);
        // Proxmox asks for a privilege as soon as the parameter is there.
        if wanted.protected {
            call = call.with("protected", true);
        }
        self.call(call).await
    }

    /// The backups on a storage, of one guest if given.
    pub async fn backups(&self, node: &str, storage: &str, vmid: Option<u32>) -> Result<Vec<Content>> {
        self.storage_content(node, storage, Some("backup"), vmid).await
    }
}
