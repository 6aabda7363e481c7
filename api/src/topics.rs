//! Where watchers and workers hear of an operation; the worker calls them by the same names.

use domain::OperationId;

/// Another container is to be deleted, or one is not any more.
pub(crate) const DELETIONS: &str = "deletions";

/// There is more progress, up to a number.
#[must_use]
pub(crate) fn progress(operation: OperationId) -> String {
    format!("operation:{operation}")
}

/// Something was asked of it.
#[must_use]
pub(crate) fn asked(operation: OperationId) -> String {
    format!("asked:{operation}")
}
