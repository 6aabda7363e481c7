//! One command on the connection: a state machine that is driven whenever something may have moved.

use std::io::{ErrorKind, Read, Write};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ssh2::{Channel, ErrorCode, Session};
use tokio::sync::mpsc::error::TrySendError;

use super::error::ShellError;
use super::line::Stream;
use super::mailbox::{Codes, Job};
use super::running::Piece;
use super::sentinel::Scanner;
use super::stdin::{Feed, Next};

/// After the command's end, how long what it left in the background may keep its output open before we hang up.
const LINGER: Duration = Duration::from_secs(3);
/// How long an ended command's channel may take to close.
const CLOSING: Duration = Duration::from_secs(10);
/// How long the host may take to give a command its channel.
const OPENING: Duration = Duration::from_secs(30);

const EAGAIN: ErrorCode = ErrorCode::Session(-37);

/// What became of one step.
pub(super) enum Step {
    /// Something happened: look again before sleeping.
    Moved,
    Waiting,
    /// It is over.
    Ended(Box<Job>, Result<Codes, Failed>),
    /// The host has no place for it; it was not run.
    NoPlace(Box<Job>),
    /// The connection is gone.
    Lost(String),
}

pub(super) enum Failed {
    Interrupted(String),
    TimeLimit,
    Cancelled,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Opening,
    Starting,
    Running,
    Closing,
    Closed,
}

pub(super) struct Live {
    pub(super) job: Option<Box<Job>>,
    pub(super) deadline: Instant,
    /// Its processes are being ended; the answer has come.
    pub(super) killing: Option<Failed>,
    pub(super) killed: Option<bool>,
    phase: Phase,
    channel: Option<Channel>,
    feed: Option<Feed>,
    scanner: Scanner,
    unsent: [Option<Piece>; 2],
    /// A packet is half on its way; nothing else may be sent on the connection before its rest.
    half_sent: bool,
    quiet_since: Instant,
}

impl Live {
    pub(super) fn new(mut job: Box<Job>, now: Instant) -> Self {
        let preface = job.nonces.iter().map(|nonce| format!("{}\n", nonce.as_str())).collect();
        let feed = Feed::new(preface, std::mem::take(&mut job.stdin));
        Self {
            deadline: now + job.limit,
            scanner: Scanner::new(&job.nonces),
            job: Some(job),
            killing: None,
            killed: None,
            phase: Phase::Opening,
            channel: None,
            feed: Some(feed),
            unsent: [None, None],
            half_sent: false,
            quiet_since: now,
        }
    }

    pub(super) fn is_opening(&self) -> bool {
        matches!(self.phase, Phase::Opening | Phase::Starting)
    }

    /// Whether the command cannot have been run yet.
    pub(super) fn not_started(&self) -> bool {
        self.phase == Phase::Opening
    }

    /// Not run: the job as it was before.
    pub(super) fn give_back(&mut self) -> Option<Box<Job>> {
        let mut job = self.job.take()?;
        job.stdin = self.feed.take().map(Feed::into_rest).unwrap_or_default();
        Some(job)
    }

    pub(super) fn wants_input(&self) -> bool {
        self.unsent.iter().any(Option::is_none)
    }

