//! What an operation holds of its account's quota for a copy that is not there yet.
#![allow(clippy::unwrap_used, reason = "tests say what they expect by failing")]

use domain::Aggregate as _;
use domain::operation::{Accepted, Command, Operation, OperationEvent as E};
use domain::pipeline::StepName;
use domain::quota::Takes;
use serde_json::{Value, json};

const CONTAINER: &str = "0199c0de-0000-7000-8000-000000000001";

fn command(kind: &str, more: &Value) -> Command {
    let mut command = json!({ "type": kind, "container": CONTAINER });
    command.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(command).unwrap()
}

#[test]
fn a_copy_counts_until_it_is_kept_or_its_operation_has_ended() {
    let rebuild = json!({ "operation": CONTAINER, "source": { "template": "nginx" } });
    let version = json!({ "name": "nginx", "hash": "a" });
    for (command, step, takes, kept) in [
        (command("take_snapshot", &json!({ "name": "a" })), StepName::TakeSnapshot, Some(Takes::Snapshot), true),
        (command("back_up", &json!({})), StepName::BackUp, Some(Takes::Backup), true),
        (
            command("rebuild_container", &json!({ "rebuild": rebuild, "backup_first": true })),
            StepName::BackUpFirst,
            Some(Takes::Backup),
            true,
        ),
        (command("rebuild_container", &json!({ "rebuild": rebuild })), StepName::BackUpFirst, None, false),
        // Nobody's record has the snapshot that an update goes back to.
        (
            command("update_container", &json!({ "from": version, "to": version })),
            StepName::GuardUpdate,
            Some(Takes::Snapshot),
            false,
        ),
        (
            command("update_container", &json!({ "from": version, "to": version, "without_snapshot": true })),
            StepName::GuardUpdate,
            None,
            false,
        ),
    ] {
        assert_eq!(command.takes(), takes, "{command:?}");
        let mut events = vec![E::Accepted(Accepted::new(command.clone(), None, None))];
        assert_eq!(Operation::fold(&events).making(), takes, "{command:?}");
        events.push(E::StepStarted { step, attempt: 1, intent: Value::Null });
        assert_eq!(Operation::fold(&events).making(), takes, "{command:?}");
        events.push(E::StepSucceeded { step, fact: Value::Null });
        assert_eq!(Operation::fold(&events).making(), takes.filter(|_| !kept), "{command:?}");
        events.push(E::Succeeded { summary: Value::Null });
        assert_eq!(Operation::fold(&events).making(), None, "{command:?}");
    }
}
