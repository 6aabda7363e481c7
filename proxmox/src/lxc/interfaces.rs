//! The addresses that a running container really has.

use std::net::IpAddr;

use serde::Deserialize;

use super::Lxc;
use crate::call::Call;
use crate::error::Result;
use crate::lenient;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    pub name: String,
    pub hardware: String,
    pub addresses: Vec<IpAddress>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpAddress {
    pub address: IpAddr,
    pub prefix: u8,
}

#[derive(Deserialize)]
pub(crate) struct Row {
    name: String,
    #[serde(default, deserialize_with = "lenient::text")]
    hwaddr: String,
    #[serde(default, rename = "ip-addresses", deserialize_with = "lenient::list")]
    all: Vec<RowAddress>,
    /// The last address of its family, and all there was before 2025.
    #[serde(default, deserialize_with = "lenient::maybe_text")]
    inet: Option<String>,
    #[serde(default, deserialize_with = "lenient::maybe_text")]
    inet6: Option<String>,
}

#[derive(Deserialize)]
struct RowAddress {
    #[serde(rename = "ip-address", default, deserialize_with = "lenient::text")]
    address: String,
    #[serde(default, deserialize_with = "lenient::whole")]
    prefix: u64,
}

impl From<Row> for Interface {
    fn from(row: Row) -> Self {
        let listed = row.all.iter().filter_map(|each| {
            Some(IpAddress { address: each.address.parse().ok()?, prefix: u8::try_from(each.prefix).ok()? })
        });
        let mut addresses: Vec<_> = listed.collect();
        if addresses.is_empty() {
            addresses = [row.inet, row.inet6].into_iter().flatten().filter_map(|text| with_prefix(&text)).collect();
        }
        Self { name: row.name, hardware: row.hwaddr, addresses }
    }
}

fn with_prefix(text: &str) -> Option<IpAddress> {
    let (address, prefix) = text.split_once('/')?;
    Some(IpAddress { address: address.parse().ok()?, prefix: prefix.parse().ok()? })
}

impl Lxc {
    /// Empty when it is stopped, and for a while after a start; `lo` is among them.
    pub async fn interfaces(&self) -> Result<Vec<Interface>> {
        let call = Call::get("/nodes/{node}/lxc/{vmid}/interfaces", &[&self.node, &self.vmid]);
        Ok(self.client.list::<Row>(call).await?.into_iter().map(Interface::from).collect())
    }
}
