//! What Proxmox has of a guest right now.

use domain::ContainerId;
use domain::container::marker;
use proxmox::{LxcConfig, Thing};

use crate::failure::proxmox_failure;
use crate::hosts::Host;
use crate::step::StepError;

/// None when there is no such guest.
pub(crate) async fn config(host: &Host, node: &str, vmid: u32) -> Result<Option<LxcConfig>, StepError> {
    match host.client.lxc(node, vmid).config().await {
        Ok(config) => Ok(Some(config)),
        Err(error) if error.is_missing(Thing::Guest) => Ok(None),
        Err(error) => Err(proxmox_failure(error)),
    }
}

/// Whose marker it bears.
pub(crate) fn bearer(config: &LxcConfig) -> Option<ContainerId> {
    marker::parse(config.get("tags").unwrap_or_default(), config.get("description").unwrap_or_default())
}
