//! Says that the container is ready, and what its owner wants to know of it.

use domain::SealedId;
use domain::container::{Container, ContainerCommand};
use domain::pipeline::StepName;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::discover_services::Listening;
use crate::context::Context;
use crate::step::{Done, Step, StepError};

pub(super) struct Finish;

impl Step for Finish {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let addresses: Vec<String> = context.fact(StepName::AwaitAddress).unwrap_or_default();
            let services: Vec<Listening> = context.fact(StepName::DiscoverServices).unwrap_or_default();
            let credentials: Vec<SealedId> = context.fact(StepName::CollectCredentials).unwrap_or_default();
            let declared = context.template().await?.map(|t| t.settings.ports.clone()).unwrap_or_default();
            let web = declared.iter().filter(|port| !port.udp).filter_map(|port| url(addresses.first()?, port.port));
            let place = context.place().await?;
            let summary = json!({
                "container": context.container_id,
                "hostname": context.spec().await?.hostname,
                "node": place.node,
                "vmid": place.vmid,
                "addresses": addresses,
                "urls": web.collect::<Vec<_>>(),
                "services": services,
                "has_credentials": !credentials.is_empty(),
            });
            let command = ContainerCommand::BecomeReady { summary: summary.clone(), credentials };
            let said = context.say::<Container>(context.container_id, context.container().await?, command, &())?;
            let mut done = Done::with(&summary)?;
            done.streams.extend(said);
            Ok(done)
        })
    }
}

/// The kinds of port that a browser opens.
fn url(address: &str, port: u16) -> Option<String> {
    let host = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
    match port {
        80 => Some(format!("http://{host}/")),
        443 => Some(format!("https://{host}/")),
        8443 | 9443 => Some(format!("https://{host}:{port}/")),
        3000..=3999 | 5000..=5173 | 7000..=9999 => Some(format!("http://{host}:{port}/")),
        _ => None,
    }
}
