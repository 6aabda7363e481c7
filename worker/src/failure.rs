//! What an error of Proxmox means for a step, said once, with a way out for the one who reads it.

use domain::operation::{Failure, FailureKind};
use proxmox::{Error, Retry, Thing};

use crate::step::StepError;

pub(crate) fn proxmox_failure(error: Error) -> StepError {
    let kind = match error.retry() {
        Retry::Never => FailureKind::Final,
        Retry::After(_) if matches!(error.root(), Error::Locked(..)) => FailureKind::Locked,
        Retry::After(_) if matches!(error.root(), Error::Unreachable(..)) => FailureKind::Unreachable,
        Retry::OutcomeUnknown => FailureKind::Unreachable,
        Retry::After(_) => FailureKind::Temporary,
    };
    let words = error.root().words().trim().to_owned();
    let (slug, title, detail) = match error.root() {
        Error::Unreachable(..) => {
            ("host-away", "The Proxmox host does not answer", "it or the way to it is down".to_owned())
        }
        Error::Locked(..) => ("guest-locked", "Proxmox has it locked", words.clone()),
        Error::Auth(_) => (
            "credentials-refused",
            "Proxmox refuses our credentials",
            "an operator has to renew them in the host's settings".to_owned(),
        ),
        Error::Permission(..) => {
            ("permission-missing", "Proxmox does not allow it", format!("{words}; `gantry doctor` says what grants it"))
        }
        Error::Parameter(fields, _) => (
            "parameter-refused",
            "Proxmox does not accept a value",
            fields.iter().map(|(name, words)| format!("{name}: {}", words.trim())).collect::<Vec<_>>().join("; "),
        ),
        Error::Tls { .. } => (
            "certificate-changed",
            "The host shows another certificate",
            "an operator has to check and pin it".to_owned(),
        ),
        Error::Interrupted(_) => (
            "task-interrupted",
            "A task of Proxmox was interrupted",
            "its node went down, or somebody stopped it there; retry when the node is well".to_owned(),
        ),
        Error::NotFound(Thing::Storage, _) => ("storage-missing", "There is no such storage", words),
        Error::NotFound(Thing::Bridge, _) => ("bridge-missing", "There is no such network bridge", words),
        Error::NotFound(Thing::Guest, _) => (
            "guest-missing",
            "The guest is gone from Proxmox",
            format!("{words}; somebody removed it there: restore a backup, rebuild the container, or delete it here"),
        ),
        Error::AlreadyExists(Thing::Guest, _) => ("vmid-taken", "The VMID is taken", words),
        _ if is_full(&words) => (
            "storage-full",
            "The storage is full",
            format!("{words}; free some space or choose another storage, then retry"),
        ),
        _ => ("proxmox-failed", "Proxmox could not do it", words),
    };
    StepError::new(kind, Failure::new(slug, title, detail).because(error))
}

/// Its configuration says so, in a word: `backup`, `migrate`.
pub(crate) fn guest_locked(lock: &str) -> StepError {
    let detail = format!("it is locked ({lock}); it is tried again");
    StepError::new(FailureKind::Locked, Failure::new("guest-locked", "Proxmox has it locked", detail))
}

fn is_full(words: &str) -> bool {
    let words = words.to_lowercase();
    ["no space left", "not enough free space", "out of space", "insufficient free space"]
        .iter()
        .any(|w| words.contains(w))
}
