//! The handle: cheap to clone, asynchronous, one connection behind all clones.

use std::sync::Arc;
use std::sync::mpsc::{self as mailbox, Sender};
use std::time::Instant;

use metrics::{counter, histogram};
use tokio::sync::{mpsc, oneshot};
use tracing::field;

use super::actor::Actor;
use super::command::Command;
use super::config::ShellConfig;
use super::error::ShellError;
use super::line::Line;
use super::mailbox::{Codes, Job, Mail, Signals, Waker};
use super::quote::as_text;
use super::running::{Exit, Output, Running};
use super::script::wrap;
use super::sentinel::{Nonce, token};
use super::stdin::{Stdin, StdinReader, StdinWriter};

/// Pieces of output (up to 32 KiB each) that wait for a slow reader before the command itself has to wait.
const PIECES: usize = 32;

#[derive(Clone)]
pub struct Shell(Arc<Inner>);

struct Inner {
    host: String,
    mail: Option<Arc<Sender<Mail>>>,
    waker: Waker,
}

/// A command for the host, and what it takes to follow it into a guest.
pub(super) struct Errand {
    pub(super) program: String,
    pub(super) script: Vec<u8>,
    pub(super) tag: String,
    pub(super) nonces: Vec<Nonce>,
    pub(super) stdin: Stdin,
    pub(super) limit: std::time::Duration,
    pub(super) lane: u32,
}

impl Shell {
    /// Starts the host's thread; the connection is made by the first command.
    pub fn new(config: ShellConfig) -> Result<Self, ShellError> {
        let failed = |error: std::io::Error| ShellError::Unreachable {
            host: config.name.clone(),
            reason: format!("its thread cannot start: {error}"),
        };
        let (waker, pipe) = Waker::pair().map_err(failed)?;
        let (mail, letters) = mailbox::channel();
        let (host, mail) = (config.name.clone(), Arc::new(mail));
        let actor = Actor::new(config.clone(), letters, Arc::downgrade(&mail), pipe, waker.clone());
        std::thread::Builder::new().name(format!("ssh-{host}")).spawn(|| actor.run()).map_err(failed)?;
        Ok(Self(Arc::new(Inner { host, mail: Some(mail), waker })))
    }

    pub fn host(&self) -> &str {
        &self.0.host
    }

    /// Starts a command (or queues it behind others).
    pub fn start(&self, command: Command) -> Result<Running, ShellError> {
        let tag = token();
        self.send(Errand {
            script: wrap(&command, &tag)?,
            tag,
            nonces: vec![Nonce::new()],
            lane: 0,
            program: command.program,
            stdin: command.stdin,
            limit: command.limit,
        })
    }

    /// Runs a command to its end, whatever its code; dropping the future ends the command on the host.
    pub async fn exec(&self, command: Command, on_line: impl FnMut(Line)) -> Result<Exit, ShellError> {
        let timing = Timing::new(self, &command.program, 0);
        let codes = match self.start(command) {
            Ok(running) => running.lines(on_line).await,
            Err(error) => Err(error),
        };
        timing.end(&codes);
        codes.map(|codes| Exit { code: codes.host })
    }

    /// Like [`Shell::exec`], keeping what it wrote (the first MiB of each stream).
    pub async fn output(&self, command: Command) -> Result<Output, ShellError> {
        let timing = Timing::new(self, &command.program, 0);
        let result = match self.start(command) {
            Ok(running) => running.collect().await,
            Err(error) => Err(error),
        };
        let (codes, output) = result.inspect_err(|error| timing.failed(error))?;
        timing.end(&Ok(codes));
        Ok(output)
    }

    /// A standard input that is written while the command runs.
    pub fn stdin(&self) -> (StdinWriter, StdinReader) {
        StdinWriter::pair(self.0.waker.clone())
    }

    pub(super) fn send(&self, errand: Errand) -> Result<Running, ShellError> {
        let (output, pieces) = mpsc::channel(PIECES);
        let (done, result) = oneshot::channel();
        // By its program's name, never by its arguments.
        let span = tracing::debug_span!(
            "ssh",
            trace.name = errand.program,
            host = self.host(),
            vmid = errand.lane,
            code = field::Empty,
            error = field::Empty
        );
        let signals = Arc::new(Signals::default());
        let job = Job {
            program: errand.program,
            script: as_text(errand.script),
            tag: errand.tag,
            nonces: errand.nonces,
            stdin: errand.stdin,
            limit: errand.limit,
            lane: errand.lane,
            tries: 0,
            output,
            signals: Arc::clone(&signals),
            done,
        };
        let mail = self.0.mail.as_ref().ok_or(ShellError::Closed)?;
        mail.send(Mail::Run(Box::new(job))).map_err(|_| ShellError::Closed)?;
        self.wake();
        Ok(Running { shell: self.clone(), output: pieces, signals, done: result, over: false, span })
    }

    pub(super) fn wake(&self) {
        self.0.waker.wake();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // First the mailbox, then the wake-up: the thread must find it closed.
        self.mail = None;
        self.waker.wake();
    }
}

/// One command in the log and the metrics: by its program's name, never by its arguments. It runs in the caller's
/// span, which names the request and the operation.
pub(super) struct Timing {
    host: String,
    program: String,
    vmid: u32,
    started: Instant,
}

impl Timing {
    pub(super) fn new(shell: &Shell, program: &str, vmid: u32) -> Self {
        Self { host: shell.host().to_owned(), program: program.to_owned(), vmid, started: Instant::now() }
    }

    pub(super) fn end(self, codes: &Result<Codes, ShellError>) {
        match codes {
            Err(error) => self.failed(error),
            Ok(codes) => {
                let code = codes.guest.unwrap_or(codes.host);
                self.count(if code == 0 { "ok" } else { "code" });
                let ms = self.started.elapsed().as_millis();
                tracing::debug!(host = self.host, vmid = self.vmid, program = self.program, code, ms, "command ended");
            }
        }
    }

    pub(super) fn failed(&self, error: &ShellError) {
        self.count("failed");
        tracing::warn!(host = self.host, vmid = self.vmid, program = self.program, %error, "command failed");
    }

    fn count(&self, outcome: &'static str) {
        counter!("gantry_shell_commands_total", "host" => self.host.clone(), "outcome" => outcome).increment(1);
        histogram!("gantry_shell_command_seconds", "host" => self.host.clone()).record(self.started.elapsed());
    }
}
