//! How the `pct` command of a node reaches the simulator: a directory of named pipes for each call, announced through one more. That
//! takes nothing on the other side but a shell, so the same script serves in the node's sandbox and behind a real sshd.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::pipe;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::super::error::GuestError;
use super::super::terminal::Size;
use super::{Call, Files, Pct, pair, words};

const SCRIPT: &str = include_str!("pct.sh");

/// Answers the calls of one `pct` script until it is dropped.
pub struct Relay {
    program: PathBuf,
    serving: JoinHandle<()>,
}

impl Relay {
    /// Serves calls announced in `control` (as this process sees it), and writes the script to `program`, for which that directory is
    /// called `seen_as`.
    pub(in super::super) fn start(
        pct: Arc<Pct>,
        files: Files,
        control: &Path,
        seen_as: &Path,
        program: &Path,
    ) -> Result<Self, GuestError> {
        let io = |e| GuestError::io("set up the node's pct", e);
        std::fs::create_dir_all(control).map_err(io)?;
        std::fs::set_permissions(control, std::fs::Permissions::from_mode(0o700)).map_err(io)?;
        let requests = control.join("requests");
        if requests.exists() {
            std::fs::remove_file(&requests).map_err(io)?;
        }
        let made = std::process::Command::new("mkfifo").arg(&requests).status().map_err(io)?;
        if !made.success() {
            return Err(GuestError::Tool {
                what: "mkfifo".to_owned(),
                said: format!("{} was not made", requests.display()),
            });
        }
        std::fs::write(program, SCRIPT.replace("@CONTROL@", &seen_as.to_string_lossy())).map_err(io)?;
        std::fs::set_permissions(program, std::fs::Permissions::from_mode(0o755)).map_err(io)?;
        // Held for writing too, so that the pipe never ends between two calls.
        let receiver = pipe::OpenOptions::new().read_write(true).open_receiver(&requests).map_err(io)?;
        let serving = tokio::spawn(serve(pct, files, control.to_path_buf(), receiver));
        Ok(Self { program: program.to_path_buf(), serving })
    }

    /// The script to be found as `pct`.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(pct: Arc<Pct>, files: Files, control: PathBuf, requests: pipe::Receiver) {
    let mut lines = BufReader::new(requests).lines();
    let mut calls = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            line = lines.next_line() => {
                let Ok(Some(name)) = line else { return };
                // The name comes from inside: it must stay a name.
                if name.starts_with("call.") && !name.contains('/') {
                    calls.spawn(answer(pct.clone(), files.clone(), control.join(name)));
                }
            }
            Some(_) = calls.join_next() => {}
        }
    }
}

async fn answer(pct: Arc<Pct>, files: Files, dir: PathBuf) {
    if let Err(error) = take(pct, files, &dir).await {
        tracing::warn!(%error, "a call of pct broke off");
    }
    if let Err(error) = tokio::fs::remove_dir_all(&dir).await {
        tracing::debug!(%error, "the pipes of a call of pct stay");
    }
}

async fn take(pct: Arc<Pct>, files: Files, dir: &Path) -> std::io::Result<()> {
    let read = |name: &str| plain_file(dir.join(name));
    let argv = words(&read("argv").await?);
    let env = words(&read("env").await?).iter().filter_map(|word| pair(word)).collect();
    let cwd = String::from_utf8_lossy(&read("cwd").await?).trim_end_matches('\n').into();
    let terminal = read("tty").await.ok().and_then(|text| size(&String::from_utf8_lossy(&text)));
    let open = pipe::OpenOptions::new();
    let stdin = open.open_receiver(dir.join("in"))?;
    let stdout = open.open_sender(dir.join("out"))?;
    let stderr = open.open_sender(dir.join("err"))?;
    let mut life = open.open_receiver(dir.join("life"))?;
    let mut code = open.open_sender(dir.join("rc"))?;
    code.write_all(b"\n").await?;
    let (went, gone) = watch::channel(false);
    let watching = tokio::spawn(async move {
        let _nothing = life.read(&mut [0; 1]).await;
        went.send_replace(true);
        went.closed().await;
    });
    let call = Call {
        argv,
        env,
        cwd,
        stdin: Box::new(stdin),
        stdout: Box::new(stdout),
        stderr: Box::new(stderr),
        gone,
        terminal,
        files,
    };
    let status = pct.run(call).await;
    watching.abort();
    code.write_all(format!("{status}\n").as_bytes()).await
}

/// As `stty size` tells it: rows, then columns.
fn size(text: &str) -> Option<Size> {
    let (rows, columns) = text.trim().split_once(' ')?;
    Some(Size { columns: columns.parse().ok()?, rows: rows.parse().ok()? })
}

/// Never follows a link and never opens a pipe: the directory belongs to the other side.
async fn plain_file(path: PathBuf) -> std::io::Result<Vec<u8>> {
    if tokio::fs::symlink_metadata(&path).await?.is_file() {
        tokio::fs::read(path).await
    } else {
        Err(std::io::Error::other("not a plain file"))
    }
}
