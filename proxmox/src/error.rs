//! What can go wrong, said once. Proxmox's own words are kept in every error.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::tls::CertificateChanged;
use crate::upid::Upid;

/// Who said it, to which call, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    pub host: Box<str>,
    /// `POST /nodes/pve1/lxc`
    pub call: Box<str>,
    /// The HTTP status; 0 when there was none.
    pub status: u16,
    pub words: String,
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}: {}", self.call, self.host, self.words)
    }
}

/// What is not there, or is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    Guest,
    Snapshot,
    Storage,
    Volume,
    Disk,
    Pool,
    Node,
    Bridge,
    Task,
    Metrics,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Running,
    Stopped,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Another process holds the lock file of the guest's configuration (Proxmox waits 10 s for it first).
    File,
    /// The configuration says so: `backup`, `create`, `snapshot`, … Only `pct unlock` removes one that was left behind.
    Config(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// A privilege is missing on a path.
    Privilege { path: String, privilege: String },
    /// Only root@pam with a ticket may; a token of root@pam may not.
    RootOnly,
    /// This call refuses API tokens.
    NotWithToken,
    /// Proxmox does not say which.
    Unnamed,
}

/// Whether a request that failed on its way may have been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    NotDone,
    Unknown,
}

/// What a caller may do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    Never,
    After(Duration),
    /// Look first whether it was done.
    OutcomeUnknown,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("not found: {1}")]
    NotFound(Thing, Said),
    #[error("it exists already: {1}")]
    AlreadyExists(Thing, Said),
    #[error("it is so already: {1}")]
    AlreadySo(State, Said),
    #[error("locked: {1}")]
    Locked(Lock, Said),
    #[error("Proxmox does not accept our credentials: {0}")]
    Auth(Said),
    #[error("not allowed: {1}. `gantry doctor` says what grants it")]
    Permission(Denied, Said),
    #[error("Proxmox does not accept a parameter: {1} ({fields})", fields = listed(.0))]
    Parameter(BTreeMap<String, String>, Said),
    #[error("somebody else changed it meanwhile: {0}")]
    Conflict(Said),
    #[error("unreachable: {1}")]
    Unreachable(Outcome, Said),
    /// A task ended badly; `cause` is its last line, classified like an answer.
    #[error("the task failed: {exit} ({upid})")]
    TaskFailed { upid: Box<Upid>, exit: String, cause: Box<Error> },
    /// A task that came to no end of its own: its node went down, or somebody stopped it.
    #[error("interrupted: {0}")]
    Interrupted(Said),
    #[error("{host}: {changed}")]
    Tls { host: String, changed: CertificateChanged },
    #[error("{0}")]
    Other(Said),
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Whether doing the same again can help.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Locked(Lock::File, _) => Retry::After(Duration::from_secs(2)),
            Self::Locked(Lock::Config(_), _) => Retry::After(Duration::from_secs(5)),
            Self::Unreachable(Outcome::NotDone, _) | Self::Interrupted(_) => Retry::After(Duration::from_secs(2)),
            Self::Unreachable(Outcome::Unknown, _) => Retry::OutcomeUnknown,
            Self::Conflict(_) => Retry::After(Duration::ZERO),
            Self::TaskFailed { cause, .. } => cause.retry(),
            _ => Retry::Never,
        }
    }

    /// Proxmox's own words.
    pub fn words(&self) -> &str {
        match self {
            Self::NotFound(_, said)
            | Self::AlreadyExists(_, said)
            | Self::AlreadySo(_, said)
            | Self::Locked(_, said)
            | Self::Auth(said)
            | Self::Permission(_, said)
            | Self::Parameter(_, said)
            | Self::Conflict(said)
            | Self::Unreachable(_, said)
            | Self::Interrupted(said)
            | Self::Other(said) => &said.words,
            Self::TaskFailed { exit, .. } => exit,
            Self::Tls { .. } => "",
        }
    }

    /// The error itself, or what a failed task died of.
    pub fn root(&self) -> &Self {
        if let Self::TaskFailed { cause, .. } = self { cause } else { self }
    }

    pub fn is_missing(&self, thing: Thing) -> bool {
        matches!(self.root(), Self::NotFound(found, _) if *found == thing)
    }

    pub fn is_already(&self, state: State) -> bool {
        matches!(self.root(), Self::AlreadySo(found, _) if *found == state)
    }

    /// A short constant for metrics.
    pub fn label(&self) -> &'static str {
        match self {
            Self::NotFound(..) => "not_found",
            Self::AlreadyExists(..) => "already_exists",
            Self::AlreadySo(..) => "already_so",
            Self::Locked(..) => "locked",
            Self::Auth(_) => "auth",
            Self::Permission(..) => "permission",
            Self::Parameter(..) => "parameter",
            Self::Conflict(_) => "conflict",
            Self::Unreachable(..) => "unreachable",
            Self::TaskFailed { .. } => "task_failed",
            Self::Interrupted(_) => "interrupted",
            Self::Tls { .. } => "tls",
            Self::Other(_) => "other",
        }
    }
}

fn listed(fields: &BTreeMap<String, String>) -> String {
    fields.iter().map(|(name, words)| format!("{name}: {}", words.trim_end())).collect::<Vec<_>>().join("; ")
}
