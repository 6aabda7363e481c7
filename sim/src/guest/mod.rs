//! What runs in the simulated containers: a root file system and namespaces for each, `pct`, and the SSH server of the nodes.
//!
//! The host's userland is shown read-only below a private writable layer; scripts run in namespaces of their own, without network.
//! Where the kernel does not allow that, nothing is ever run: [`Guests::open`] says why, and only [`Shell::Dry`] goes on.

mod copies;
mod error;
mod files;
mod isolation;
mod layers;
mod node;
mod os;
pub mod pct;
mod ports;
mod root;
mod sandbox;
pub mod ssh;
mod standins;
mod streams;
pub(crate) mod terminal;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub use copies::Snapshot;
pub use error::GuestError;
pub use isolation::Isolation;
pub use node::Node;
pub use os::Os;
pub use ports::OpenPort;
use sandbox::Sandbox;
pub use sandbox::{Boot, Interface};

/// Whether commands really run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// In namespaces, or not at all.
    Run,
    /// Never: each command is echoed as not run.
    Dry,
}

/// What a fresh root file system is made of.
#[derive(Clone, Debug)]
pub struct Fresh {
    pub os: Os,
    pub hostname: String,
    pub root_password: Option<String>,
    pub ssh_keys: Vec<String>,
}

/// All containers of one simulated cluster, by VMID, and the shells of its nodes.
#[derive(Clone)]
pub struct Guests {
    inner: Arc<Inner>,
}

struct Inner {
    dir: PathBuf,
    temporary: bool,
    isolation: Option<Isolation>,
    sandboxes: Mutex<HashMap<String, Arc<Sandbox>>>,
    layers: tokio::sync::Mutex<()>,
}

impl Guests {
    /// Opens (or makes) the guests kept in `dir`; without one they live in a temporary directory that goes with the last handle.
    ///
    /// # Errors
    /// With [`Shell::Run`], when this machine does not allow the namespaces that keep scripts away from it.
    pub async fn open(dir: Option<&Path>, shell: Shell) -> Result<Self, GuestError> {
        let temporary = dir.is_none();
        let dir = match dir {
            Some(dir) => dir.to_path_buf(),
            None => tempfile::Builder::new()
                .prefix("gantry-sim-")
                .tempdir()
                .map_err(|e| GuestError::io("make a temporary directory", e))?
                .keep(),
        };
        for part in ["guests", "nodes", "base"] {
            std::fs::create_dir_all(dir.join(part))
                .map_err(|e| GuestError::io("make the simulator's directories", e))?;
        }
        let dir = dir.canonicalize().map_err(|e| GuestError::io("find the simulator's directory", e))?;
        // What a killed simulator left half done; its guests themselves ended with it.
        for part in [dir.clone(), dir.join("guests"), dir.join("nodes"), dir.join("base")] {
            files::remove_unfinished(&part);
        }
        let isolation = match shell {
            Shell::Dry => None,
            Shell::Run => Some(Isolation::probe(&dir).await?),
        };
        Ok(Self {
            inner: Arc::new(Inner {
                dir,
                temporary,
                isolation,
                sandboxes: Mutex::default(),
                layers: tokio::sync::Mutex::default(),
            }),
        })
    }

    /// How commands are kept apart from this machine; none when they are not run at all.
    #[must_use]
    pub fn isolation(&self) -> Option<&Isolation> {
        self.inner.isolation.as_ref()
    }

    /// Whether a container with this id has files here.
    #[must_use]
    pub fn exists(&self, vmid: u32) -> bool {
        self.guest_dir(vmid).is_dir()
    }

    /// Makes the root file system of a new container.
    ///
    /// # Errors
    /// When the id has files already, or the disk does not take them.
    pub async fn create(&self, vmid: u32, fresh: &Fresh) -> Result<(), GuestError> {
        let dir = self.guest_dir(vmid);
        if dir.exists() {
            return Err(GuestError::Exists(vmid));
        }
        self.make(&dir, fresh).await
    }

    /// Boots a container: from here on commands run in it. Starting a running one changes nothing.
    ///
    /// # Errors
    /// When it does not exist or the kernel refuses.
    pub async fn start(&self, vmid: u32, boot: &Boot) -> Result<(), GuestError> {
        self.known(vmid)?.start(boot).await
    }

    /// Ends every process of a container and returns when they are gone. Stopping a stopped one changes nothing.
    ///
    /// # Errors
    /// When its processes do not go.
    pub async fn stop(&self, vmid: u32) -> Result<(), GuestError> {
        match self.known(vmid) {
            Ok(sandbox) => sandbox.stop().await,
            Err(_) => Ok(()),
        }
    }

    /// Removes a container with its files and snapshots. Removing an unknown one changes nothing.
    ///
    /// # Errors
    /// When files cannot be removed.
    pub async fn destroy(&self, vmid: u32) -> Result<(), GuestError> {
        self.stop(vmid).await?;
        self.sandboxes().remove(&vmid.to_string());
        self.remove(&self.guest_dir(vmid)).await
    }

