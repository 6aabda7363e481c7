//! One running machine: the namespaces, their keeper, and commands sent in.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{ChildStdin, Command};
use tokio::sync::{oneshot, watch};

use super::error::GuestError;
use super::isolation::{FIRST_ID, IDS, Isolation, Mode};

const LAUNCH: &str = include_str!("launch.sh");
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Where a command starts, and what stands for a program that is not there.
const ENTER: &str = r#"cd "$HOME" 2>/dev/null || cd /
command -v "$1" >/dev/null 2>&1 || { echo "lxc-attach: $0: ../src/lxc/attach.c: lxc_attach_run_command: 1841 No such file or directory - Failed to exec \"$1\"" >&2; exit 127; }
exec "$@""#;

/// The same where every write meets a full disk: overlays whose upper layer is a file system without a free block. They cover one
/// directory each, because the kernel refuses one over a tree that holds locked mounts.
const ENTER_FULL: &str = r#"full=/run/.full m=/usr/lib/gantry-sim/real/mount
[ -x $m ] || m=mount
mkdir -p $full && $m -t tmpfs -o size=256k,mode=755 full $full || exit 1
for d in etc home media mnt opt root srv tmp var usr/bin usr/lib usr/sbin usr/share usr/local; do
  n=$(echo $d | tr / -)
  mkdir $full/$n $full/$n.work
  $m -t overlay overlay -o "userxattr,lowerdir=/$d,upperdir=$full/$n,workdir=$full/$n.work" /$d || exit 1
done
dd if=/dev/zero of=$full/filled bs=4k count=128 2>/dev/null
exec /bin/sh -c "$ENTER" "$0" "$@""#;

/// What a machine is booted with.
#[derive(Clone, Debug)]
pub struct Boot {
    pub hostname: String,
    /// Bounds the data of each process, roughly as the container's memory and swap would.
    pub memory_mib: u64,
    /// Bounds the number of processes.
    pub processes: u32,
    /// What `ip` and `hostname -I` show beside the loopback.
    pub interfaces: Vec<Interface>,
}

#[derive(Clone, Debug)]
pub struct Interface {
    pub name: String,
    pub mac: String,
    /// `address/prefix`, IPv4 or IPv6.
    pub addresses: Vec<String>,
}

impl Default for Boot {
    fn default() -> Self {
        Self { hostname: "localhost".to_owned(), memory_mib: 512, processes: 512, interfaces: Vec::new() }
    }
}

pub(crate) struct Sandbox {
    name: String,
    dir: PathBuf,
    isolation: Option<Isolation>,
    /// Serialises start and stop.
    turn: tokio::sync::Mutex<()>,
    running: watch::Sender<bool>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    up: Option<Up>,
    disk_full: bool,
}

struct Up {
    init: u32,
    memory_mib: u64,
    processes: u32,
    life_line: Option<ChildStdin>,
    kill: Option<oneshot::Sender<()>>,
}