    /// Ended, as far as the host's processes go.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Closing | Phase::Closed)
    }

    pub(super) fn killed(&mut self, ended: bool, now: Instant) {
        self.killed = Some(ended);
        self.quiet_since = now;
    }

    /// When to look at it again although nothing moved.
    pub(super) fn next_look(&self, now: Instant) -> Instant {
        match self.phase {
            Phase::Opening | Phase::Starting => self.quiet_since + OPENING,
            Phase::Closing | Phase::Closed => self.quiet_since + CLOSING,
            Phase::Running if self.killed.is_some() => self.quiet_since + LINGER,
            // The killing thread reports.
            Phase::Running if self.killing.is_some() => now + CLOSING,
            Phase::Running if self.scanner.code(0).is_some() => self.deadline.min(self.quiet_since + LINGER),
            Phase::Running => self.deadline,
        }
    }

    pub(super) fn step(&mut self, session: &Session, now: Instant) -> Step {
        match self.advance(session, now) {
            Step::Waiting if self.is_opening() && now >= self.quiet_since + OPENING => {
                Step::Lost("the host opens no channel".to_owned())
            }
            step => step,
        }
    }

    fn advance(&mut self, session: &Session, now: Instant) -> Step {
        match self.phase {
            Phase::Opening => match session.channel_session() {
                Ok(channel) => {
                    self.channel = Some(channel);
                    self.phase = Phase::Starting;
                    Step::Moved
                }
                Err(error) if error.code() == EAGAIN => Step::Waiting,
                // LIBSSH2_ERROR_CHANNEL_FAILURE: sshd's MaxSessions is reached.
                Err(error) if error.code() == ErrorCode::Session(-21) => {
                    self.give_back().map_or(Step::Waiting, Step::NoPlace)
                }
                Err(error) => Step::Lost(error.message().to_owned()),
            },
            Phase::Starting => self.start(now),
            Phase::Running => self.run(session, now),
            Phase::Closing => self.close(now),
            Phase::Closed => self.finish(now),
        }
    }

    fn start(&mut self, now: Instant) -> Step {
        let (Some(channel), Some(job)) = (&mut self.channel, &self.job) else { return Step::Waiting };
        match channel.exec(&job.script) {
            Ok(()) => {
                self.phase = Phase::Running;
                self.quiet_since = now;
                self.deadline = now + job.limit;
                Step::Moved
            }
            Err(error) if error.code() == EAGAIN => Step::Waiting,
            Err(error) => Step::Lost(error.message().to_owned()),
        }
    }

    fn run(&mut self, session: &Session, now: Instant) -> Step {
        let mut moved = false;
        match self.write(session) {
            Ok(wrote) => moved |= wrote,
            Err(reason) => return Step::Lost(reason),
        }
        for stream in [Stream::Out, Stream::Err] {
            match self.read(stream) {
                Ok(read) => moved |= read,
                Err(reason) => return Step::Lost(reason),
            }
        }
        if moved {
            self.quiet_since = now;
            return Step::Moved;
        }
        let delivered = self.unsent.iter().all(Option::is_none);
        let over = self.channel.as_ref().is_none_or(Channel::eof);
        let lingers = self.scanner.code(0).is_some() && now >= self.quiet_since + LINGER;
        let given_up = self.killed.is_some() && now >= self.quiet_since + LINGER;
        if delivered && !self.half_sent && (over || lingers || given_up) {
            self.phase = Phase::Closing;
            self.quiet_since = now;
            return Step::Moved;
        }
        Step::Waiting
    }

    fn write(&mut self, session: &Session) -> Result<bool, String> {
        let (Some(channel), Some(feed)) = (&mut self.channel, &mut self.feed) else { return Ok(false) };
        let unwanted = !self.half_sent && (self.killing.is_some() || channel.eof());
        if unwanted {
            self.feed = None;
            return Ok(true);
        }
        match feed.next() {
            Next::Wait => Ok(false),
            Next::Write(bytes) => match channel.write(bytes) {
                Ok(count) => {
                    feed.wrote(count);
                    self.half_sent = false;
                    Ok(count > 0)
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.half_sent = outbound(session);
                    Ok(false)
                }
                Err(error) => match ssh2::Error::last_session_error(session).map(|error| error.code()) {
                    // The command has closed its input: it does not want the rest.
                    Some(ErrorCode::Session(-26 | -27)) => {
                        self.feed = None;
                        Ok(true)
                    }
                    _ => Err(error.to_string()),
                },
            },
            Next::End => match channel.send_eof() {
                Err(error) if error.code() == EAGAIN => {
                    self.half_sent = outbound(session);
                    Ok(false)
                }
                _ => {
                    self.half_sent = false;
                    self.feed = None;
                    Ok(true)
                }
            },
        }
    }

    fn read(&mut self, stream: Stream) -> Result<bool, String> {
        let slot = stream as usize;
        if let Some(piece) = self.unsent[slot].take() {
            return Ok(self.deliver(piece));
        }
        let Some(channel) = &mut self.channel else { return Ok(false) };
        let mut bytes = [0; 32 * 1024];
        let read = match stream {
            Stream::Out => channel.read(&mut bytes),
            Stream::Err => channel.stderr().read(&mut bytes),
        };
        let own = match read {
            Ok(0) if stream == Stream::Err && channel.eof() => self.scanner.end(),
            Ok(0) => return Ok(false),
            Ok(count) if stream == Stream::Err => {
                let own = self.scanner.push(&bytes[..count]);
                if own.is_empty() {
                    return Ok(true);
                }
                own
            }
            Ok(count) => bytes[..count].to_vec(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error.to_string()),
        };
        if own.is_empty() {
            return Ok(false);
        }
        self.deliver(Piece { stream, bytes: Bytes::from(own) });
        Ok(true)
    }

    /// False when the reader is full: then nothing more is read from the channel, its window closes, and the command
    /// itself waits.
    fn deliver(&mut self, piece: Piece) -> bool {
        let Some(job) = &self.job else { return true };
        job.signals.full.store(true, Ordering::Release);
        match job.output.try_send(piece) {
            Err(TrySendError::Full(piece)) => {
                let slot = piece.stream as usize;
                self.unsent[slot] = Some(piece);
                false
            }
            Ok(()) | Err(TrySendError::Closed(_)) => {
                job.signals.full.store(self.unsent.iter().any(Option::is_some), Ordering::Release);
                true
            }
        }
    }

    fn close(&mut self, now: Instant) -> Step {
        let Some(channel) = &mut self.channel else { return Step::Waiting };
        match channel.close() {
            Err(error) if error.code() == EAGAIN => Step::Waiting,
            Err(error) => Step::Lost(error.message().to_owned()),
            Ok(()) => {
                self.phase = Phase::Closed;
                self.quiet_since = now;
                Step::Moved
            }
        }
    }

    fn finish(&mut self, now: Instant) -> Step {
        let Some(channel) = &mut self.channel else { return Step::Waiting };
        let late = now >= self.quiet_since + CLOSING;
        let mut rest = [0; 4096];
        while channel.read(&mut rest).is_ok_and(|count| count > 0) {}
        while channel.stderr().read(&mut rest).is_ok_and(|count| count > 0) {}
        let closed = if channel.eof() { channel.wait_close() } else { Err(ssh2::Error::from_errno(EAGAIN)) };
        match closed {
            Err(error) if error.code() == EAGAIN && !late => return Step::Waiting,
            Err(error) if error.code() != EAGAIN => return Step::Lost(error.message().to_owned()),
            _ => {}
        }
        if self.killing.is_some() && self.killed.is_none() && !late {
            return Step::Waiting;
        }
        let signal = channel.exit_signal().ok().and_then(|signal| signal.exit_signal);
        let Some(job) = self.job.take() else { return Step::Waiting };
        let result = match (self.killing.take(), self.scanner.code(0), signal) {
            (Some(failed), _, _) => Err(failed),
            (None, Some(host), None) => Ok(Codes { host, guest: self.scanner.code(1) }),
            (None, _, Some(signal)) => Err(Failed::Interrupted(format!("its shell was ended by SIG{signal}"))),
            (None, None, None) => Err(Failed::Interrupted("the channel closed without the command's code".to_owned())),
        };
        Step::Ended(job, result)
    }

    /// Ends a command whose connection is gone.
    pub(super) fn lose(&mut self, reason: &str) -> Option<(Box<Job>, Failed)> {
        let failed = self.killing.take().unwrap_or_else(|| Failed::Interrupted(reason.to_owned()));
        Some((self.job.take()?, failed))
    }
}

fn outbound(session: &Session) -> bool {
    matches!(session.block_directions(), ssh2::BlockDirections::Outbound | ssh2::BlockDirections::Both)
}

impl Failed {
    pub(super) fn into_error(self, host: &str, job: &Job, killed: bool) -> ShellError {
        let (host, program) = (host.to_owned(), job.program.clone());
        match self {
            Failed::TimeLimit => ShellError::TimeLimit { host, program, limit: job.limit, killed },
            Failed::Interrupted(reason) => ShellError::Interrupted { host, program, reason },
            Failed::Cancelled => {
                ShellError::Interrupted { host, program, reason: "nobody waited for it any more".to_owned() }
            }
        }
    }
}
