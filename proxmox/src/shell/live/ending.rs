//! How a command comes to its end.

use std::io::Read;
use std::time::Instant;

use super::super::error::ShellError;
use super::super::mailbox::{Codes, Job};
use super::{CLOSING, EAGAIN, Failed, Live, Phase, Step};

impl Live {
    pub(super) fn close(&mut self, now: Instant) -> Step {
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

    pub(super) fn finish(&mut self, now: Instant) -> Step {
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
    pub(in super::super) fn lose(&mut self, reason: &str) -> Option<(Box<Job>, Failed)> {
        let failed = self.killing.take().unwrap_or_else(|| Failed::Interrupted(reason.to_owned()));
        Some((self.job.take()?, failed))
    }
}

impl Failed {
    pub(in super::super) fn into_error(self, host: &str, job: &Job, killed: bool) -> ShellError {
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