impl Sandbox {
    pub(crate) fn new(name: &str, dir: PathBuf, isolation: Option<Isolation>) -> Self {
        Self {
            name: name.to_owned(),
            dir,
            isolation,
            turn: tokio::sync::Mutex::default(),
            running: watch::Sender::new(false),
            state: Mutex::default(),
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        *self.running.borrow()
    }

    pub(crate) fn run_dir(&self) -> PathBuf {
        self.dir.join("boot/run")
    }

    /// The pid of the guest's init as this machine sees it.
    pub(crate) fn init(&self) -> Option<u32> {
        self.state().up.as_ref().map(|up| up.init)
    }

    pub(crate) async fn stopped(&self) {
        let mut running = self.running.subscribe();
        if running.wait_for(|running| !running).await.is_err() {
            tracing::debug!("the sandbox went before it stopped");
        }
    }

    pub(crate) fn fill_disk(&self, full: bool) {
        self.state().disk_full = full;
    }

    pub(crate) fn let_go(&self) {
        if let Some(up) = &mut self.state().up {
            up.life_line = None;
            if let Some(kill) = up.kill.take() {
                let _unheard = kill.send(());
            }
        }
    }

    pub(crate) async fn start(self: &std::sync::Arc<Self>, boot: &Boot) -> Result<(), GuestError> {
        let _turn = self.turn.lock().await;
        if self.is_running() {
            return Ok(());
        }
        let Some(isolation) = &self.isolation else {
            self.running.send_replace(true);
            return Ok(());
        };
        super::layers::clean_boot(&self.dir, isolation, boot).await?;
        let mut keeper = launcher(isolation, &self.dir, &boot.hostname)?
            .spawn()
            .map_err(|e| GuestError::io("start the namespaces", e))?;
        let life_line = keeper.stdin.take();
        let init = match ready(&mut keeper).await {
            Ok(init) => init,
            Err(error) => {
                drop(life_line);
                let _gone = keeper.kill().await;
                return Err(error);
            }
        };
        let (kill, killed) = oneshot::channel();
        self.state().up =
            Some(Up { init, memory_mib: boot.memory_mib, processes: boot.processes, life_line, kill: Some(kill) });
        self.running.send_replace(true);
        let this = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = keeper.wait() => {}
                Ok(()) = killed => { let _gone = keeper.kill().await; }
            }
            this.state().up = None;
            this.running.send_replace(false);
        });
        Ok(())
    }

    pub(crate) async fn stop(&self) -> Result<(), GuestError> {
        let _turn = self.turn.lock().await;
        if self.isolation.is_none() {
            self.running.send_replace(false);
            return Ok(());
        }
        if let Some(up) = &mut self.state().up {
            up.life_line = None;
        }
        if tokio::time::timeout(Duration::from_secs(3), self.stopped()).await.is_ok() {
            return Ok(());
        }
        self.let_go();
        tokio::time::timeout(Duration::from_secs(3), self.stopped()).await.map_err(|_| GuestError::Tool {
            what: format!("stopping {}", self.name),
            said: "its processes do not go".to_owned(),
        })
    }

    /// A command in the running machine. Dropping or killing it kills the command inside.
    pub(crate) fn command(&self, argv: &[OsString]) -> Result<Command, GuestError> {
        let Some(isolation) = &self.isolation else { return Err(GuestError::Dry) };
        let state = self.state();
        let up = state.up.as_ref().ok_or_else(|| GuestError::NotRunning(self.name.clone()))?;
        let tools = &isolation.tools;
        let mut command = Command::new(&tools.prlimit);
        command
            .arg(format!("--nproc={}", up.processes))
            .arg(format!("--data={}", up.memory_mib.max(64) << 20))
            .arg("--core=0");
        command.arg(&tools.nsenter).arg("--target").arg(up.init.to_string());
        command.args(["--user", "--mount", "--pid", "--uts", "--ipc", "--net"]);
        match isolation.mode {
            Mode::Root => command.args(["--setuid", "0", "--setgid", "0"]),
            Mode::User => command.arg("--preserve-credentials"),
        };
        // The command must not outlive the nsenter that waits for it.
        command.arg("--").arg(&tools.setpriv).args(["--pdeathsig", "KILL"]);
        command
            .env_clear()
            .env("PATH", PATH)
            .env("HOME", "/root")
            .env("USER", "root")
            .env("LOGNAME", "root")
            .env("SHELL", "/bin/bash")
            .env("container", "lxc");
        if isolation.mode == Mode::User {
            // The guest has no ids but root's, so an archive's owners cannot be restored.
            command.env("TAR_OPTIONS", "--no-same-owner");
        }
        if state.disk_full {
            command.env("ENTER", ENTER);
            command.arg(&tools.unshare).args(["--mount", "/bin/sh", "-c", ENTER_FULL, &self.name]);
        } else {
            command.args(["/bin/sh", "-c", ENTER, &self.name]);
        }
        command.args(argv).kill_on_drop(true).stdin(Stdio::null());
        Ok(command)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn launcher(isolation: &Isolation, dir: &Path, hostname: &str) -> Result<Command, GuestError> {
    let script = dir.join("boot/launch.sh");
    std::fs::write(&script, LAUNCH).map_err(|e| GuestError::io("write the launcher", e))?;
    let lower = dir.join("lower");
    let lower = lower.canonicalize().map_err(|e| GuestError::io("find the shared layer", e))?;
    let mut command = Command::new(&isolation.tools.unshare);
    let mode = match isolation.mode {
        Mode::Root => {
            command.args(["--mount", "--propagation", "private"]);
            "root"
        }
        Mode::User => {
            command.args(["--user", "--map-root-user", "--mount", "--propagation", "private"]);
            "user"
        }
    };
    command
        .arg("/bin/sh")
        .arg(script)
        .arg(mode)
        .arg(dir)
        .arg(lower)
        .arg(hostname)
        .arg(FIRST_ID.to_string())
        .arg(IDS.to_string());
    command.env_clear().env("PATH", PATH).env("HOME", "/root").current_dir("/");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    Ok(command)
}

async fn ready(keeper: &mut tokio::process::Child) -> Result<u32, GuestError> {
    let failed = |said: String| GuestError::Tool { what: "booting the sandbox".to_owned(), said };
    let (Some(stdout), Some(mut stderr)) = (keeper.stdout.take(), keeper.stderr.take()) else {
        return Err(failed("its streams are not there".to_owned()));
    };
    let mut line = String::new();
    let read = tokio::time::timeout(Duration::from_secs(20), BufReader::new(stdout).read_line(&mut line)).await;
    if let Some(pid) = line.strip_prefix("ready ").and_then(|pid| pid.trim().parse().ok()) {
        return Ok(pid);
    }
    if read.is_err() {
        return Err(failed("it was not ready within 20 s".to_owned()));
    }
    let mut said = String::new();
    let _partly = tokio::time::timeout(Duration::from_secs(1), stderr.read_to_string(&mut said)).await;
    Err(failed(said.trim().to_owned()))
}
