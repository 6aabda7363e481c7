//! The files of a guest: a private layer (all of `/` but `/usr`, and what was written below `/usr`) over the host's read-only userland.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::error::GuestError;
use super::files;
use super::isolation::{FIRST_ID, Isolation, Mode};
use super::sandbox::{Boot, Interface};
use super::{Fresh, Guests, root, standins};

impl Guests {
    /// Lays a fresh root file system out in `dir`.
    pub(super) async fn make(&self, dir: &Path, fresh: &Fresh) -> Result<(), GuestError> {
        let isolation = self.inner.isolation.clone();
        let lower = self.lower(fresh.os.family()).await?;
        let fresh = fresh.clone();
        // A half-made directory must not look like a container: it gets its name last, and not from the thread, which goes
        // on when the task is stopped: by then the number may be another container's.
        let making = dir.with_extension(format!("making-{}", random_name()));
        let work = making.clone();
        let made = tokio::task::spawn_blocking(move || {
            root::bare(&work, &fresh, isolation.as_ref())?;
            fs::remove_file(work.join("lower")).or_else(|_| fs::remove_dir_all(work.join("lower")))?;
            symlink(lower, work.join("lower"))
        })
        .await
        .map_err(io::Error::other)
        .flatten()
        .and_then(|()| fs::rename(&making, dir));
        if made.is_err() {
            files::remove_now(self.inner.isolation.as_ref(), &making);
        }
        made.map_err(|e| GuestError::io("lay out a root file system", e))
    }

    /// The layer that all guests of a family share: the stand-ins, and the upper directories of `/usr` in the guests' own name, so that
    /// their root may write there.
    pub(super) async fn lower(&self, family: &'static str) -> Result<std::path::PathBuf, GuestError> {
        let _turn = self.inner.layers.lock().await;
        let isolation = self.inner.isolation.clone();
        let path = self.inner.dir.join("base").join(format!("{family}-{}", standins::mark()));
        let made = path.clone();
        tokio::task::spawn_blocking(move || {
            if made.exists() {
                return Ok(());
            }
            let making = made.with_extension(format!("making-{}", random_name()));
            standins::lay_out(&making, family, isolation.is_some())?;
            own(&making, isolation.as_ref())?;
            fs::rename(&making, &made)
        })
        .await
        .map_err(io::Error::other)
        .flatten()
        .map_err(|e| GuestError::io("lay out the shared layer", e))?;
        Ok(path)
    }
}

/// Names for unfinished directories only have to differ within one process and from those of a dead one.
pub(super) fn random_name() -> String {
    use rand::RngExt;
    format!("{:016x}", rand::rng().random::<u64>())
}

/// Gives a tree to the guests' root.
pub(super) fn own(path: &Path, isolation: Option<&Isolation>) -> io::Result<()> {
    if isolation.is_none_or(|isolation| isolation.mode != Mode::Root) {
        return Ok(());
    }
    std::os::unix::fs::lchown(path, Some(FIRST_ID), Some(FIRST_ID))?;
    if path.symlink_metadata()?.is_dir() {
        for entry in fs::read_dir(path)? {
            own(&entry?.path(), isolation)?;
        }
    }
    Ok(())
}

/// One line an interface: its name, its hardware address, its addresses.
pub(super) fn interface_lines(interfaces: &[Interface]) -> String {
    interfaces.iter().map(|i| format!("{} {} {}\n", i.name, i.mac, i.addresses.join(" "))).collect()
}

/// What a boot starts from: an empty `/run`, the hostname in its files, the interfaces that commands will show.
pub(super) async fn clean_boot(dir: &Path, isolation: &Isolation, boot: &Boot) -> Result<(), GuestError> {
    let run = dir.join("boot/run");
    files::remove(Some(isolation), &run).await?;
    let (isolation, boot) = (isolation.clone(), boot.clone());
    tokio::task::spawn_blocking(move || {
        for part in ["lock", "sim/units", "sim/ports", "systemd/system", "user"] {
            fs::create_dir_all(run.join(part))?;
        }
        fs::set_permissions(run.join("lock"), fs::Permissions::from_mode(0o1777))?;
        fs::write(run.join("sim/net"), interface_lines(&boot.interfaces))?;
        fs::write(run.join("sim/hostname"), &boot.hostname)?;
        fs::write(run.join("sim/memory"), boot.memory_mib.to_string())?;
        own(&run, Some(&isolation))
    })
    .await
    .map_err(io::Error::other)
    .flatten()
    .map_err(|e| GuestError::io("clear /run", e))
}

/// Gives one directory and what is in it to the guests' root.
pub(super) fn give(path: &Path, isolation: Option<&Isolation>) -> Result<(), GuestError> {
    own(path, isolation).map_err(|e| GuestError::io("hand a directory over", e))
}

/// What a node has beside a plain root file system.
pub(super) fn node_files(dir: &Path, isolation: Option<&Isolation>) -> Result<(), GuestError> {
    let usr = dir.join("layer/usr");
    let lay = || {
        for part in ["bin", "sbin"] {
            fs::create_dir_all(usr.join(part))?;
        }
        if usr.join("sbin/pct").symlink_metadata().is_err() {
            symlink("/run/pct/pct", usr.join("sbin/pct"))?;
        }
        fs::write(
            usr.join("bin/pveversion"),
            "#!/bin/sh\necho 'pve-manager/9.1.7/0000000000000000 (running kernel: 6.17.0-simulated-pve)'\n",
        )?;
        fs::set_permissions(usr.join("bin/pveversion"), fs::Permissions::from_mode(0o755))?;
        own(&usr, isolation)
    };
    lay().map_err(|e: io::Error| GuestError::io("lay out a node", e))
}
