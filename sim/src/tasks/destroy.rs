//! Removing a guest with all that is its own.

use super::{power, sandbox};
use crate::model::guest::Kind;
use crate::model::run::Run;

pub(crate) async fn destroy(run: Run, kind: Kind, vmid: u32, force: bool, purge: bool) -> Result<(), String> {
    let _held = run.lock(kind, vmid).await?;
    super::unlocked(&run, kind, vmid)?;
    if super::look(&run, kind, vmid, |guest| Ok(guest.running()))? {
        if !force {
            return Err(format!("unable to destroy CT {vmid} - container is running"));
        }
        run.log(format!("forced to stop CT {vmid} before destroying!"));
        power::halt(&run, kind, vmid).await?;
    }
    run.work().await;
    if kind == Kind::Lxc {
        run.world.guests.destroy(vmid).await.map_err(sandbox)?;
    }
    if purge {
        run.log(format!("purging {} {vmid} from related configurations..", kind.short()));
    }
    run.world.change(|state| {
        state.guests.remove(&vmid);
        state.volumes.retain(|volume| volume.vmid != Some(vmid) || volume.content == "backup");
        for pool in state.pools.values_mut() {
            pool.guests.retain(|id| *id != vmid);
        }
        // Rights on a guest go with it.
        state.access.acl.retain(|entry| entry.path != format!("/vms/{vmid}"));
    });
    Ok(())
}
