//! A command on a terminal of its own, for somebody who types.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::process::ExitStatus;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe;
use tokio::process::Command;
use tokio::sync::mpsc;

/// How long what a command left in the background is listened to after its end.
const LINGER: Duration = Duration::from_millis(300);

/// A login shell, bash where there is one.
pub(crate) const SHELL: &str = "if [ -x /bin/bash ]; then exec /bin/bash -l; fi; exec /bin/sh -l";

#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) columns: u16,
    pub(crate) rows: u16,
}

impl Default for Size {
    fn default() -> Self {
        Self { columns: 80, rows: 24 }
    }
}

pub(crate) enum Typed {
    Keys(Bytes),
    Size(Size),
}

/// Put before a command, makes the terminal that it is given its own. It waits, because a shell that is a group's leader
/// is left behind by what forks it.
pub(crate) const CONTROLLING: [&str; 3] = ["setsid", "-c", "-w"];

/// A command line's words, so that the terminal which they are given is theirs to control.
pub(crate) fn controlling(line: OsString) -> Vec<OsString> {
    CONTROLLING.into_iter().chain(["/bin/sh", "-c"]).map(OsString::from).chain([line]).collect()
}

/// Runs it until it ends or until whoever types is gone; what it shows goes to `shown`.
pub(crate) async fn run(
    mut command: Command,
    size: Size,
    mut typed: mpsc::UnboundedReceiver<Typed>,
    shown: mpsc::Sender<Bytes>,
) -> io::Result<ExitStatus> {
    let (ours, theirs) = open(size)?;
    command.stdin(theirs.try_clone()?).stdout(theirs.try_clone()?).stderr(theirs);
    let mut child = command.spawn()?;
    // It holds their end of the terminal as well, which would never be hung up.
    drop(command);
    // A terminal is read and written as a pipe is.
    let mut screen = pipe::Receiver::from_owned_fd_unchecked(ours.try_clone()?)?;
    let mut keyboard = pipe::Sender::from_owned_fd_unchecked(ours.try_clone()?)?;
    let (mut waiting, mut buffer, mut status) = (BytesMut::new(), vec![0; 16 << 10], None);
    loop {
        tokio::select! {
            read = screen.read(&mut buffer) => match read {
                Ok(count) if count > 0 => {
                    if shown.send(Bytes::copy_from_slice(&buffer[..count])).await.is_err() {
                        break;
                    }
                }
                // Nobody holds the other end any more.
                _ => break,
            },
            wrote = keyboard.write(&waiting), if !waiting.is_empty() => {
                waiting.advance(wrote.unwrap_or(waiting.len()));
            }
            typed = typed.recv() => match typed {
                Some(Typed::Keys(keys)) => waiting.extend_from_slice(&keys),
                Some(Typed::Size(size)) => tcsetwinsize(&ours, winsize(size))?,
                None => break,
            },
            ended = child.wait(), if status.is_none() => status = Some(ended?),
            () = tokio::time::sleep(LINGER), if status.is_some() => break,
        }
    }
    // Hanging up tells the command's processes, as pulling a modem's plug did.
    drop((ours, screen, keyboard));
    match status {
        Some(status) => Ok(status),
        None => {
            if let Ok(status) = tokio::time::timeout(LINGER, child.wait()).await {
                return status;
            }
            child.kill().await?;
            child.wait().await
        }
    }
}

fn open(size: Size) -> io::Result<(OwnedFd, OwnedFd)> {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let name = ptsname(&ours, Vec::new())?;
    let theirs = rustix::fs::open(name.as_c_str(), OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
    tcsetwinsize(&ours, winsize(size))?;
    rustix::io::ioctl_fionbio(&ours, true)?;
    Ok((ours, theirs))
}

fn winsize(size: Size) -> Winsize {
    Winsize { ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0 }
}
