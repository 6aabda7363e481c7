use super::Status;
use crate::pipeline::StepName;

/// Why an operation does not do what is asked of it. The text is for the person who asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OperationRejection {
    #[error("{asked}: there is no such operation")]
    Unknown { asked: &'static str },
    #[error("accept: the operation has been accepted before")]
    AlreadyAccepted,
    #[error("{asked}: the operation has already {}", .status.past())]
    Ended { asked: &'static str, status: Status },
    #[error("cancel: {step} can't be taken back any more; the operation has to go through")]
    NoWayBack { step: StepName },
    #[error("cancel: the operation has failed and is being taken down already")]
    BeingTakenDown,
    #[error("retry: the operation is {status}; only a failed one can be retried")]
    NotRetryable { status: Status },
    #[error("{asked} {step}: {due} is due")]
    NotDue { asked: &'static str, step: StepName, due: String },
    #[error("{asked} {step}: it has not been started")]
    NotStarted { asked: &'static str, step: StepName },
    #[error("{asked}: {due} is due")]
    NotTheEnd { asked: &'static str, due: String },
}
