//! One server process and its directory. A small shell waits on a pipe beside it: when we are gone, however we
//! went, the pipe closes and the shell ends the server and removes the directory.

use std::{
    fs::{File, OpenOptions, Permissions},
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use super::last_words;

const PATIENCE: Duration = Duration::from_secs(60);
const REAPER: &str = r#"trap '' INT TERM HUP
read -r _
[ -s "$1/pid" ] && kill -KILL "$(cat "$1/pid")" 2>/dev/null
i=0; while [ -e "$1" ] && [ $i -lt 50 ]; do rm -rf "$1" 2>/dev/null; i=$((i+1)); [ -e "$1" ] && sleep 0.1; done"#;

#[derive(Debug)]
pub(super) struct Process {
    name: &'static str,
    child: Option<Child>,
    reaper: Child,
    dir: TempDir,
}

impl Process {
    pub(super) fn new(name: &'static str) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix(&format!("gantry-{name}-")).tempdir()?;
        // A server that runs as another user must get through to its part.
        std::fs::set_permissions(dir.path(), Permissions::from_mode(0o711))?;
        let reaper = Command::new("sh")
            .args(["-c", REAPER, "reaper"])
            .arg(dir.path())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("starting a shell")?;
        Ok(Self { name, child: None, reaper, dir })
    }

    pub(super) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Starts what `command` makes until `ready` says so. A server that ends at once is started again: its port may
    /// have been taken meanwhile, or its predecessor's children may not be gone yet.
    pub(super) fn start(&mut self, command: impl Fn() -> Result<Command>, ready: impl Fn() -> bool) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        self.launch(&mut command()?)?;
        while !ready() || self.has_ended() {
            if Instant::now() > deadline {
                bail!("{} doesn't start; it said:\n{}", self.name, last_words(&self.dir().join("log")));
            }
            pause();
            if self.has_ended() {
                self.launch(&mut command()?)?;
            }
        }
        Ok(())
    }

    fn launch(&mut self, command: &mut Command) -> Result<()> {
        let log = OpenOptions::new().create(true).append(true).open(self.dir().join("log"))?;
        let child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(File::try_clone(&log)?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("starting {}", self.name))?;
        std::fs::write(self.dir().join("pid"), child.id().to_string())?;
        self.child = Some(child);
        Ok(())
    }

    fn has_ended(&mut self) -> bool {
        self.child.as_mut().is_none_or(|child| !matches!(child.try_wait(), Ok(None)))
    }

    pub(super) fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    pub(super) fn signal(&self, signal: &str) {
        if let Some(child) = &self.child {
            let _ = Command::new("sh")
                .args(["-c", "kill -s \"$1\" \"$2\"", "kill", signal])
                .arg(child.id().to_string())
                .status();
        }
    }

    /// Asks the server to end, and makes it when it doesn't.
    pub(super) fn stop(&mut self, signal: &str) {
        self.signal(signal);
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.has_ended() && Instant::now() < deadline {
            pause();
        }
        self.kill();
    }

    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = std::fs::remove_file(self.dir().join("pid"));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        drop(self.reaper.stdin.take());
        let _ = self.reaper.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "another program gets ready, and has no way to tell us")]
fn pause() {
    std::thread::sleep(Duration::from_millis(10));
}