    /// Whether its processes are there.
    #[must_use]
    pub fn is_running(&self, vmid: u32) -> bool {
        self.known(vmid).is_ok_and(|sandbox| sandbox.is_running())
    }

    /// Returns when a container is not running (any more), for instance because it powered itself off.
    pub async fn stopped(&self, vmid: u32) {
        if let Ok(sandbox) = self.known(vmid) {
            sandbox.stopped().await;
        }
    }

    /// From now on (or no longer) every write of a command that is started in it meets a full disk.
    ///
    /// # Errors
    /// When it does not exist.
    pub fn fill_disk(&self, vmid: u32, full: bool) -> Result<(), GuestError> {
        self.known(vmid)?.fill_disk(full);
        Ok(())
    }

    /// A command to run in a running container: streams are the caller's to set, killing it kills the command in the guest.
    ///
    /// # Errors
    /// When it is not running, or commands are not run at all.
    pub fn command(&self, vmid: u32, argv: &[std::ffi::OsString]) -> Result<tokio::process::Command, GuestError> {
        self.known(vmid)?.command(argv)
    }

    /// Holds the lock of the guest's package manager for a while, as an unattended upgrade would.
    ///
    /// # Errors
    /// When it is not running.
    pub async fn lock_packages(&self, vmid: u32, seconds: u32) -> Result<(), GuestError> {
        let line = format!(
            "rm -f /run/sim/locked; setsid flock /var/lib/dpkg/lock-frontend sh -c ': > /run/sim/locked; exec sleep {seconds}' </dev/null >/dev/null 2>&1 & until [ -e /run/sim/locked ]; do sleep 0.01; done"
        );
        self.tell(vmid, &line, b"").await
    }

    /// From now on `curl` and `wget` in a guest answer a URL with these bytes.
    ///
    /// # Errors
    /// When it is not running.
    pub async fn fixture(&self, vmid: u32, url: &str, content: &[u8]) -> Result<(), GuestError> {
        let line = format!(
            "mkdir -p /var/lib/sim/fixtures; f=$(mktemp /var/lib/sim/fixtures/XXXXXX); cat > $f; echo '{} '$f >> /var/lib/sim/fixtures/index",
            url.replace('\'', "%27")
        );
        self.tell(vmid, &line, content).await
    }

    /// Changes what `ip` and `hostname -I` show in a running guest.
    ///
    /// # Errors
    /// When it is not running.
    pub async fn set_interfaces(&self, vmid: u32, interfaces: &[Interface]) -> Result<(), GuestError> {
        self.tell(vmid, "cat > /run/sim/net", layers::interface_lines(interfaces).as_bytes()).await
    }

    /// Sets the password of the guest's root.
    ///
    /// # Errors
    /// When it is not running.
    pub async fn set_password(&self, vmid: u32, password: &str) -> Result<(), GuestError> {
        self.tell(vmid, "chpasswd", format!("root:{password}\n").as_bytes()).await
    }

    /// Runs a line in a guest: whatever is written there is written with the guest's own rights and in its own root, so that no link
    /// that it made leads out.
    async fn tell(&self, vmid: u32, line: &str, input: &[u8]) -> Result<(), GuestError> {
        use tokio::io::AsyncWriteExt;
        let mut command = self.command(vmid, &["/bin/sh".into(), "-c".into(), line.into()])?;
        let io = |e| GuestError::io("run a command in a guest", e);
        let piped = std::process::Stdio::piped;
        let mut child = command.stdin(piped()).stdout(piped()).stderr(piped()).spawn().map_err(io)?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input).await.map_err(io)?;
        }
        let output = child.wait_with_output().await.map_err(io)?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(GuestError::Tool { what: "a command in a guest".to_owned(), said })
    }

    fn guest_dir(&self, vmid: u32) -> PathBuf {
        self.inner.dir.join("guests").join(vmid.to_string())
    }

    fn known(&self, vmid: u32) -> Result<Arc<Sandbox>, GuestError> {
        let dir = self.guest_dir(vmid);
        if !dir.is_dir() {
            return Err(GuestError::Unknown(vmid));
        }
        Ok(self.sandbox(&vmid.to_string(), dir))
    }

    fn sandbox(&self, name: &str, dir: PathBuf) -> Arc<Sandbox> {
        self.sandboxes()
            .entry(name.to_owned())
            .or_insert_with(|| Arc::new(Sandbox::new(name, dir, self.inner.isolation.clone())))
            .clone()
    }

    fn sandboxes(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Sandbox>>> {
        self.inner.sandboxes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops every container and shell.
    pub async fn close(&self) {
        let all: Vec<_> = self.sandboxes().values().cloned().collect();
        for sandbox in all {
            if let Err(error) = sandbox.stop().await {
                tracing::warn!(%error, "a simulated guest did not stop");
            }
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Closing the life lines ends the guests' processes; only then can their files go.
        let keepers: Vec<_> =
            self.sandboxes.lock().unwrap_or_else(PoisonError::into_inner).drain().map(|(_, s)| s).collect();
        for sandbox in keepers {
            sandbox.let_go();
        }
        if self.temporary {
            files::remove_now(self.isolation.as_ref(), &self.dir);
        }
    }
}
