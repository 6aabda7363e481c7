//! Snapshots, clones and backups: copies of the private layer.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::error::GuestError;
use super::{Guests, Shell, files};

/// A state that a container can be brought back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub name: String,
}

impl Guests {
    /// Keeps the files of a container as they are.
    ///
    /// # Errors
    /// When it does not exist, the name is taken, or the files cannot be copied.
    pub async fn snapshot(&self, vmid: u32, name: &str) -> Result<(), GuestError> {
        self.known(vmid)?;
        let kept = self.snapshot_dir(vmid, name)?;
        if kept.exists() {
            return Err(GuestError::SnapshotExists(name.to_owned()));
        }
        self.copy(&self.guest_dir(vmid).join("layer"), &kept).await
    }

    /// Brings the files of a container back, stopping it first.
    ///
    /// # Errors
    /// When there is no such container or snapshot, or the files cannot be copied.
    pub async fn rollback(&self, vmid: u32, name: &str) -> Result<(), GuestError> {
        self.known(vmid)?.stop().await?;
        let kept = self.snapshot_dir(vmid, name)?;
        if !kept.is_dir() {
            return Err(GuestError::NoSnapshot(name.to_owned()));
        }
        let dir = self.guest_dir(vmid);
        let back = dir.join("back");
        self.remove(&back).await?;
        self.copy(&kept, &back).await?;
        self.remove(&dir.join("layer")).await?;
        std::fs::rename(&back, dir.join("layer")).map_err(|e| GuestError::io("put the snapshot in place", e))?;
        // The overlay's scratch space belongs to the layer it was made with.
        self.remove(&dir.join("work")).await?;
        std::fs::create_dir(dir.join("work")).map_err(|e| GuestError::io("make the overlay's scratch space", e))
    }

    /// Forgets a snapshot. Forgetting an unknown one changes nothing.
    ///
    /// # Errors
    /// When files cannot be removed.
    pub async fn delete_snapshot(&self, vmid: u32, name: &str) -> Result<(), GuestError> {
        self.remove(&self.snapshot_dir(vmid, name)?).await
    }

