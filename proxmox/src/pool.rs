//! Pools.

use serde::Deserialize;

use crate::call::Call;
use crate::client::Client;
use crate::cluster::Resource;
use crate::error::Result;
use crate::lenient;

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Pool {
    pub poolid: String,
    #[serde(default, deserialize_with = "lenient::maybe_text")]
    pub comment: Option<String>,
    /// Guests and storages; only when the pool itself was asked for.
    #[serde(default, deserialize_with = "lenient::list")]
    pub members: Vec<Resource>,
}

impl Client {
    pub async fn pools(&self) -> Result<Vec<Pool>> {
        self.list(Call::get("/pools", &[])).await
    }

    /// [`Client::pools`] has no members; this has.
    pub async fn pool(&self, id: &str) -> Result<Pool> {
        self.call(Call::get("/pools/{poolid}", &[&id])).await.map(|pool: Pool| Pool { poolid: id.to_owned(), ..pool })
    }

    pub async fn create_pool(&self, id: &str, comment: Option<&str>) -> Result<()> {
        self.order(Call::post("/pools", &[]).with("poolid", id).maybe("comment", &comment)).await
    }

    /// Puts guests into it, or takes them out.
    pub async fn change_pool(&self, id: &str, vmids: &[u32], remove: bool) -> Result<()> {
        let vms = vmids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let mut call = Call::put("/pools/{poolid}", &[&id]).with("vms", vms);
        if remove {
            call = call.with("delete", true);
        }
        self.order(call).await
    }

    pub async fn delete_pool(&self, id: &str) -> Result<()> {
        self.order(Call::delete("/pools/{poolid}", &[&id])).await
    }
}
