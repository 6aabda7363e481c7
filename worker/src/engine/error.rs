use domain::operation::OperationRejection;
use platform::log::{AppendError, LogError};
use platform::vault::VaultError;
use platform::views::ViewError;

/// Why the engine stopped working on an operation. Nothing of it is the operation's own failure: that is in its log.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Another process has claimed it; whatever we still did, the log has not taken it.
    #[error("{worker} works on it now")]
    Lost { worker: String },
    /// Something was asked of the operation meanwhile; what is next is another thing than it was.
    #[error("the operation is cancelled meanwhile")]
    Overtaken,
    #[error("secrets can't be forgotten: {0}")]
    Vault(#[from] VaultError),
    #[error("the line can't be read: {0}")]
    View(#[from] ViewError),
    #[error("the operation has no container")]
    NoTarget,
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Append(#[from] AppendError),
    #[error("the engine asked for what the rules refuse: {0}")]
    Rejected(#[from] OperationRejection),
    #[error("an event can't be written: {0}")]
    Encode(#[from] serde_json::Error),
}