    /// What is kept of a container.
    #[must_use]
    pub fn snapshots(&self, vmid: u32) -> Vec<Snapshot> {
        let Ok(entries) = std::fs::read_dir(self.guest_dir(vmid).join("snapshots")) else { return Vec::new() };
        let mut all: Vec<_> = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .map(|name| Snapshot { name })
            .collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// Makes a new container with the files of another one, as they are or as a snapshot kept them.
    ///
    /// # Errors
    /// When the source is not there, the id is taken, or the files cannot be copied.
    pub async fn clone_guest(
        &self,
        from: u32,
        snapshot: Option<&str>,
        to: u32,
        hostname: &str,
    ) -> Result<(), GuestError> {
        self.known(from)?;
        let source = match snapshot {
            Some(name) => self.snapshot_dir(from, name)?,
            None => self.guest_dir(from).join("layer"),
        };
        if !source.is_dir() {
            return Err(GuestError::NoSnapshot(snapshot.unwrap_or_default().to_owned()));
        }
        let lower = std::fs::read_link(self.guest_dir(from).join("lower")).ok();
        self.assemble(to, lower, |layer| async move { self.copy(&source, &layer).await }).await?;
        self.rename_host(to, hostname)
    }

    /// Writes the files of a container into an archive.
    ///
    /// # Errors
    /// When it does not exist or the archive cannot be written.
    pub async fn backup(&self, vmid: u32, archive: &Path) -> Result<(), GuestError> {
        let dir = self.known(vmid).map(|_| self.guest_dir(vmid))?;
        let lower = std::fs::read_link(dir.join("lower")).ok();
        let family = lower
            .as_deref()
            .and_then(Path::file_name)
            .and_then(OsStr::to_str)
            .and_then(|name| name.split('-').next())
            .unwrap_or("debian");
        std::fs::write(dir.join("family"), family).map_err(|e| GuestError::io("note the family", e))?;
        let (archive, dir) = (archive.as_os_str(), dir.as_os_str());
        self.tool(
            "tar",
            &[
                "--xattrs".as_ref(),
                "--xattrs-include=*".as_ref(),
                "--numeric-owner".as_ref(),
                "--sparse".as_ref(),
                "-C".as_ref(),
                dir,
                "-cf".as_ref(),
                archive,
                "family".as_ref(),
                "layer".as_ref(),
            ],
        )
        .await
    }

    /// Makes a container from an archive. Its id must be free; to restore over one, destroy it first.
    ///
    /// # Errors
    /// When the id is taken or the archive cannot be read.
    pub async fn restore(&self, archive: &Path, vmid: u32) -> Result<(), GuestError> {
        if self.inner.isolation.is_none() {
            return self.assemble(vmid, None, |_| async { Ok(()) }).await;
        }
        let spare = tempfile::Builder::new()
            .prefix("restore-")
            .tempdir_in(&self.inner.dir)
            .map_err(|e| GuestError::io("make room for the archive", e))?
            .keep();
        let unpacked = self
            .tool(
                "tar",
                &[
                    "--xattrs".as_ref(),
                    "--xattrs-include=*".as_ref(),
                    "--numeric-owner".as_ref(),
                    "-p".as_ref(),
                    "-C".as_ref(),
                    spare.as_os_str(),
                    "-xf".as_ref(),
                    archive.as_os_str(),
                ],
            )
            .await;
        let placed = match unpacked {
            Ok(()) => {
                let family = match std::fs::read_to_string(spare.join("family")).as_deref() {
                    Ok("alpine") => "alpine",
                    Ok("rhel") => "rhel",
                    _ => "debian",
                };
                let lower = self.lower(family).await?;
                let layer = spare.join("layer");
                self.assemble(vmid, Some(lower), |to| async move {
                    std::fs::rename(layer, to).map_err(|e| GuestError::io("put the archive in place", e))
                })
                .await
            }
            Err(error) => Err(error),
        };
        self.remove(&spare).await?;
        placed
    }

    /// A new guest directory whose layer `fill` makes.
    async fn assemble<F: Future<Output = Result<(), GuestError>>>(
        &self,
        vmid: u32,
        lower: Option<PathBuf>,
        fill: impl FnOnce(PathBuf) -> F,
    ) -> Result<(), GuestError> {
        let dir = self.guest_dir(vmid);
        if dir.exists() {
            return Err(GuestError::Exists(vmid));
        }
        let making = dir.with_extension("making");
        self.remove(&making).await?;
        let prepared = (|| {
            for part in ["work", "boot/root", "boot/run", "snapshots"] {
                std::fs::create_dir_all(making.join(part))?;
            }
            match lower {
                Some(lower) => std::os::unix::fs::symlink(lower, making.join("lower")),
                None => std::fs::create_dir(making.join("lower")),
            }
        })();
        prepared.map_err(|e| GuestError::io("make a container's directories", e))?;
        if let Err(error) = fill(making.join("layer")).await {
            self.remove(&making).await?;
            return Err(error);
        }
        std::fs::rename(&making, &dir).map_err(|e| GuestError::io("put the container in place", e))
    }

    /// What Proxmox itself changes in the files when a container gets another name.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn rename_host(&self, vmid: u32, hostname: &str) -> Result<(), GuestError> {
        if self.inner.isolation.is_none() {
            return Ok(());
        }
        // A guest could have made /etc a link to elsewhere on this machine; then its name stays as it was.
        let etc = self.guest_dir(vmid).join("layer/rootfs/etc");
        let plain = |path: &Path, dir: bool| {
            path.symlink_metadata().is_ok_and(|meta| if dir { meta.is_dir() } else { meta.is_file() })
        };
        for (name, text) in [
            ("hostname", format!("{hostname}\n")),
            (
                "hosts",
                format!("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.1.1\t{hostname}\n"),
            ),
        ] {
            if plain(&etc, true) && plain(&etc.join(name), false) {
                std::fs::write(etc.join(name), text).map_err(|e| GuestError::io("name the container", e))?;
            }
        }
        Ok(())
    }

    fn snapshot_dir(&self, vmid: u32, name: &str) -> Result<PathBuf, GuestError> {
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
            return Err(GuestError::NoSnapshot(name.to_owned()));
        }
        Ok(self.guest_dir(vmid).join("snapshots").join(name))
    }

    async fn copy(&self, from: &Path, to: &Path) -> Result<(), GuestError> {
        let making = to.with_extension("making");
        self.remove(&making).await?;
        self.tool("cp", &["-a".as_ref(), "--reflink=auto".as_ref(), from.as_os_str(), making.as_os_str()]).await?;
        std::fs::rename(&making, to).map_err(|e| GuestError::io("put the copy in place", e))
    }

    pub(super) async fn remove(&self, path: &Path) -> Result<(), GuestError> {
        files::remove(self.inner.isolation.as_ref(), path).await
    }

    async fn tool(&self, program: &str, args: &[&OsStr]) -> Result<(), GuestError> {
        files::tool(self.inner.isolation.as_ref(), program, args).await
    }

    /// Whether commands run at all.
    #[must_use]
    pub fn shell(&self) -> Shell {
        if self.inner.isolation.is_some() { Shell::Run } else { Shell::Dry }
    }
}
