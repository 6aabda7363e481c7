//! A script in a guest that a lost connection does not lose: it runs under a supervisor in the guest, its output and
//! code wait in `/run/gantry/<run>`, and whoever knows the run's id can attach, as often as needed.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::command::is_variable;
use super::error::{GuestError, ShellError};
use super::follow::Attached;
use super::line::Stream;
use super::pct::Guest;
use super::quote::quote;
use super::secret::Secret;

const LAUNCH: &str = include_str!("launch.sh");
const SUPERVISE: &str = include_str!("supervise.sh");
const STOP: &str = r#"
cd "/run/gantry/$1" 2>/dev/null || exit 74
[ -e rc ] && exit 0
kill -TERM "$(cat pid)" 2>/dev/null || exit 75
tries=0; until [ -e rc ]; do [ $tries = 300 ] && exit 76; tries=$((tries + 1)); sleep 0.05; done"#;
const FORGET: &str = r#"rm -rf -- "/run/gantry/$1""#;

/// Names one run of one script for ever: `<operation>-<step>-<n>`. The same id is never run twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunId(String);

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a run's id: 1 to 100 letters, digits, - and _")]
pub struct NotARunId;

impl FromStr for RunId {
    type Err = NotARunId;

    fn from_str(text: &str) -> Result<Self, NotARunId> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let fits = (1..=100).contains(&text.len()) && text.bytes().all(plain);
        if fits { Ok(Self(text.to_owned())) } else { Err(NotARunId) }
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A script as its author wrote it; its first line chooses the interpreter, else `sh`.
#[derive(Clone, Debug)]
pub struct Script {
    pub body: Vec<u8>,
    /// Reaches the script by way of a file that only root can read and that is gone before the script runs.
    pub env: Vec<(String, Secret)>,
    /// Kept in the guest too, connection or not.
    pub limit: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    pub stream: Stream,
    pub text: String,
    /// Where to attach to get what comes after this line.
    pub next: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Itself,
    TimeLimit,
    Stopped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    pub code: u8,
    pub end: End,
}

/// The scripts of one guest.
#[derive(Clone)]
pub struct Detached {
    guest: Guest,
}

impl Guest {
    pub fn detached(&self) -> Detached {
        Detached { guest: self.clone() }
    }
}

impl Detached {
    /// Starts the script, unless this run was started before (then false): asking again after an error is safe.
    pub async fn launch(&self, run: &RunId, script: &Script) -> Result<bool, GuestError> {
        let mut env = Vec::new();
        for (name, value) in &script.env {
            if !is_variable(name) || value.expose().contains(&0) {
                return Err(ShellError::NotACommand(
                    "an environment variable's name is not one, or its value holds NUL",
                )
                .into());
            }
            env.extend_from_slice(name.as_bytes());
            env.push(b'=');
            env.extend(quote(value.expose()));
            env.push(b'\n');
        }
        let sizes = [env.len(), script.body.len(), SUPERVISE.len()].map(|size| size.to_string());
        let payload = Secret::new([env.as_slice(), &script.body, SUPERVISE.as_bytes()].concat());
        zeroize::Zeroize::zeroize(&mut env);
        let limit = script.limit.as_secs().max(1).to_string();
        let command = Guest::sh(LAUNCH).args([run.0.clone(), limit]).args(sizes).args(interpreter(&script.body));
        let output = self.guest.output(command.stdin(payload)).await?;
        match output.code {
            0 => Ok(true),
            10 => Ok(false),
            code => Err(self.failed("launch", code, output.said())),
        }
    }

    /// The run's lines from `offset` (0, or [`LogLine::next`] of the last line that was kept), then its end.
    pub fn attach(&self, run: &RunId, offset: u64) -> Attached {
        Attached::new(self.guest.clone(), run.clone(), offset)
    }

    /// Ends the run's processes; returns when they are gone. No matter if it has ended already.
    pub async fn stop(&self, run: &RunId) -> Result<(), GuestError> {
        let output = self.guest.output(Guest::sh(STOP).arg(&run.0)).await?;
        match output.code {
            0 => Ok(()),
            74 => Err(GuestError::RunGone { vmid: self.guest.vmid, run: run.to_string() }),
            75 => Err(GuestError::RunDied { vmid: self.guest.vmid, run: run.to_string() }),
            code => Err(self.failed("stop", code, output.said())),
        }
    }

    /// Removes what an ended run left in the guest.
    pub async fn forget(&self, run: &RunId) -> Result<(), GuestError> {
        let output = self.guest.output(Guest::sh(FORGET).arg(&run.0)).await?;
        if output.code == 0 { Ok(()) } else { Err(self.failed("forget", output.code, output.said())) }
    }

    fn failed(&self, program: &str, code: u8, said: String) -> GuestError {
        let host = self.guest.shell.host().to_owned();
        ShellError::Failed { host, program: program.to_owned(), code, said }.into()
    }
}

/// Not by executing the file: /run may be mounted noexec. Like the kernel, at most one argument.
fn interpreter(body: &[u8]) -> Vec<String> {
    let first = body.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let first = String::from_utf8_lossy(first);
    match first.strip_prefix("#!").map(str::trim) {
        Some(line) if !line.is_empty() => {
            line.splitn(2, char::is_whitespace).map(|word| word.trim().to_owned()).collect()
        }
        _ => vec!["sh".to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_chooses_the_interpreter() {
        assert_eq!(interpreter(b"#!/bin/bash -eu\ntrue"), ["/bin/bash", "-eu"]);
        assert_eq!(interpreter(b"#! /usr/bin/env  bash\ntrue"), ["/usr/bin/env", "bash"]);
        assert_eq!(interpreter(b"echo '#!'"), ["sh"]);
    }

    #[test]
    fn an_id_is_a_plain_name() {
        for text in ["", "a/b", "..", "a.b", "a b"] {
            assert_eq!(text.parse::<RunId>(), Err(NotARunId), "{text}");
        }
        assert!("01J-scripts-2".parse::<RunId>().is_ok());
    }
}
