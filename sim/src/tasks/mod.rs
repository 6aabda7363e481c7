//! What tasks do, once they run.

pub(crate) mod backup;
pub(crate) mod clone;
pub(crate) mod create;
pub(crate) mod destroy;
pub(crate) mod images;
pub(crate) mod power;
pub(crate) mod qemu;
pub(crate) mod resize;
pub(crate) mod snapshot;

use crate::guest::GuestError;
use crate::model::guest::{Guest, Kind};
use crate::model::run::Run;

/// Reads a guest in a task, or fails as the task does when it is gone or another kind.
pub(crate) fn look<T>(
    run: &Run,
    kind: Kind,
    vmid: u32,
    look: impl FnOnce(&Guest) -> Result<T, String>,
) -> Result<T, String> {
    let state = run.world.state();
    match state.guests.get(&vmid).filter(|guest| guest.kind == kind) {
        Some(guest) => look(guest),
        None => Err(kind.missing(&run.node, vmid)),
    }
}

pub(crate) fn unlocked(run: &Run, kind: Kind, vmid: u32) -> Result<(), String> {
    look(run, kind, vmid, |guest| guest.unlocked().map_err(|refusal| refusal.message))
}

pub(crate) fn set_lock(run: &Run, vmid: u32, lock: Option<&str>) {
    run.world.change(|state| {
        if let Some(guest) = state.guests.get_mut(&vmid) {
            match lock {
                Some(lock) => guest.config.insert("lock".to_owned(), lock.into()),
                None => guest.config.remove("lock"),
            };
        }
    });
}

/// A failure of the simulated container itself, which has no counterpart's words.
#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
pub(crate) fn sandbox(error: GuestError) -> String {
    format!("simulator: {error}")
}
