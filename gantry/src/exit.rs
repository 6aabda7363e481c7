//! What the shell is told, and how a failure reaches the person at the terminal.

use std::process::ExitCode;

/// The exit codes; documented in `gantry --help` and in the README.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Failed = 1,
    /// The command line or the settings are wrong; nothing was begun.
    Usage = 2,
    OperationFailed = 3,
    Cancelled = 4,
    /// The API does not answer.
    Unreachable = 5,
    /// The API refused: the token, the values, the state.
    Refused = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A cause, an exit code, and what to do next.
#[derive(Debug)]
pub(crate) struct Failure {
    pub error: anyhow::Error,
    pub exit: Exit,
    pub next: Option<String>,
}

pub(crate) type Outcome<T = Exit> = Result<T, Failure>;

impl<E> From<E> for Failure
where
    anyhow::Error: From<E>,
{
    fn from(error: E) -> Self {
        Self { error: error.into(), exit: Exit::Failed, next: None }
    }
}

impl Failure {
    pub(crate) fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self { error: anyhow::Error::msg(what.into()), exit, next: None }
    }

    pub(crate) fn next(mut self, step: impl Into<String>) -> Self {
        self.next = Some(step.into());
        self
    }

    pub(crate) fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }
}

/// Says what was being done when something failed.
pub(crate) trait While<T> {
    fn during(self, what: impl Into<String>) -> Outcome<T>;
}

impl<T, E: Into<Failure>> While<T> for Result<T, E> {
    fn during(self, what: impl Into<String>) -> Outcome<T> {
        self.map_err(|error| {
            let failure: Failure = error.into();
            Failure { error: failure.error.context(what.into()), ..failure }
        })
    }
}
