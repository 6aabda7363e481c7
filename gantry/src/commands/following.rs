//! Watching an operation to its end; what `create`, `delete`, `retry` and `watch` have in common.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    client::{Client, Event, read, shape},
    exit::{Exit, Failure, Outcome},
    output::Output,
};

/// Shows the operation until it has ended; then its state is the answer. Ctrl-C ends the watching, not the operation.
pub(crate) async fn to_the_end(client: &Client, id: Uuid, title: &str, after: i64, out: Output) -> Outcome {
    tokio::select! {
        ended = watch(client, id, title, after, out) => ended,
        _ = tokio::signal::ctrl_c() => {
            out.say(format!("\nIt goes on without you: `gantry watch {id}` comes back to it, `gantry cancel {id}` ends it."));
            Ok(Exit::Done)
        }
    }
}

async fn watch(client: &Client, id: Uuid, title: &str, after: i64, out: Output) -> Outcome {
    let mut follow = out.follow(title);
    let mut watch = client.watch(id, after);
    let mut ended = None;
    while let Some(event) = watch.next().await? {
        match event {
            Event::Snapshot { operation, .. } => {
                let operation: shape::Operation = read(&operation)?;
                follow.began(operation.created_at, operation.percent);
            }
            Event::Lost { because } => follow.lost(&because),
            Event::Progress { raw, progress, .. } => ended = follow.event(&progress, &raw),
        }
    }
    drop(follow);
    let raw = client.get(&format!("/v1/operations/{id}"), &[]).await?;
    if out.is_json() {
        out.answer(&raw, String::new);
    }
    let operation: shape::Operation = read(&raw)?;
    summary(&raw["summary"], out);
    exit_of(ended.unwrap_or_else(|| status(&operation)), &operation)
}

fn status(operation: &shape::Operation) -> Exit {
    use domain::operation::Status;
    match operation.status {
        Status::Succeeded | Status::Queued | Status::Running => Exit::Done,
        Status::Cancelled => Exit::Cancelled,
        Status::Failed | Status::Stuck => Exit::OperationFailed,
    }
}

fn exit_of(exit: Exit, operation: &shape::Operation) -> Outcome {
    if exit != Exit::OperationFailed {
        return Ok(exit);
    }
    let id = operation.id;
    let what =
        operation.error.as_ref().map_or_else(|| "it failed".to_owned(), |e| format!("{}: {}", e.title, e.detail));
    let next = format!(
        "`gantry show {id}` tells each step, `gantry logs {id}` what was said, `gantry retry {id}` tries again"
    );
    Err(Failure::new(Exit::OperationFailed, what).next(next))
}

/// What came of it, in the order in which it was told.
fn summary(summary: &Value, out: Output) {
    let Some(fields) = summary.as_object() else { return };
    let list =
        |value: &Value| value.as_array().map(|all| all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "));
    let lines = [
        ("container", fields.get("hostname").and_then(Value::as_str).map(str::to_owned)),
        ("at", place(summary)),
        ("addresses", fields.get("addresses").and_then(list)),
        ("open", fields.get("urls").and_then(list)),
        ("services", fields.get("services").map(services)),
        ("ended", fields.get("stopping").and_then(Value::as_str).map(stopping)),
    ];
    for (name, value) in lines {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            out.say(format!("  {name:<10} {value}"));
        }
    }
}

fn stopping(how: &str) -> String {
    match how {
        "graceful" => "by itself".to_owned(),
        "forced" => "it took too long and was stopped".to_owned(),
        _ => "at once".to_owned(),
    }
}

fn place(summary: &Value) -> Option<String> {
    Some(format!("{} (VMID {})", summary["node"].as_str()?, summary["vmid"]))
}

fn services(services: &Value) -> String {
    let one = |service: &Value| {
        let process = service["process"].as_str().unwrap_or("?");
        format!("{process} on {}/{}", service["port"], service["protocol"].as_str().unwrap_or("tcp"))
    };
    services.as_array().into_iter().flatten().map(one).collect::<Vec<_>>().join(", ")
}

/// An operation was accepted: followed to its end, or left to itself.
pub(super) async fn accepted(client: &Client, answer: &Value, title: &str, detach: bool, out: Output) -> Outcome {
    let operation: shape::Operation = read(answer)?;
    if !detach {
        return to_the_end(client, operation.id, title, 0, out).await;
    }
    out.answer(answer, || format!("Accepted. `gantry watch {}` follows it.", operation.id));
    Ok(Exit::Done)
}

/// What a list says that was cut off.
pub(super) fn items(items: &[Value], more: bool) -> Value {
    json!({ "items": items, "more": more })
}
