//! `pct` of a simulated node: the arguments, texts and exit codes of the real one.

mod copy;
mod relay;
mod run;

use std::ffi::{OsStr, OsString};
use std::future::Future;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;

use super::Guests;
use super::terminal::Size;

pub use relay::Relay;
pub(super) use run::attach;

/// What `pct` has to ask the model of the cluster.
pub trait Model: Send + Sync + 'static {
    /// The containers of a node, by rising id.
    fn containers(&self, node: &str) -> Vec<Container>;
    /// The lines of a container's configuration, `key: value`, as `pct config` prints them.
    fn config(&self, node: &str, vmid: u32) -> Option<Vec<(String, String)>>;
    /// Starts, stops, shuts down, unlocks: returns when it is done, or with the text that Proxmox would print.
    fn act<'a>(
        &'a self,
        node: &'a str,
        vmid: u32,
        act: Act,
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;
}

/// One line of `pct list`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    pub vmid: u32,
    pub name: String,
    pub running: bool,
    pub lock: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Start,
    Stop,
    Shutdown,
    Reboot,
    Unlock,
}

/// One call of `pct`.
pub(super) struct Call {
    pub(super) argv: Vec<OsString>,
    pub(super) env: Vec<(OsString, OsString)>,
    pub(super) cwd: PathBuf,
    pub(super) stdin: Box<dyn AsyncRead + Send + Unpin>,
    pub(super) stdout: Box<dyn AsyncWrite + Send + Unpin>,
    pub(super) stderr: Box<dyn AsyncWrite + Send + Unpin>,
    /// Turns true when the caller is gone.
    pub(super) gone: watch::Receiver<bool>,
    /// The size of the caller's terminal, when it is on one.
    pub(super) terminal: Option<Size>,
    /// Where a file named on the command line is: in the node's sandbox, or (behind a real sshd) on this machine.
    pub(super) files: Files,
}

#[derive(Clone)]
pub(super) enum Files {
    Node(Arc<super::sandbox::Sandbox>),
    Here,
}

pub(super) struct Pct {
    pub(super) guests: Guests,
    pub(super) node: String,
    pub(super) model: Arc<dyn Model>,
}

/// A text for standard error and an exit code.
struct Refusal(u8, String);

impl Pct {
    pub(super) async fn run(&self, mut call: Call) -> u8 {
        match self.dispatch(&mut call).await {
            Ok(code) => code,
            Err(Refusal(code, text)) => {
                let _unheard = call.stderr.write_all(format!("{text}\n").as_bytes()).await;
                let _unheard = call.stderr.flush().await;
                code
            }
        }
    }

    async fn dispatch(&self, call: &mut Call) -> Result<u8, Refusal> {
        let argv = std::mem::take(&mut call.argv);
        let mut rest = argv.iter();
        let Some(command) = rest.next().and_then(|word| word.to_str()) else {
            return Err(Refusal(255, "ERROR: no command specified\nUSAGE: pct <COMMAND> [ARGS] [OPTIONS]".to_owned()));
        };
        let rest: Vec<&OsStr> = rest.map(OsString::as_os_str).collect();
        match command {
            "exec" => self.exec(call, &rest).await,
            "enter" => {
                let vmid = self.running(&rest)?;
                self.stream(call, vmid, &["/bin/sh".into(), "-l".into()], true).await
            }
            "push" => self.push(call, &rest).await,
            "pull" => self.pull(call, &rest).await,
            "list" => {
                let mut text = format!("{:<10} {:<10} {:<12} {:<20}\n", "VMID", "Status", "Lock", "Name");
                for ct in self.model.containers(&self.node) {
                    text += &format!(
                        "{:<10} {:<10} {:<12} {:<20}\n",
                        ct.vmid,
                        state(&ct),
                        ct.lock.as_deref().unwrap_or_default(),
                        ct.name
                    );
                }
                say(call, &text).await
            }
            "status" => {
                let ct = self.container(&rest)?;
                say(call, &format!("status: {}\n", state(&ct))).await
            }
            "config" => {
                let ct = self.container(&rest)?;
                let lines = self.model.config(&self.node, ct.vmid).unwrap_or_default();
                say(call, &lines.iter().map(|(key, value)| format!("{key}: {value}\n")).collect::<String>()).await
            }
            "start" => self.act(&rest, Act::Start).await,
            "stop" => self.act(&rest, Act::Stop).await,
            "shutdown" => self.act(&rest, Act::Shutdown).await,
            "reboot" => self.act(&rest, Act::Reboot).await,
            "unlock" => {
                self.container(&rest)?;
                self.act(&rest, Act::Unlock).await
            }
            other => Err(Refusal(
                255,
                format!("ERROR: unknown command 'pct {other}'\nUSAGE: pct <COMMAND> [ARGS] [OPTIONS]"),
            )),
        }
    }

    async fn act(&self, rest: &[&OsStr], act: Act) -> Result<u8, Refusal> {
        let vmid = vmid(rest)?;
        self.model.act(&self.node, vmid, act).await.map(|()| 0).map_err(|text| Refusal(255, text))
    }

    fn container(&self, rest: &[&OsStr]) -> Result<Container, Refusal> {
        let vmid = vmid(rest)?;
        let known = self.model.containers(&self.node).into_iter().find(|ct| ct.vmid == vmid);
        known.ok_or_else(|| {
            Refusal(2, format!("Configuration file 'nodes/{}/lxc/{vmid}.conf' does not exist", self.node))
        })
    }

    fn running(&self, rest: &[&OsStr]) -> Result<u32, Refusal> {
        let ct = self.container(rest)?;
        if ct.running { Ok(ct.vmid) } else { Err(Refusal(255, format!("container '{}' not running!", ct.vmid))) }
    }
}

fn state(ct: &Container) -> &'static str {
    if ct.running { "running" } else { "stopped" }
}

fn vmid(rest: &[&OsStr]) -> Result<u32, Refusal> {
    let Some(word) = rest.first() else { return Err(Refusal(255, "400 not enough arguments".to_owned())) };
    let id = word.to_str().and_then(|word| word.parse().ok()).filter(|id| (100..=999_999_999).contains(id));
    id.ok_or_else(|| {
        Refusal(
            255,
            "400 Parameter verification failed.\nvmid: invalid format - value does not look like a valid VM ID\n"
                .to_owned(),
        )
    })
}

async fn say(call: &mut Call, text: &str) -> Result<u8, Refusal> {
    let _unheard = call.stdout.write_all(text.as_bytes()).await;
    let _unheard = call.stdout.flush().await;
    Ok(0)
}

/// NUL-separated words, as `printf '%s\0'` and `env -0` write them.
fn words(bytes: &[u8]) -> Vec<OsString> {
    let mut all: Vec<_> = bytes.split(|byte| *byte == 0).map(|word| OsString::from_vec(word.to_vec())).collect();
    all.pop();
    all
}

fn pair(word: &OsStr) -> Option<(OsString, OsString)> {
    let bytes = word.as_bytes();
    let at = bytes.iter().position(|byte| *byte == b'=')?;
    Some((OsString::from_vec(bytes[..at].to_vec()), OsString::from_vec(bytes[at + 1..].to_vec())))
}
