//! One command on the connection: a state machine that is driven whenever something may have moved.

mod ending;
mod flow;

use std::time::{Duration, Instant};

use ssh2::{Channel, ErrorCode, Session};

use super::line::Stream;
use super::mailbox::{Codes, Job};
use super::running::Piece;
use super::sentinel::Scanner;
use super::stdin::Feed;

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
}
