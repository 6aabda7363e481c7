//! A copy has the settings of what it was made from; this gives it its own: name, network, size, tags.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use proxmox::LxcChange;
use serde_json::Value;

use super::create_guest::{description, network};
use super::making::tags;
use crate::context::Context;
use crate::failure::proxmox_failure;
use crate::step::{Done, Step, StepError};

pub(super) struct ConfigureGuest;

impl Step for ConfigureGuest {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let (host, place, spec) = (context.host().await?, context.place().await?, context.spec().await?);
            let guest = host.client.lxc(&place.node, place.vmid.get());
            let now = guest.config().await.map_err(proxmox_failure)?;
            let mut card = network(&spec.network);
            // Without its own hardware address Proxmox would make up another at each try.
            if let Some(address) = now.get("net0").and_then(hardware_address) {
                card.push_str(&format!(",hwaddr={address}"));
            }
            let nameservers = spec.network.nameservers.join(" ");
            let mut delete = Vec::new();
            for (key, wanted) in
                [("nameserver", !nameservers.is_empty()), ("searchdomain", spec.network.domain.is_some())]
            {
                if !wanted && now.get(key).is_some() {
                    delete.push(key.to_owned());
                }
            }
            let change = LxcChange {
                hostname: Some(spec.hostname.clone()),
                cores: Some(spec.cores),
                memory: Some(spec.memory_mb.into()),
                swap: Some(spec.swap_mb.into()),
                onboot: Some(spec.start_on_boot),
                description: Some(description(context.container_id, spec)),
                tags: Some(tags(&spec.tags)),
                nameserver: Some(nameservers).filter(|servers| !servers.is_empty()),
                searchdomain: spec.network.domain.clone(),
                networks: BTreeMap::from([(0, card)]),
                delete,
                ..LxcChange::default()
            };
            guest.configure(&change).await.map_err(proxmox_failure)?;
            Ok(Done::nothing())
        })
    }
}

/// Of a network card as the configuration says it.
pub(super) fn hardware_address(card: &str) -> Option<&str> {
    card.split(',').find_map(|part| part.strip_prefix("hwaddr="))
}
