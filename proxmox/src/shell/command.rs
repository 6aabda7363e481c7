//! A command as an argument vector; it becomes text only in `script`.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use super::error::ShellError;
use super::stdin::Stdin;

pub struct Command {
    pub(super) program: String,
    pub(super) arguments: Vec<Vec<u8>>,
    pub(super) env: Vec<(String, String)>,
    pub(super) stdin: Stdin,
    pub(super) limit: Duration,
}

impl Command {
    pub fn new(program: impl Into<String>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            env: Vec::new(),
            stdin: Stdin::Empty,
            limit: Duration::from_secs(60),
        }
    }

    /// Anybody on the host can read arguments: nothing secret.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().as_bytes().to_vec());
        self
    }

    #[must_use]
    pub fn args<A: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = A>) -> Self {
        arguments.into_iter().fold(self, Command::arg)
    }

    /// Like an argument, visible on the host: nothing secret.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// What the command reads; without it, the end of input at once, so that no question can hang it.
    #[must_use]
    pub fn stdin(mut self, stdin: impl Into<Stdin>) -> Self {
        self.stdin = stdin.into();
        self
    }

    /// How long it may run; then its processes are ended.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    pub(super) fn check(&self) -> Result<(), ShellError> {
        let refuse = |reason| Err(ShellError::NotACommand(reason));
        if self.program.is_empty() || self.program.starts_with('-') {
            return refuse("the program's name is empty or starts with a dash");
        }
        let nul = self.program.contains('\0')
            || self.arguments.iter().any(|argument| argument.contains(&0))
            || self.env.iter().any(|(_, value)| value.contains('\0'));
        if nul {
            return refuse("an argument holds a NUL byte, which no program can be given");
        }
        if !self.env.iter().all(|(name, _)| is_variable(name)) {
            return refuse("an environment variable's name is not one (letters, digits, _)");
        }
        Ok(())
    }
}

pub(super) fn is_variable(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Arguments may hold what a log must not keep.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {} arguments", self.program, self.arguments.len())
    }
}
