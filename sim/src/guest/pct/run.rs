//! `pct exec`: a command in a guest, with its streams and its exit code.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::process::Command;
use tokio::sync::{mpsc, oneshot, watch};

use super::super::error::GuestError;
use super::super::streams;
use super::super::terminal::{self, Size, Typed};
use super::{Call, Pct, Refusal};

impl Pct {
    pub(super) async fn exec(&self, call: &mut Call, rest: &[&OsStr]) -> Result<u8, Refusal> {
        let mut keep_env = true;
        let mut words = Vec::new();
        let mut rest = rest.iter();
        while let Some(word) = rest.next() {
            match word.to_str() {
                Some("--") => {
                    words.extend(rest.by_ref());
                }
                Some("--keep-env" | "-keep-env") => keep_env = rest.next().is_some_and(|value| *value != "0"),
                Some(word) if word.starts_with("--keep-env=") => keep_env = !word.ends_with("=0"),
                _ => words.push(word),
            }
        }
        let words: Vec<&OsStr> = words.into_iter().copied().collect();
        let vmid = self.running(&words)?;
        let argv: Vec<OsString> = words.iter().skip(1).map(|word| (*word).to_owned()).collect();
        if argv.is_empty() {
            return Err(Refusal(255, "400 not enough arguments\npct exec <vmid> [<extra-args>] [OPTIONS]".to_owned()));
        }
        self.stream(call, vmid, &argv, keep_env).await
    }

    /// Runs a command in a guest to its end, or until the caller is gone.
    pub(super) async fn stream(
        &self,
        call: &mut Call,
        vmid: u32,
        argv: &[OsString],
        keep_env: bool,
    ) -> Result<u8, Refusal> {
        let words = match call.terminal {
            Some(_) => &[&terminal::CONTROLLING.map(OsString::from), argv].concat(),
            None => argv,
        };
        let mut command = match self.guests.command(vmid, words) {
            Ok(command) => command,
            Err(GuestError::NotRunning(_) | GuestError::Unknown(_)) => {
                return Err(Refusal(255, format!("container '{vmid}' not running!")));
            }
            Err(error) => return Err(Refusal(255, error.to_string())),
        };
        if keep_env {
            let ours = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "OLDPWD", "container", "ENTER"];
            command.envs(call.env.iter().filter(|(key, _)| ours.iter().all(|name| key != name)).cloned());
        }
        let stdin = std::mem::replace(&mut call.stdin, Box::new(tokio::io::empty()));
        let stdout = std::mem::replace(&mut call.stdout, Box::new(tokio::io::sink()));
        let stderr = std::mem::replace(&mut call.stderr, Box::new(tokio::io::sink()));
        let status = match call.terminal {
            Some(size) => on_terminal(command, size, stdin, stdout, call.gone.clone()).await,
            None => attach(command, stdin, stdout, stderr, call.gone.clone(), None).await,
        };
        Ok(code(status.map_err(|error| Refusal(255, format!("lxc-attach: {vmid}: {error}")))?))
    }
}

/// Runs a command on a terminal of its own; hangs up when the caller goes first.
async fn on_terminal(
    command: Command,
    size: Size,
    mut stdin: impl AsyncRead + Send + Unpin + 'static,
    mut stdout: impl AsyncWrite + Send + Unpin + 'static,
    mut gone: watch::Receiver<bool>,
) -> std::io::Result<ExitStatus> {
    let (typing, typed) = mpsc::unbounded_channel();
    let (showing, mut shown) = mpsc::channel::<Bytes>(16);
    let listening = tokio::spawn(async move {
        let mut keys = BytesMut::with_capacity(1 << 10);
        loop {
            tokio::select! {
                read = stdin.read_buf(&mut keys) => if !read.is_ok_and(|count| count > 0) { break },
                () = streams::turned(&mut gone) => return,
            }
            if typing.send(Typed::Keys(keys.split().freeze())).is_err() {
                return;
            }
        }
        // No more keys is not hanging up.
        streams::turned(&mut gone).await;
    });
    let show = async {
        while let Some(bytes) = shown.recv().await {
            if stdout.write_all(&bytes).await.is_err() || stdout.flush().await.is_err() {
                break;
            }
        }
    };
    let (status, ()) = tokio::join!(terminal::run(command, size, typed, showing), show);
    listening.abort();
    status
}

/// The exit code that a shell would give: 128 and the signal's number for a command that was killed.
pub(in super::super) fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(255);
    u8::try_from(code & 0xff).unwrap_or(255)
}

/// Runs a command with its streams carried to and fro; kills it when the caller goes first.
pub(in super::super) async fn attach(
    mut command: Command,
    stdin: impl AsyncRead + Send + Unpin + 'static,
    stdout: impl AsyncWrite + Send + Unpin + 'static,
    stderr: impl AsyncWrite + Send + Unpin + 'static,
    mut gone: watch::Receiver<bool>,
    started: Option<oneshot::Sender<u32>>,
) -> std::io::Result<ExitStatus> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    if let (Some(started), Some(pid)) = (started, child.id()) {
        let _nobody = started.send(pid);
    }
    let feed = child.stdin.take().map(|to| tokio::spawn(streams::inward(stdin, to)));
    let (ended, watch_end) = watch::channel(false);
    let mut outward = tokio::task::JoinSet::new();
    if let Some(from) = child.stdout.take() {
        outward.spawn(streams::outward(from.into_owned_fd()?, stdout, watch_end.clone()));
    }
    if let Some(from) = child.stderr.take() {
        outward.spawn(streams::outward(from.into_owned_fd()?, stderr, watch_end));
    }
    let status = tokio::select! {
        status = child.wait() => status?,
        () = streams::turned(&mut gone) => {
            child.kill().await?;
            child.wait().await?
        }
    };
    ended.send_replace(true);
    while let Some(done) = outward.join_next().await {
        if let Ok(Err(error)) = done {
            tracing::debug!(%error, "a stream of a command broke");
        }
    }
    if let Some(feed) = feed {
        feed.abort();
    }
    Ok(status)
}
