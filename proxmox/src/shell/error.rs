//! What can go wrong, and what it means for the command: not run, run, or unknown.

use std::time::Duration;

use super::hostkey::HostKey;

#[derive(Clone, Debug, thiserror::Error)]
pub enum ShellError {
    /// Nothing was run.
    #[error("{host} cannot be reached over SSH: {reason}")]
    Unreachable { host: String, reason: String },
    /// Nothing was run and nothing secret was sent.
    #[error(
        "{host} shows another SSH host key than the pinned one: pinned {pinned}, shown {shown}. If the host was \
         reinstalled, check the key on its console and pin it anew; otherwise somebody may be in between"
    )]
    HostKeyChanged { host: String, pinned: Box<HostKey>, shown: Box<HostKey> },
    /// Nothing was run.
    #[error("{host} refuses the SSH credentials of {user}: {reason}")]
    AuthRefused { host: String, user: String, reason: String },
    /// Nothing was run.
    #[error("too many commands wait for {host}; try again when some have ended")]
    QueueFull { host: String },
    /// Nothing was run.
    #[error("the command cannot be sent: {0}")]
    NotACommand(&'static str),
    /// The command may have run, may still run, and its code is not known: look before doing it again.
    #[error("the connection to {host} ended before {program} did ({reason}); whether it finished is not known")]
    Interrupted { host: String, program: String, reason: String },
    #[error("{program} on {host} took longer than {limit:?} and was stopped{}", if *.killed { "" } else { " (it may still run: the host could not be told to end it)" })]
    TimeLimit { host: String, program: String, limit: Duration, killed: bool },
    #[error("{program} on {host} failed with code {code}: {said}")]
    Failed { host: String, program: String, code: u8, said: String },
    #[error("the connection's thread has ended")]
    Closed,
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum GuestError {
    #[error("there is no container {vmid} on {host}")]
    Unknown { host: String, vmid: u32 },
    #[error("container {vmid} on {host} is not running")]
    NotRunning { host: String, vmid: u32 },
    /// `pct` ended without the command's own code: the container stopped under it, or `pct` could not start it.
    #[error("{program} in container {vmid} on {host} did not come to its end: pct ended with {code}: {said}")]
    Lost { host: String, vmid: u32, program: String, code: u8, said: String },
    #[error("{path} in container {vmid}: {reason}")]
    Copy { vmid: u32, path: String, reason: String },
    #[error("the password cannot be set: {0}")]
    Password(&'static str),
    #[error("the run {run} in container {vmid} is gone: the container was restarted or its /run was cleared")]
    RunGone { vmid: u32, run: String },
    #[error("the run {run} in container {vmid} ended without a code: its supervisor was killed")]
    RunDied { vmid: u32, run: String },
    #[error("a file on this machine: {0}")]
    Local(String),
    #[error(transparent)]
    Shell(#[from] ShellError),
}
