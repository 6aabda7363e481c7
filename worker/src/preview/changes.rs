//! What would happen to a guest that is there: another size, or another guest in its place.

use domain::container::{Change, ContainerSpec, Guest};
use domain::preview::{Call, Preview};
use proxmox::LxcConfig;

use super::{making, volume};
use crate::copies::storage_of;
use crate::failure::proxmox_failure;
use crate::found;
use crate::step::StepError;
use crate::tools::Tools;

pub(super) async fn resize(
    tools: &Tools,
    guest: &Guest,
    change: &Change,
    preview: &mut Preview,
) -> Result<(), StepError> {
    let Some(config) = config(tools, guest, preview).await? else {
        preview.conflict("container", "its guest is gone from Proxmox", "rebuild it, restore a backup, or delete it");
        return Ok(());
    };
    let path = format!("/nodes/{}/lxc/{}", guest.node, guest.vmid);
    let named = [("cores", change.cores), ("memory", change.memory_mb), ("swap", change.swap_mb)];
    let set = named.into_iter().filter_map(|(name, wanted)| Some((name, wanted?)));
    let call = set.fold(Call::new("PUT", format!("{path}/config")), |call, (name, wanted)| call.with(name, wanted));
    if !call.parameters.is_empty() {
        preview.calls.push(call);
    }
    if let Some(wanted) = change.disk_gb {
        let had = config.get("rootfs").and_then(|rootfs| rootfs.split(',').find_map(|part| part.strip_prefix("size=")));
        preview.notes.extend(had.map(|had| format!("its disk has {had} on Proxmox")));
        let size = format!("{wanted}G");
        preview.calls.push(Call::new("PUT", format!("{path}/resize")).with("disk", "rootfs").with("size", size));
    }
    Ok(())
}

pub(super) async fn rebuild(
    tools: &Tools,
    guest: &Guest,
    spec: &ContainerSpec,
    (image, backup_first): (&str, bool),
    preview: &mut Preview,
) -> Result<(), StepError> {
    let host = tools.hosts.get(guest.host).await?;
    let (node, vmid) = (guest.node.as_str(), guest.vmid.get());
    let volume = volume(tools, image, &host, node, preview).await?;
    let config = config(tools, guest, preview).await?;
    let path = format!("/nodes/{node}/lxc/{vmid}");
    if config.is_some() {
        if backup_first {
            preview.calls.push(Call::new("POST", format!("/nodes/{node}/vzdump")).with("vmid", vmid));
        }
        let status = host.client.lxc(node, vmid).status().await.map_err(proxmox_failure)?;
        if status.is_running() {
            preview.calls.push(Call::new("POST", format!("{path}/status/stop")));
        }
        preview.calls.push(Call::new("DELETE", path).with("destroy-unreferenced-disks", 1));
        preview.notes.push("everything in it is lost; its snapshots go with it, its backups stay".to_owned());
    } else if backup_first {
        preview.conflict("backup_first", "its guest is gone from Proxmox: nothing to back up", "leave it out");
    } else {
        preview.notes.push("its guest is gone from Proxmox already".to_owned());
    }
    let storage = config.as_ref().and_then(|config| config.get("rootfs")).map(storage_of);
    let storage = storage.or(spec.storage.as_deref()).unwrap_or("where it was");
    preview.calls.extend(making(spec, node, vmid, storage, volume));
    Ok(())
}

/// None when it is gone; a lock is noted.
async fn config(tools: &Tools, guest: &Guest, preview: &mut Preview) -> Result<Option<LxcConfig>, StepError> {
    let host = tools.hosts.get(guest.host).await?;
    let config = found::config(&host, &guest.node, guest.vmid.get()).await?;
    let note = |lock: &str| format!("Proxmox has it locked ({lock}): it waits for that");
    preview.notes.extend(config.as_ref().and_then(|config| config.lock()).map(note));
    Ok(config)
}
