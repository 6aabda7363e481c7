/// What can go wrong with a simulated guest.
#[derive(Debug, thiserror::Error)]
pub enum GuestError {
    #[error(
        "this machine does not allow the namespaces that keep a simulated container's scripts away from it ({0}). \
         Nothing will be run here. Allow user namespaces (as root: sysctl -w kernel.unprivileged_userns_clone=1, or \
         kernel.apparmor_restrict_unprivileged_userns=0) or run as root on Linux; or go on with --dry-shell, which only echoes commands"
    )]
    NoIsolation(String),
    #[error("commands are not run here (dry shell)")]
    Dry,
    #[error("there is no simulated container {0}")]
    Unknown(u32),
    #[error("a simulated container {0} exists already")]
    Exists(u32),
    #[error("the simulated machine {0} is not running")]
    NotRunning(String),
    #[error("snapshot {0:?} is not there")]
    NoSnapshot(String),
    #[error("snapshot {0:?} is there already")]
    SnapshotExists(String),
    #[error("could not {what}: {source}")]
    Io { what: String, source: std::io::Error },
    #[error("{what} failed: {said}")]
    Tool { what: String, said: String },
}

impl GuestError {
    pub(crate) fn io(what: impl Into<String>, source: std::io::Error) -> Self {
        Self::Io { what: what.into(), source }
    }
}
