//! Making, changing and removing containers.

use serde_json::{Value, json};

use super::{Answer, change};
use crate::api::asked::Asked;
use crate::model::config::{self, Disk};
use crate::model::guest::{Guest, Kind};
use crate::refusal::Refusal;
use crate::tasks::{clone, create, destroy, resize};

pub(super) async fn answer(name: &str, asked: &Asked) -> Option<Answer> {
    let rest = name.strip_prefix("POST /nodes/{node}/lxc").map(|rest| ("POST", rest));
    let rest = rest.or_else(|| name.strip_prefix("PUT /nodes/{node}/lxc").map(|rest| ("PUT", rest)));
    let rest = rest.or_else(|| name.strip_prefix("DELETE /nodes/{node}/lxc").map(|rest| ("DELETE", rest)));
    Some(match rest? {
        ("POST", "") => container(asked),
        ("DELETE", "/{vmid}") => remove(asked, Kind::Lxc),
        ("PUT", "/{vmid}/config") => change::apply(asked, Kind::Lxc).await.map(|()| Value::Null.into()),
        ("PUT", "/{vmid}/resize") => grow(asked),
        ("POST", "/{vmid}/clone") => copy(asked, Kind::Lxc),
        ("POST", "/{vmid}/template") => template(asked, Kind::Lxc),
        ("POST", "/{vmid}/migrate") => migrate(asked, Kind::Lxc),
        _ => return None,
    })
}

/// Whether an id may be given to a new guest; `over` is a restore over a container.
pub(super) fn free(asked: &Asked, vmid: u32, over: bool, prefix: &str) -> Result<(), Refusal> {
    let state = asked.world.state();
    match state.guests.get(&vmid) {
        Some(guest) if !over || guest.kind == Kind::Qemu => {
            Err(Refusal::died(format!("{prefix}{} {vmid} already exists on node '{}'", guest.kind.short(), guest.node)))
        }
        Some(guest) if guest.running() => {
            Err(Refusal::died(format!("unable to restore CT {vmid} - CT {vmid} is running")))
        }
        Some(guest) => guest.unlocked(),
        None => Ok(()),
    }
}

/// Who may make a guest with an id, and in a pool.
pub(super) fn may_create(asked: &Asked, vmid: u32) -> Result<(), Refusal> {
    let pool = asked.text("pool");
    if let Some(pool) = pool.as_ref().filter(|pool| !asked.world.state().pools.contains_key(*pool)) {
        return Err(Refusal::forbidden(&format!("pool '{pool}' does not exist")));
    }
    let allowed = asked.may(&format!("/vms/{vmid}"), "VM.Allocate")
        || pool.is_some_and(|pool| asked.may(&format!("/pool/{pool}"), "VM.Allocate"));
    if allowed { Ok(()) } else { Err(Refusal::forbidden("")) }
}

fn container(asked: &Asked) -> Answer {
    let vmid = asked.vmid();
    let restore = asked.flag("restore");
    let over = restore && asked.flag("force");
    may_create(asked, vmid)?;
    change::root_only(asked)?;
    if asked.text("unprivileged").is_some() && !asked.flag("unprivileged") {
        asked.demand("/", "Sys.Modify")?;
    }
    if asked.text("password").is_some_and(|password| password.len() < 5) {
        return Err(Refusal::parameter("password", "value must be at least 5 characters long"));
    }
    let mut storages: Vec<String> = asked.text("storage").into_iter().collect();
    storages.extend(asked.params.iter().filter(|(key, _)| config::is_disk(Kind::Lxc, key)).filter_map(|(_, value)| {
        match config::disk(value.as_str()?) {
            Disk::New { storage, .. } => Some(storage),
            Disk::Given(_) => None,
        }
    }));
    for storage in storages {
        let known = asked.world.state().storages.get(&storage).map(|found| found.holds("rootdir"));
        match known {
            None => return Err(Refusal::died(format!("storage '{storage}' does not exist"))),
            Some(false) => {
                return Err(Refusal::died(format!("storage '{storage}' does not support container directories")));
            }
            Some(true) => asked.demand(&format!("/storage/{storage}"), "Datastore.AllocateSpace")?,
        }
    }
    free(asked, vmid, over, "")?;
    reserve(asked, vmid, Kind::Lxc, "")?;
    let wanted = create::Wanted { vmid, given: asked.params.clone(), over: over && asked.world.guests.exists(vmid) };
    let kind = if restore { "vzrestore" } else { "vzcreate" };
    Ok(asked.task(kind, &vmid.to_string(), move |run| create::container(run, wanted)).into())
}

/// Takes the id under the same lock that looks whether it is free, so that of several callers one wins.
pub(super) fn reserve(asked: &Asked, vmid: u32, kind: Kind, prefix: &str) -> Result<(), Refusal> {
    let now = asked.world.clock.now();
    asked.world.change(|state| {
        let over = asked.flag("restore") && asked.flag("force");
        if let Some(known) = state.guests.get(&vmid).filter(|_| !over) {
            return Err(Refusal::died(format!(
                "{prefix}{} {vmid} already exists on node '{}'",
                known.kind.short(),
                known.node
            )));
        }
        let mut guest = Guest::new(vmid, kind, &asked.node, now);
        guest.config.insert("lock".to_owned(), json!("create"));
        state.guests.insert(vmid, guest);
        if let Some(pool) = asked.text("pool").and_then(|pool| state.pools.get_mut(&pool)) {
            pool.guests.push(vmid);
        }
        Ok(())
    })
}

