//! The shell of a simulated node: a sandbox like a container's, with `pct` on its PATH.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::GuestError;
use super::pct::{Files, Model, Pct, Relay};
use super::sandbox::{Boot, Sandbox};
use super::{Fresh, Guests, Os, layers, terminal};

/// A node that commands can be sent to.
pub struct Node {
    name: String,
    guests: Guests,
    model: Arc<dyn Model>,
    /// None where commands are not run.
    shell: Option<(Arc<Sandbox>, Relay)>,
}

impl Guests {
    /// Boots a node's shell. It ends with [`Guests::close`], or when the last handle is dropped.
    ///
    /// # Errors
    /// When its files cannot be laid out or the kernel refuses.
    pub async fn node(&self, name: &str, model: Arc<dyn Model>) -> Result<Node, GuestError> {
        let mut node = Node { name: name.to_owned(), guests: self.clone(), model, shell: None };
        if self.isolation().is_none() {
            return Ok(node);
        }
        let dir = self.inner.dir.join("nodes").join(name);
        if !dir.is_dir() {
            self.make(
                &dir,
                &Fresh {
                    os: Os { id: "debian".to_owned(), version: "13".to_owned() },
                    hostname: name.to_owned(),
                    root_password: None,
                    ssh_keys: Vec::new(),
                },
            )
            .await?;
        }
        let sandbox = self.sandbox(name, dir.clone());
        let boot = Boot { hostname: name.to_owned(), memory_mib: 4096, processes: 4096, interfaces: Vec::new() };
        layers::node_files(&dir, self.isolation())?;
        sandbox.start(&boot).await?;
        let control = sandbox.run_dir().join("pct");
        let relay = Relay::start(
            node.pct(),
            Files::Node(sandbox.clone()),
            &control,
            Path::new("/run/pct"),
            &control.join("pct"),
        )?;
        layers::give(&control, self.isolation())?;
        node.shell = Some((sandbox, relay));
        Ok(node)
    }
}

impl Node {
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A command line, to be read by the node's shell; none where commands are not run.
    ///
    /// # Errors
    /// When the node's shell is down.
    pub fn command(&self, line: &[u8]) -> Result<Option<tokio::process::Command>, GuestError> {
        use std::os::unix::ffi::OsStringExt;
        let Some((sandbox, _)) = &self.shell else { return Ok(None) };
        let argv = ["/bin/sh".into(), "-c".into(), OsString::from_vec(line.to_vec())];
        sandbox.command(&argv).map(Some)
    }

    /// The same for somebody who sits at a terminal.
    pub(super) fn terminal(&self, line: &[u8]) -> Result<Option<tokio::process::Command>, GuestError> {
        use std::os::unix::ffi::OsStringExt;
        let Some((sandbox, _)) = &self.shell else { return Ok(None) };
        sandbox.command(&terminal::controlling(OsString::from_vec(line.to_vec()))).map(Some)
    }

    /// Writes a `pct` for this node that works outside of its sandbox, for a real sshd: put its directory first in that sshd's PATH.
    /// It answers until the relay is dropped.
    ///
    /// # Errors
    /// When commands are not run here, or its files cannot be written.
    pub fn pct_outside(&self) -> Result<Relay, GuestError> {
        if self.shell.is_none() {
            return Err(GuestError::Dry);
        }
        let dir: PathBuf = self.guests.inner.dir.join("nodes").join(&self.name).join("outside");
        let bin = dir.join("bin");
        std::fs::create_dir_all(&bin).map_err(|e| GuestError::io("make a directory for pct", e))?;
        let control = dir.join("control");
        Relay::start(self.pct(), Files::Here, &control, &control, &bin.join("pct"))
    }

    fn pct(&self) -> Arc<Pct> {
        Arc::new(Pct { guests: self.guests.clone(), node: self.name.clone(), model: self.model.clone() })
    }
}
