//! Starting and stopping guests.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::{look, sandbox, unlocked};
use crate::guest::{Boot, Interface};
use crate::model::config;
use crate::model::guest::{Guest, Kind, Status};
use crate::model::run::Run;
use crate::model::stats;
use crate::model::world::World;

pub(crate) async fn start(run: Run, kind: Kind, vmid: u32) -> Result<(), String> {
    let _held = run.lock(kind, vmid).await?;
    unlocked(&run, kind, vmid)?;
    start_unlocked(&run, kind, vmid).await
}

/// Starts a guest whose lock file is held already.
pub(crate) async fn start_unlocked(run: &Run, kind: Kind, vmid: u32) -> Result<(), String> {
    let running = look(run, kind, vmid, |guest| Ok(guest.running()))?;
    if running {
        return if kind == Kind::Lxc { Ok(()) } else { Err(format!("VM {vmid} already running")) };
    }
    can_boot(run, kind, vmid)?;
    run.work().await;
    let boot = look(run, kind, vmid, |guest| Ok(boot(guest)))?;
    if kind == Kind::Lxc {
        run.world.guests.start(vmid, &boot).await.map_err(sandbox)?;
    }
    let now = run.world.clock.now();
    run.world.change(|state| {
        let pid = state.next_pid();
        if let Some(guest) = state.guests.get_mut(&vmid) {
            guest.status = Status::Running;
            guest.suspended = false;
            guest.started = now;
            guest.pid = pid;
            let pending = std::mem::take(&mut guest.pending);
            guest.config.extend(pending);
        }
    });
    if kind == Kind::Lxc {
        run.world.tracker.spawn(watch(run.world.clone(), vmid));
    }
    Ok(())
}

/// A container that powers itself off is stopped.
async fn watch(world: Arc<World>, vmid: u32) {
    if world.guests.isolation().is_none() {
        return;
    }
    tokio::select! {
        () = world.guests.stopped(vmid) => {}
        () = world.end.cancelled() => return,
    }
    let gone = !world.guests.is_running(vmid);
    world.change(|state| {
        if let Some(guest) = state.guests.get_mut(&vmid).filter(|_| gone) {
            guest.status = Status::Stopped;
        }
    });
}

fn can_boot(run: &Run, kind: Kind, vmid: u32) -> Result<(), String> {
    let state = run.world.state();
    let Some(guest) = state.guests.get(&vmid) else { return Err(kind.missing(&run.node, vmid)) };
    if guest.flag("template") {
        return Err(format!("you can't start a {} if it's a template", if kind == Kind::Lxc { "CT" } else { "vm" }));
    }
    if guest.config.get("memory").and_then(Value::as_str) == Some(" ") {
        return Err("unable to parse memory ' '".to_owned());
    }
    let bridges = state.nodes.get(&guest.node).map(|node| node.bridges.clone()).unwrap_or_default();
    for (key, value) in guest.config.iter().filter(|(key, _)| config::is_net(key)) {
        let parts = config::parts(kind, key, value.as_str().unwrap_or_default());
        if let Some(bridge) = parts.get("bridge").filter(|bridge| !bridges.contains(bridge)) {
            return Err(format!("bridge '{bridge}' does not exist"));
        }
    }
    Ok(())
}

fn boot(guest: &Guest) -> Boot {
    let interfaces = stats::cards(guest)
        .into_iter()
        .map(|card| Interface { name: card.name, mac: card.mac.to_lowercase(), addresses: card.addresses })
        .collect();
    Boot {
        hostname: guest.name(),
        memory_mib: guest.number("memory").unwrap_or(512) + guest.number("swap").unwrap_or(512),
        processes: 4096,
        interfaces,
    }
}

pub(crate) async fn stop(run: Run, kind: Kind, vmid: u32) -> Result<(), String> {
    let _held = run.lock(kind, vmid).await?;
    unlocked(&run, kind, vmid)?;
    run.work().await;
    halt(&run, kind, vmid).await
}

/// Ends a guest, with no questions asked.
pub(crate) async fn halt(run: &Run, kind: Kind, vmid: u32) -> Result<(), String> {
    if kind == Kind::Lxc {
        run.world.guests.stop(vmid).await.map_err(sandbox)?;
    }
    run.world.change(|state| {
        if let Some(guest) = state.guests.get_mut(&vmid) {
            guest.status = Status::Stopped;
            let pending = std::mem::take(&mut guest.pending);
            guest.config.extend(pending);
        }
    });
    Ok(())
}

/// How a shutdown was asked for.
#[derive(Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) timeout: Duration,
    pub(crate) force: bool,
}

pub(crate) async fn shutdown(run: Run, kind: Kind, vmid: u32, manner: Manner) -> Result<(), String> {
    let _held = run.lock(kind, vmid).await?;
    unlocked(&run, kind, vmid)?;
    down(&run, kind, vmid, manner).await
}

async fn down(run: &Run, kind: Kind, vmid: u32, manner: Manner) -> Result<(), String> {
    if !look(run, kind, vmid, |guest| Ok(guest.running()))? {
        return Ok(());
    }
    let takes = run.world.duration(&run.kind);
    if takes > manner.timeout {
        tokio::time::sleep(manner.timeout).await;
        if !manner.force {
            return Err(if kind == Kind::Lxc {
                "container did not stop".to_owned()
            } else {
                "VM quit/powerdown failed - got timeout".to_owned()
            });
        }
    } else {
        run.work().await;
    }
    halt(run, kind, vmid).await
}

pub(crate) async fn reboot(run: Run, kind: Kind, vmid: u32, manner: Manner) -> Result<(), String> {
    let _held = run.lock(kind, vmid).await?;
    unlocked(&run, kind, vmid)?;
    down(&run, kind, vmid, manner).await?;
    start_unlocked(&run, kind, vmid).await
}

/// CRIU is not there, as on most hosts, unless it was asked for. What ran begins anew: only its being suspended is kept.
pub(crate) async fn checkpoint(run: Run, vmid: u32, suspend: bool) -> Result<(), String> {
    let _held = run.lock(Kind::Lxc, vmid).await?;
    unlocked(&run, Kind::Lxc, vmid)?;
    run.work().await;
    let frozen = look(&run, Kind::Lxc, vmid, |guest| Ok(guest.suspended))?;
    if run.world.options.criu && suspend {
        halt(&run, Kind::Lxc, vmid).await?;
        run.world.change(|state| state.guests.get_mut(&vmid).into_iter().for_each(|guest| guest.suspended = true));
        Ok(())
    } else if run.world.options.criu && frozen {
        start_unlocked(&run, Kind::Lxc, vmid).await
    } else if suspend {
        run.log(format!("lxc-checkpoint: {vmid}: ../src/lxc/criu.c: criu_version_ok: 767 No such file or directory - execing criu failed, is it installed?"));
        Err(format!("command 'lxc-checkpoint -n {vmid} -s -D /var/lib/vz/dump' failed: exit code 1"))
    } else {
        run.log(format!(
            "lxc-checkpoint: {vmid}: ../src/lxc/tools/lxc_checkpoint.c: lxc_checkpoint_main: 299 {vmid} is not defined"
        ));
        Err(format!("command 'lxc-checkpoint -n {vmid} -r --foreground -D /var/lib/vz/dump' failed: exit code 1"))
    }
}
