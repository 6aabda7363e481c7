//! How commands are kept away from this machine, found out once by really doing it.

use std::path::{Path, PathBuf};

use super::error::GuestError;
use super::os::Os;
use super::sandbox::{Boot, Sandbox};
use super::{Fresh, root};

/// The first of the ids that a guest's users have outside, and how many there are, when the simulator runs as root.
pub(crate) const FIRST_ID: u32 = 200_000;
pub(crate) const IDS: u32 = 65_536;

/// The way in which this machine lets us make namespaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Isolation {
    pub(crate) mode: Mode,
    pub(crate) tools: Tools,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Real root, which maps a whole range of unprivileged ids into each guest.
    Root,
    /// An ordinary user, mapped to the guest's root; the guest has no other ids.
    User,
}

/// Absolute paths, so that nobody's PATH changes what runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tools {
    pub(crate) unshare: PathBuf,
    pub(crate) nsenter: PathBuf,
    pub(crate) prlimit: PathBuf,
    pub(crate) setpriv: PathBuf,
}

impl Isolation {
    /// Boots a throw-away guest below `dir` and asks it a question.
    pub(crate) async fn probe(dir: &Path) -> Result<Self, GuestError> {
        if !cfg!(target_os = "linux") {
            return Err(GuestError::NoIsolation("it is not Linux".to_owned()));
        }
        let tools = Tools {
            unshare: tool("unshare")?,
            nsenter: tool("nsenter")?,
            prlimit: tool("prlimit")?,
            setpriv: tool("setpriv")?,
        };
        let mode = if is_root() { Mode::Root } else { Mode::User };
        let isolation = Self { mode, tools };
        let trial = tempfile::Builder::new()
            .prefix("probe-")
            .tempdir_in(dir)
            .map_err(|e| GuestError::io("make a directory for the probe", e))?
            .keep();
        let answer = isolation.try_in(&trial).await;
        super::files::remove_now(Some(&isolation), &trial);
        match answer {
            Ok(()) => Ok(isolation),
            Err(error) => Err(GuestError::NoIsolation(error.to_string())),
        }
    }

    async fn try_in(&self, dir: &Path) -> Result<(), GuestError> {
        let fresh =
            Fresh { os: Os::default(), hostname: "probe".to_owned(), root_password: None, ssh_keys: Vec::new() };
        root::bare(dir, &fresh, Some(self)).map_err(|e| GuestError::io("lay out the probe", e))?;
        let sandbox = std::sync::Arc::new(Sandbox::new("probe", dir.to_path_buf(), Some(self.clone())));
        sandbox.start(&Boot { hostname: "probe".to_owned(), ..Boot::default() }).await?;
        let output = sandbox
            .command(&[
                "/bin/sh".into(),
                "-c".into(),
                "test $$ -lt 100 && : > /usr/written && test ! -e /work && echo apart".into(),
            ])?
            .output()
            .await;
        sandbox.stop().await?;
        let output = output.map_err(|e| GuestError::io("run a command in the probe", e))?;
        if output.stdout == b"apart\n" {
            return Ok(());
        }
        Err(GuestError::Tool {
            what: "a command in the probe".to_owned(),
            said: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        })
    }
}

pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0)
}

fn tool(name: &str) -> Result<PathBuf, GuestError> {
    ["/usr/bin", "/bin", "/usr/sbin", "/sbin"]
        .iter()
        .map(|dir| Path::new(dir).join(name))
        .find(|path| path.is_file())
        .ok_or_else(|| GuestError::NoIsolation(format!("the command {name} of util-linux is missing")))
}
