//! Following a detached run. Reading is safe to repeat, so this survives lost connections by itself: it attaches again
//! at the last whole line.

use std::time::Duration;

use super::detached::{End, Ended, LogLine, RunId};
use super::error::{GuestError, ShellError};
use super::line::{LONGEST, Stream};
use super::pct::Guest;
use super::running::{Piece, Running};

const FOLLOW: &str = include_str!("follow.sh");
/// Looks per round trip, five a second but for the first: every five minutes the follower is started anew, so that none is left behind
/// when we go.
const LOOKS: u32 = 1500;
const ROUND: Duration = Duration::from_secs(600);
/// Tries without a word from the run before the error is the caller's.
const TRIES: u32 = 12;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    Line(LogLine),
    Ended(Ended),
}

pub struct Attached {
    guest: Guest,
    run: RunId,
    /// After the last line that was given.
    offset: u64,
    running: Option<Running>,
    pending: Vec<u8>,
    said: Vec<u8>,
    tries: u32,
    /// In the middle of a long line of this stream.
    inside: Option<Stream>,
}

impl Attached {
    pub(super) fn new(guest: Guest, run: RunId, offset: u64) -> Self {
        Self { guest, run, offset, running: None, pending: Vec::new(), said: Vec::new(), tries: 0, inside: None }
    }

    /// The next line, or the end. May be cancelled and called again.
    pub async fn next(&mut self) -> Result<Followed, GuestError> {
        loop {
            if let Some(line) = self.take_line() {
                self.tries = 0;
                return Ok(Followed::Line(line));
            }
            match self.advance().await {
                Ok(None) => {}
                Ok(Some(ended)) => return Ok(Followed::Ended(ended)),
                Err(error) if self.tries < TRIES && may_pass(&error) => {
                    tracing::info!(vmid = self.guest.vmid, run = %self.run, %error, "attaching again");
                    self.running = None;
                    tokio::time::sleep(Duration::from_millis(100) * 2u32.pow(self.tries.min(6))).await;
                    self.tries += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn advance(&mut self) -> Result<Option<Ended>, GuestError> {
        let Some(running) = &mut self.running else {
            self.pending.clear();
            self.said.clear();
            let arguments = [self.run.to_string(), self.offset.to_string(), LOOKS.to_string()];
            self.running = Some(self.guest.start(Guest::sh(FOLLOW).args(arguments).limit(ROUND))?);
            return Ok(None);
        };
        if let Some(Piece { stream, bytes }) = running.next().await {
            match stream {
                Stream::Out => self.pending.extend_from_slice(&bytes),
                Stream::Err => self.said.extend_from_slice(&bytes),
            }
            return Ok(None);
        }
        let Some(running) = self.running.take() else { return Ok(None) };
        let codes = running.codes().await?;
        let (vmid, run) = (self.guest.vmid, self.run.to_string());
        match self.guest.classify(codes, "follow", &self.said)? {
            0 => ended(&self.said).map(Some).ok_or(GuestError::RunDied { vmid, run }),
            73 => Ok(None),
            74 => Err(GuestError::RunGone { vmid, run }),
            75 | 76 => Err(GuestError::RunDied { vmid, run }),
            code => {
                let (host, said) = (self.guest.shell.host().to_owned(), super::running::last_words(&self.said));
                Err(ShellError::Failed { host, program: "follow".to_owned(), code, said }.into())
            }
        }
    }

    /// A line that is longer than anybody reads comes in pieces; only its first has the tag.
    fn take_line(&mut self) -> Option<LogLine> {
        let end = self.pending.iter().take(LONGEST).position(|&byte| byte == b'\n');
        let (length, taken) = match end {
            Some(end) => (end, end + 1),
            None if self.pending.len() >= LONGEST => (LONGEST, LONGEST),
            None => return None,
        };
        self.offset += taken as u64;
        let line: Vec<u8> = self.pending.drain(..taken).take(length).collect();
        let (stream, text) = match (self.inside, line.split_at_checked(2)) {
            (Some(stream), _) => (stream, line.as_slice()),
            (None, Some((b"E ", text))) => (Stream::Err, text),
            (None, Some((b"O ", text))) => (Stream::Out, text),
            _ => (Stream::Out, line.as_slice()),
        };
        self.inside = if end.is_none() { Some(stream) } else { None };
        Some(LogLine { stream, text: String::from_utf8_lossy(text).into_owned(), next: self.offset })
    }
}

fn may_pass(error: &GuestError) -> bool {
    use ShellError::{Interrupted, QueueFull, TimeLimit, Unreachable};
    matches!(
        error,
        GuestError::Lost { .. }
            | GuestError::Shell(Unreachable { .. } | Interrupted { .. } | QueueFull { .. } | TimeLimit { .. })
    )
}

fn ended(said: &[u8]) -> Option<Ended> {
    let said = String::from_utf8_lossy(said);
    let mut words = said.lines().rev().find_map(|line| line.strip_prefix("end "))?.split(' ');
    let code = words.next()?.parse().ok()?;
    let end = match words.next()? {
        "itself" => End::Itself,
        "limited" => End::TimeLimit,
        "stopped" => End::Stopped,
        _ => return None,
    };
    Some(Ended { code, end })
}
