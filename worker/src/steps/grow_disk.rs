//! Grows the root disk. It says the size that it is to have, never how much to add: asked twice is as good as once.

use futures_util::future::BoxFuture;
use serde_json::Value;

use super::change_guest::change;
use crate::context::Context;
use crate::failure::proxmox_failure;
use crate::step::{Done, Step, StepError};

pub(super) struct GrowDisk;

const GB: u64 = 1 << 30;

impl Step for GrowDisk {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let Some(wanted) = change(context)?.disk_gb else { return Ok(Done::nothing()) };
            grow(context, wanted).await?;
            Ok(Done::nothing())
        })
    }
}

pub(super) async fn grow(context: &Context, gb: u32) -> Result<(), StepError> {
    let (host, place) = (context.host().await?, context.place().await?);
    // One that was asked for before a crash may still be at it.
    context.await_tasks_of(&host, &place.node, place.vmid.get()).await?;
    let guest = host.client.lxc(&place.node, place.vmid.get());
    let config = guest.config().await.map_err(proxmox_failure)?;
    // Somebody may have grown it by hand; disks never shrink.
    if size(config.get("rootfs").unwrap_or_default()).is_none_or(|has| has < u64::from(gb) * GB) {
        let upid = guest.resize("rootfs", &format!("{gb}G")).await.map_err(proxmox_failure)?;
        context.task(&host, &upid).await?;
    }
    Ok(())
}

/// In bytes, of `local-lvm:vm-101-disk-0,size=8G`.
pub(crate) fn size(volume: &str) -> Option<u64> {
    let text = volume.split(',').find_map(|part| part.trim().strip_prefix("size="))?;
    let (number, unit) = match text.char_indices().next_back()? {
        (at, 'K') => (&text[..at], 1 << 10),
        (at, 'M') => (&text[..at], 1 << 20),
        (at, 'G') => (&text[..at], GB),
        (at, 'T') => (&text[..at], 1 << 40),
        _ => (text, 1),
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_proxmox_writes_them() {
        assert_eq!(size("local-lvm:vm-101-disk-0,size=8G"), Some(8 * GB));
        assert_eq!(size("local:101/vm-101-disk-0.raw,mountoptions=noatime,size=512M"), Some(GB / 2));
        assert_eq!(size("local:x,size=1T"), Some(1024 * GB));
        assert_eq!(size("local:x,size=ä"), None);
        assert_eq!(size("local:x"), None);
    }
}
