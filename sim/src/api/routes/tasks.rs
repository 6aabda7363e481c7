use std::time::Duration;

use serde_json::{Value, json};

use super::Answer;
use crate::api::answer::Done;
use crate::api::asked::Asked;
use crate::model::task::{self, Task};
use crate::refusal::Refusal;

pub(super) async fn answer(name: &str, asked: &Asked) -> Option<Answer> {
    Some(match name {
        "GET /nodes/{node}/tasks" => Ok(list(asked)),
        "GET /nodes/{node}/tasks/{upid}" => Ok(super::names(&["log", "status"]).into()),
        "GET /nodes/{node}/tasks/{upid}/status" => find(asked).map(|task| task.status().into()),
        "GET /nodes/{node}/tasks/{upid}/log" => find(asked).map(|task| log(asked, &task)),
        "DELETE /nodes/{node}/tasks/{upid}" => stop(asked).await,
        _ => return None,
    })
}

/// The asked task; others' are for auditors.
fn find(asked: &Asked) -> Result<Task, Refusal> {
    let upid = asked.need("upid");
    let Some(parsed) = task::parse(&upid) else {
        return Err(Refusal::parameter("upid", "unable to parse worker upid"));
    };
    let state = asked.world.state();
    let own = parsed.user == asked.who.id()
        || asked.who.token.is_none() && parsed.user.split('!').next() == Some(asked.who.user.as_str());
    if !own {
        state.demand(&asked.who, &format!("/nodes/{}", asked.node), "Sys.Audit")?;
    }
    state
        .tasks
        .iter()
        .rev()
        .find(|task| task.upid == upid && task.node == parsed.node)
        .cloned()
        .ok_or_else(|| Refusal::parameter("upid", "no such task"))
}

fn list(asked: &Asked) -> Done {
    let state = asked.world.state();
    let foreign = state.may(&asked.who, &format!("/nodes/{}", asked.node), "Sys.Audit");
    let source = asked.text("source").unwrap_or_else(|| "archive".to_owned());
    let since = asked.number("since").and_then(|at| i64::try_from(at).ok());
    let until = asked.number("until").and_then(|at| i64::try_from(at).ok());
    let statuses = asked.list("statusfilter");
    let kinds = asked.text("typefilter");
    let fits = |task: &&Task| {
        let status = match task.exit.as_deref() {
            Some("OK") => "ok",
            Some(exit) if exit.starts_with("WARNINGS") => "warning",
            Some("unexpected status") => "unknown",
            _ => "error",
        };
        task.node == asked.node
            && (foreign || task.user == asked.who.id())
            && match source.as_str() {
                "active" => task.exit.is_none(),
                "all" => true,
                _ => task.exit.is_some(),
            }
            && kinds.as_ref().is_none_or(|kind| task.kind == *kind)
            && asked.text("vmid").is_none_or(|vmid| task.id == vmid)
            && asked.text("userfilter").is_none_or(|user| task.user.to_lowercase().contains(&user.to_lowercase()))
            && (!asked.flag("errors") || task.failed())
            && (statuses.is_empty() || statuses.iter().any(|wanted| wanted == status))
            && since.is_none_or(|since| task.start >= since)
            && until.is_none_or(|until| task.start <= until)
    };
    let all: Vec<&Task> = state.tasks.iter().rev().filter(fits).collect();
    let total = all.len();
    let (start, limit) = (asked.number("start").unwrap_or(0), asked.number("limit").unwrap_or(50));
    let page = all
        .into_iter()
        .skip(usize::try_from(start).unwrap_or(usize::MAX))
        .take(usize::try_from(limit).unwrap_or(usize::MAX));
    let data = page.map(|task| if task.exit.is_none() { task.active() } else { task.finished() }).collect();
    // Of nothing the real one gives no total.
    Done { data, total: (total > 0).then_some(total) }
}

fn log(asked: &Asked, task: &Task) -> Done {
    let lines: Vec<&str> =
        if task.log.is_empty() { vec!["no content"] } else { task.log.iter().map(String::as_str).collect() };
    let start = asked.number("start").and_then(|start| usize::try_from(start).ok()).unwrap_or(0);
    let limit = match asked.number("limit") {
        Some(0) => usize::MAX,
        Some(limit) => usize::try_from(limit).unwrap_or(usize::MAX),
        None => 50,
    };
    let page = lines.iter().enumerate().skip(start).take(limit);
    Done { data: page.map(|(at, line)| json!({"n": at + 1, "t": line})).collect(), total: Some(lines.len()) }
}

async fn stop(asked: &Asked) -> Answer {
    let task = {
        let upid = asked.need("upid");
        let Some(parsed) = task::parse(&upid) else {
            return Err(Refusal::parameter("upid", "unable to parse worker upid"));
        };
        if parsed.user != asked.who.id() && parsed.user != asked.who.user {
            asked.demand(&format!("/nodes/{}", asked.node), "Sys.Modify")?;
        }
        asked
            .world
            .state()
            .tasks
            .iter()
            .find(|task| task.upid == upid)
            .cloned()
            .ok_or_else(|| Refusal::parameter("upid", "no such task"))?
    };
    if asked.world.kill(&task.upid) {
        // TERM, then up to five seconds until KILL.
        asked.world.pause(Duration::from_secs(5)).await;
        asked.world.ended(&task.upid).await;
    }
    Ok(Value::Null.into())
}
