//! Making, changing and removing virtual machines.

use serde_json::Value;

use super::{Answer, agent, change, lxc};
use crate::api::asked::Asked;
use crate::model::guest::{Guest, Kind};
use crate::tasks::{qemu, resize};

pub(super) async fn answer(name: &str, asked: &Asked) -> Option<Answer> {
    let (verb, path) = name.split_once(' ')?;
    let rest = path.strip_prefix("/nodes/{node}/qemu")?;
    Some(match (verb, rest) {
        ("POST", "") => machine(asked),
        ("DELETE", "/{vmid}") => lxc::remove(asked, Kind::Qemu),
        ("PUT", "/{vmid}/config") => change::apply(asked, Kind::Qemu).await.map(|()| Value::Null.into()),
        ("POST", "/{vmid}/config") => match change::apply(asked, Kind::Qemu).await {
            Ok(()) => Ok(asked
                .task("qmconfig", &asked.vmid().to_string(), |run| async move {
                    run.work().await;
                    Ok(())
                })
                .into()),
            Err(refusal) => Err(refusal),
        },
        ("PUT", "/{vmid}/resize") => grow(asked),
        ("POST", "/{vmid}/clone") => lxc::copy(asked, Kind::Qemu),
        ("POST", "/{vmid}/template") => lxc::template(asked, Kind::Qemu),
        ("POST", "/{vmid}/migrate") => lxc::migrate(asked, Kind::Qemu),
        (_, rest) if rest.starts_with("/{vmid}/agent") => agent::answer(rest, asked).await,
        _ => return None,
    })
}

fn machine(asked: &Asked) -> Answer {
    let vmid = asked.vmid();
    lxc::may_create(asked, vmid)?;
    let prefix = format!("unable to create VM {vmid} - ");
    lxc::reserve(asked, vmid, Kind::Qemu, &prefix)?;
    asked.world.change(|state| {
        if let Some(guest) = state.guests.get_mut(&vmid) {
            guest.config.clear();
        }
    });
    let given = asked.params.clone();
    Ok(asked.task("qmcreate", &vmid.to_string(), move |run| qemu::create(run, vmid, given)).into())
}

fn grow(asked: &Asked) -> Answer {
    let (vmid, key, size) = (asked.vmid(), asked.need("disk"), asked.need("size"));
    asked.guest(Kind::Qemu, vmid, Guest::unlocked)?;
    Ok(asked.task("resize", &vmid.to_string(), move |run| resize::resize(run, Kind::Qemu, vmid, key, size)).into())
}
