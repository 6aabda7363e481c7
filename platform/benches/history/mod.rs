//! Operations as a create leaves them in the log, to fill it with.

use domain::{
    Aggregate as _, ContainerId, Event as _, Meta, OperationId,
    operation::{Accepted, Command, Operation, OperationEvent},
};
use platform::log::{Append, Expected, Log};
use uuid::Uuid;

pub(crate) fn history() -> Vec<OperationEvent> {
    let accepted = Accepted::new(Command::StartContainer { container: ContainerId::new(Uuid::now_v7()) }, None, None);
    let steps: Vec<_> = accepted.pipeline.table().steps().map(|step| step.name).collect();
    let mut events = vec![OperationEvent::Accepted(accepted), OperationEvent::Claimed { worker: "worker-1".into() }];
    for step in steps.iter().cycle().take(9) {
        events.push(OperationEvent::StepStarted {
            step: *step,
            attempt: 1,
            intent: serde_json::json!({ "vmid": 4711, "node": "pve1" }),
        });
        events.push(OperationEvent::StepSucceeded {
            step: *step,
            fact: serde_json::json!({ "upid": "UPID:pve1:00001234" }),
        });
    }
    events
}

/// An operation, whole.
pub(crate) fn operation(append: Append) -> Append {
    let events = history().iter().map(|event| event.encode().unwrap()).collect();
    append.stream(Operation::stream(OperationId::new(Uuid::now_v7())), Expected::New, events)
}

/// So many operations more; the position of the log's end.
pub(crate) async fn fill(log: &Log, operations: usize) -> i64 {
    for batch in 0..operations.div_ceil(100) {
        let many = (operations - batch * 100).min(100);
        let append = (0..many).fold(Append::new(Meta::system("bench")), |append, _| operation(append));
        log.append(append).await.unwrap();
    }
    log.end().await.unwrap().position.0
}
