//! Starting and stopping guests of both kinds.

use std::time::Duration;

use serde_json::Value;

use super::Answer;
use super::guests::split;
use crate::api::asked::Asked;
use crate::model::guest::{Kind, Status};
use crate::refusal::Refusal;
use crate::tasks::power::{self, Manner};
use crate::tasks::qemu;

pub(super) fn answer(name: &str, asked: &Asked) -> Option<Answer> {
    let (verb, rest, kind) = split(name)?;
    let what = rest.strip_prefix("/{vmid}/status/").filter(|_| verb == "POST")?;
    Some(act(asked, kind, what).map(Into::into))
}

fn act(asked: &Asked, kind: Kind, what: &str) -> Result<Value, Refusal> {
    let vmid = asked.vmid();
    if asked.flag("skiplock") && !asked.who.is_root() {
        return Err(Refusal::parameter("skiplock", "Only root may use this option."));
    }
    let id = vmid.to_string();
    let runs = asked.runs(vmid);
    let prefix = if kind == Kind::Lxc { "vz" } else { "qm" };
    let task = |word: &str| format!("{prefix}{word}");
    let stopped = |word: &str| if runs { Ok(()) } else { Err(Refusal::died(format!("{word} {vmid} not running"))) };
    let manner =
        Manner { timeout: Duration::from_secs(asked.number("timeout").unwrap_or(60)), force: asked.flag("forceStop") };
    if kind == Kind::Qemu && what != "start" {
        asked.guest(kind, vmid, |_| Ok(()))?;
    }
    match (kind, what) {
        (_, "start") => {
            if kind == Kind::Lxc && runs {
                return Err(Refusal::died(format!("CT {vmid} already running")));
            }
            Ok(asked.task(&task("start"), &id, move |run| power::start(run, kind, vmid)))
        }
        (_, "stop" | "shutdown") => {
            if kind == Kind::Lxc {
                stopped("CT")?;
            }
            if what == "shutdown" {
                return Ok(asked.task(&task("shutdown"), &id, move |run| power::shutdown(run, kind, vmid, manner)));
            }
            if asked.flag("overrule-shutdown") {
                overrule(asked, vmid, &task("shutdown"));
            }
            Ok(asked.task(&task("stop"), &id, move |run| power::stop(run, kind, vmid)))
        }
        (_, "reboot") => {
            stopped("VM")?;
            Ok(asked.task(&task("reboot"), &id, move |run| power::reboot(run, kind, vmid, manner)))
        }
        (Kind::Lxc, "suspend") => {
            stopped("CT")?;
            Ok(asked.task("vzsuspend", &id, move |run| power::checkpoint(run, vmid, true)))
        }
        (Kind::Lxc, "resume") => {
            if runs {
                return Err(Refusal::died(format!("CT {vmid} already running")));
            }
            Ok(asked.task("vzresume", &id, move |run| power::checkpoint(run, vmid, false)))
        }
        (Kind::Qemu, "reset") => {
            stopped("VM")?;
            Ok(asked.task("qmreset", &id, move |run| qemu::reset(run, vmid)))
        }
        (Kind::Qemu, "suspend") => {
            stopped("VM")?;
            Ok(asked.task("qmpause", &id, move |run| qemu::pause(run, vmid, Status::Paused)))
        }
        (Kind::Qemu, "resume") => {
            stopped("VM")?;
            Ok(asked.task("qmresume", &id, move |run| qemu::pause(run, vmid, Status::Running)))
        }
        _ => Err(Refusal::with(
            501,
            format!("Method 'POST /nodes/{}/{}/{vmid}/status/{what}' not implemented", asked.node, kind.word()),
        )),
    }
}

/// Ends the guest's running shutdown, which holds its lock file.
fn overrule(asked: &Asked, vmid: u32, kind: &str) {
    let id = vmid.to_string();
    let running: Vec<String> = asked
        .world
        .state()
        .tasks
        .iter()
        .filter(|task| task.exit.is_none() && task.kind == kind && task.id == id)
        .map(|task| task.upid.clone())
        .collect();
    for upid in running {
        asked.world.kill(&upid);
    }
}
