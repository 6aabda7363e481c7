//! How the rest of the program talks to a connection's thread: a mailbox, and a pipe that ends its poll.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{mpsc, oneshot};

use super::error::ShellError;
use super::running::Piece;
use super::sentinel::Nonce;
use super::stdin::Stdin;

/// One command on its way to the host.
pub(super) struct Job {
    pub(super) program: String,
    pub(super) script: String,
    pub(super) tag: String,
    /// The host's, then the guest's if the command goes on into one.
    pub(super) nonces: Vec<Nonce>,
    pub(super) stdin: Stdin,
    pub(super) limit: std::time::Duration,
    /// Commands of one lane (a guest, or the host itself) wait behind each other, lanes take turns.
    pub(super) lane: u32,
    /// Connections that were lost before it was run.
    pub(super) tries: u8,
    pub(super) output: mpsc::Sender<Piece>,
    pub(super) signals: Arc<Signals>,
    pub(super) done: oneshot::Sender<Result<Codes, ShellError>>,
}

/// How a command ended: the host's code and, for one in a guest, the code its own wrapper gave.
#[derive(Clone, Copy, Debug)]
pub(super) struct Codes {
    pub(super) host: u8,
    pub(super) guest: Option<u8>,
}

/// What the two sides of a running command tell each other without a message.
#[derive(Default)]
pub(super) struct Signals {
    /// Nobody waits for the command any more: end it.
    pub(super) cancelled: AtomicBool,
    /// The reader is full: wake the thread when there is room.
    pub(super) full: AtomicBool,
}

impl Signals {
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }
}

pub(super) enum Mail {
    Run(Box<Job>),
    /// These tags' processes were ended, or could not be.
    Killed {
        tags: Vec<String>,
        ended: bool,
    },
}

#[derive(Clone)]
pub(super) struct Waker(Arc<UnixStream>);

impl Waker {
    pub(super) fn pair() -> std::io::Result<(Waker, UnixStream)> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        theirs.set_nonblocking(true)?;
        Ok((Waker(Arc::new(ours)), theirs))
    }

    /// A full pipe wakes as well as one more byte.
    pub(super) fn wake(&self) {
        let _ = (&*self.0).write(&[1]);
    }
}

pub(super) fn drain(mut pipe: &UnixStream) {
    let mut bytes = [0; 64];
    loop {
        match pipe.read(&mut bytes) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}
