//! Storages, what they hold, and the image catalogue.

use serde::Deserialize;

use crate::call::Call;
use crate::client::Client;
use crate::error::Result;
use crate::lenient;
use crate::upid::Upid;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Storage {
    pub storage: String,
    #[serde(rename = "type", default, deserialize_with = "lenient::text")]
    pub kind: String,
    /// `vztmpl,backup,iso`
    #[serde(default, deserialize_with = "lenient::text")]
    pub content: String,
    #[serde(default, deserialize_with = "lenient::flag")]
    pub active: bool,
    #[serde(default, deserialize_with = "lenient::flag")]
    pub enabled: bool,
    #[serde(default, deserialize_with = "lenient::flag")]
    pub shared: bool,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub total: u64,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub used: u64,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub avail: u64,
}

impl Storage {
    pub fn holds(&self, content: &str) -> bool {
        self.content.split(',').any(|each| each.trim() == content)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Content {
    /// `local:vztmpl/debian-12-….tar.zst`
    pub volid: String,
    #[serde(default, deserialize_with = "lenient::text")]
    pub content: String,
    #[serde(default, deserialize_with = "lenient::text")]
    pub format: String,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub size: u64,
    #[serde(default, deserialize_with = "lenient::maybe_whole")]
    pub ctime: Option<u64>,
    #[serde(default, deserialize_with = "lenient::maybe_whole")]
    pub vmid: Option<u64>,
    #[serde(default, deserialize_with = "lenient::maybe_text")]
    pub notes: Option<String>,
    #[serde(default, deserialize_with = "lenient::flag")]
    pub protected: bool,
}

/// An image of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Template {
    /// The name of the file, and of the image in [`Client::download_template`].
    pub template: String,
    #[serde(default, deserialize_with = "lenient::text")]
    pub section: String,
    #[serde(default, deserialize_with = "lenient::text")]
    pub os: String,
    #[serde(default, deserialize_with = "lenient::text")]
    pub package: String,
    #[serde(default, deserialize_with = "lenient::text")]
    pub version: String,
    #[serde(default, deserialize_with = "lenient::text")]
    pub headline: String,
}

/// An image from somewhere else; Proxmox fetches it itself.
#[derive(Clone, Debug)]
pub struct Download {
    pub url: String,
    pub filename: String,
    /// `vztmpl` or `iso`.
    pub content: String,
    /// The algorithm (`sha256`, `sha512`) and the sum.
    pub checksum: Option<(String, String)>,
}

impl Client {
    /// The storages of a node; those that hold `content` alone, if given.
    pub async fn storages(&self, node: &str, content: Option<&str>) -> Result<Vec<Storage>> {
        self.list(Call::get("/nodes/{node}/storage", &[&node]).maybe("content", &content)).await
    }

    pub async fn storage_content(
        &self,
        node: &str,
        storage: &str,
        content: Option<&str>,
        vmid: Option<u32>,
    ) -> Result<Vec<Content>> {
        let call = Call::get("/nodes/{node}/storage/{storage}/content", &[&node, &storage]);
        self.list(call.maybe("content", &content).maybe("vmid", &vmid)).await
    }

    /// The task, unless it was done at once.
    pub async fn delete_volume(&self, node: &str, storage: &str, volume: &str) -> Result<Option<Upid>> {
        let call = Call::delete("/nodes/{node}/storage/{storage}/content/{volume}", &[&node, &storage, &volume]);
        self.call(call).await
    }

    /// Notes and protection of a backup.
    pub async fn describe_volume(
        &self,
        node: &str,
        storage: &str,
        volume: &str,
        notes: Option<&str>,
        protected: Option<bool>,
    ) -> Result<()> {
        let call = Call::put("/nodes/{node}/storage/{storage}/content/{volume}", &[&node, &storage, &volume]);
        self.order(call.maybe("notes", &notes).maybe("protected", &protected)).await
    }

    pub async fn templates(&self, node: &str) -> Result<Vec<Template>> {
        self.list(Call::get("/nodes/{node}/aplinfo", &[&node])).await
    }

    pub async fn download_template(&self, node: &str, storage: &str, template: &str) -> Result<Upid> {
        let call = Call::post("/nodes/{node}/aplinfo", &[&node]);
        self.call(call.with("storage", storage).with("template", template)).await
    }

    /// Certificates of the source are verified.
    pub async fn download_url(&self, node: &str, storage: &str, from: &Download) -> Result<Upid> {
        let mut call = Call::post("/nodes/{node}/storage/{storage}/download-url", &[&node, &storage])
            .with("url", &from.url)
            .with("filename", &from.filename)
            .with("content", &from.content);
        if let Some((algorithm, sum)) = &from.checksum {
            call = call.with("checksum-algorithm", algorithm).with("checksum", sum);
        }
        self.call(call).await
    }
}
