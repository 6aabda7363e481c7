//! Growing a disk.

use crate::model::config;
use crate::model::guest::Kind;
use crate::model::run::Run;
use crate::model::storage;

/// The new size of a disk, by what was asked for.
pub(crate) fn target(current: u64, asked: &str) -> Option<u64> {
    let size = storage::bytes(asked, 1)?;
    Some(if asked.starts_with('+') { current + size } else { size })
}

pub(crate) async fn resize(run: Run, kind: Kind, vmid: u32, key: String, asked: String) -> Result<(), String> {
    let _held = run.lock(kind, vmid).await?;
    super::unlocked(&run, kind, vmid)?;
    let value = super::look(&run, kind, vmid, |guest| {
        guest.text(&key).map(str::to_owned).ok_or_else(|| format!("disk '{key}' does not exist"))
    })?;
    let (volume, current) = config::volume(&value);
    let size = target(current, &asked).ok_or_else(|| format!("'{asked}' is not a valid size"))?;
    if size < current {
        return Err(if kind == Kind::Qemu {
            "shrinking disks is not supported".to_owned()
        } else {
            "unable to shrink disk size".to_owned()
        });
    }
    run.work().await;
    if kind == Kind::Lxc {
        run.log(format!("Image resized. New size: {size}"));
    }
    run.world.change(|state| {
        if let Some(found) = state.volumes.iter_mut().find(|found| found.id == volume) {
            found.size = size;
        }
        if let Some(guest) = state.guests.get_mut(&vmid) {
            let kept: Vec<(String, String)> = config::parts(kind, &key, &value)
                .into_iter()
                .filter(|(key, _)| !matches!(key.as_str(), "volume" | "file" | "size"))
                .collect();
            guest.config.insert(key, config::disk_value(&volume, size, &kept).into());
        }
    });
    Ok(())
}