pub(super) fn remove(asked: &Asked, kind: Kind) -> Answer {
    let (vmid, force, purge) = (asked.vmid(), asked.flag("force"), asked.flag("purge"));
    asked.guest(kind, vmid, |guest| {
        if guest.flag("protection") {
            return Err(Refusal::died(format!("can't remove {} {vmid} - protection mode enabled", kind.short())));
        }
        guest.unlocked()?;
        match (guest.running(), kind) {
            (true, Kind::Lxc) if !force => {
                Err(Refusal::died(format!("unable to destroy CT {vmid} - container is running")))
            }
            (true, Kind::Qemu) => Err(Refusal::died(format!("VM {vmid} is running - destroy failed"))),
            _ => Ok(()),
        }
    })?;
    let task = if kind == Kind::Lxc { "vzdestroy" } else { "qmdestroy" };
    Ok(asked.task(task, &vmid.to_string(), move |run| destroy::destroy(run, kind, vmid, force, purge)).into())
}

fn grow(asked: &Asked) -> Answer {
    let (vmid, key, size) = (asked.vmid(), asked.need("disk"), asked.need("size"));
    asked.guest(Kind::Lxc, vmid, |guest| {
        guest.unlocked()?;
        guest.same_digest(asked.text("digest").as_deref())?;
        let Some(value) = guest.text(&key) else {
            let errors = [("volume".to_owned(), "property is missing and it is not optional".to_owned())];
            return Err(Refusal { status: 500, message: "format error".to_owned(), errors: errors.into() });
        };
        let (_, current) = config::volume(value);
        match resize::target(current, &size) {
            Some(size) if size < current => Err(Refusal::died("unable to shrink disk size")),
            _ => Ok(()),
        }
    })?;
    Ok(asked.task("resize", &vmid.to_string(), move |run| resize::resize(run, Kind::Lxc, vmid, key, size)).into())
}

pub(super) fn copy(asked: &Asked, kind: Kind) -> Answer {
    let from = asked.vmid();
    let to = asked.number("newid").and_then(|id| u32::try_from(id).ok()).unwrap_or_default();
    asked.guest(kind, from, Guest::unlocked)?;
    free(asked, to, false, "")?;
    asked.guest(kind, from, |guest| {
        if kind == Kind::Lxc && guest.running() && asked.text("snapname").is_none() {
            return Err(Refusal::died("Full clone of a running container is only possible from a snapshot"));
        }
        if let Some(name) = asked.text("snapname").filter(|name| !guest.snapshots.iter().any(|kept| kept.name == *name))
        {
            return Err(Refusal::died(format!("snapshot '{name}' does not exist")));
        }
        Ok(())
    })?;
    reserve(asked, to, kind, "")?;
    let wanted = clone::Wanted {
        from,
        to,
        snapshot: asked.text("snapname"),
        name: asked.text(if kind == Kind::Lxc { "hostname" } else { "name" }),
        description: asked.text("description"),
        storage: asked.text("storage"),
    };
    let task = if kind == Kind::Lxc { "vzclone" } else { "qmclone" };
    Ok(asked.task(task, &from.to_string(), move |run| clone::clone(run, kind, wanted)).into())
}

pub(super) fn template(asked: &Asked, kind: Kind) -> Answer {
    let vmid = asked.vmid();
    asked.guest(kind, vmid, |guest| {
        guest.unlocked()?;
        if guest.running() {
            let what = if kind == Kind::Lxc { "CT" } else { "VM" };
            return Err(Refusal::died(format!("you can't convert a {what} to template if the {what} is running")));
        }
        Ok(())
    })?;
    asked.world.change(|state| {
        if let Some(guest) = state.guests.get_mut(&vmid) {
            guest.config.insert("template".to_owned(), json!(1));
        }
    });
    Ok(Value::Null.into())
}

pub(super) fn migrate(asked: &Asked, kind: Kind) -> Answer {
    let (vmid, target) = (asked.vmid(), asked.need("target"));
    if target == asked.node {
        return Err(Refusal::parameter("target", "target is local node."));
    }
    if !asked.world.state().nodes.contains_key(&target) {
        return Err(Refusal::died(format!("no such cluster node '{target}'")));
    }
    asked.guest(kind, vmid, |guest| {
        guest.unlocked()?;
        if kind == Kind::Lxc && guest.running() && !asked.flag("restart") {
            return Err(Refusal::died("can't migrate running container without --online or --restart"));
        }
        Ok(())
    })?;
    let task = if kind == Kind::Lxc { "vzmigrate" } else { "qmigrate" };
    let upid = asked.task(task, &vmid.to_string(), move |run| async move {
        let _held = run.lock(kind, vmid).await?;
        run.log(format!("starting migration of {} {vmid} to node '{target}'", kind.short()));
        run.work().await;
        run.world.change(|state| {
            if let Some(guest) = state.guests.get_mut(&vmid) {
                guest.node.clone_from(&target);
            }
            for volume in state
                .volumes
                .iter_mut()
                .filter(|volume| volume.vmid == Some(vmid) && volume.content != "backup" && volume.node.is_some())
            {
                volume.node = Some(target.clone());
            }
        });
        run.log("migration finished successfully");
        Ok(())
    });
    Ok(upid.into())
}
