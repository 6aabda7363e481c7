//! Tasks: what Proxmox does after it has answered.

use serde::Deserialize;

use crate::call::Call;
use crate::client::Client;
use crate::error::{Result, Thing};
use crate::lenient;
use crate::upid::Upid;

/// A line of a task's log; `n` counts from 1.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LogLine {
    #[serde(deserialize_with = "lenient::whole")]
    pub n: u64,
    #[serde(default, deserialize_with = "lenient::text")]
    pub t: String,
}

/// `exit` is there when it is over: `OK`, `WARNINGS: n`, or what it died of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskStatus {
    Running,
    Over { exit: String },
}

/// A row of a list of tasks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Task {
    pub upid: Upid,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub starttime: u64,
    /// Missing while it runs.
    #[serde(default, deserialize_with = "lenient::maybe_whole")]
    pub endtime: Option<u64>,
    /// The exit status; `RUNNING` or missing while it runs.
    #[serde(default, deserialize_with = "lenient::maybe_text")]
    pub status: Option<String>,
}

/// Which tasks to list; the newest first.
#[derive(Clone, Debug, Default)]
pub struct TaskList {
    pub vmid: Option<u32>,
    pub kind: Option<String>,
    pub since: Option<u64>,
    pub until: Option<u64>,
    pub errors_only: bool,
    /// Those that run as well, which the archive alone does not have.
    pub with_active: bool,
    pub start: Option<u32>,
    pub limit: Option<u32>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    status: String,
    #[serde(default, deserialize_with = "lenient::maybe_text")]
    exitstatus: Option<String>,
}

/// How Proxmox calls the end of a worker that was killed, or whose node went down.
pub(crate) const INTERRUPTED: &str = "unexpected status";

impl Client {
    pub async fn task_status(&self, upid: &Upid) -> Result<TaskStatus> {
        let call = Call::get("/nodes/{node}/tasks/{upid}/status", &[&upid.node(), upid]);
        let row: Row = self.call(call).await?;
        Ok(match row.exitstatus {
            Some(exit) if row.status != "running" => TaskStatus::Over { exit },
            None if row.status != "running" => TaskStatus::Over { exit: INTERRUPTED.into() },
            _ => TaskStatus::Running,
        })
    }

    /// Up to `limit` lines from the `start`th (from 0), and how many there are.
    pub async fn task_log(&self, upid: &Upid, start: u64, limit: u32) -> Result<(Vec<LogLine>, u64)> {
        let call = Call::get("/nodes/{node}/tasks/{upid}/log", &[&upid.node(), upid])
            .with("start", start)
            .with("limit", limit);
        let answer = self.answer(&call).await?;
        let mut lines = self.read::<Option<Vec<LogLine>>>(&call, &answer)?.unwrap_or_default();
        // What Proxmox says of an empty log, as if it were a line of it.
        if start == 0 && matches!(lines.as_slice(), [only] if only.t == "no content") {
            lines.clear();
        }
        let read = start + lines.len() as u64;
        Ok((lines, answer.total.unwrap_or(read)))
    }

    pub async fn tasks(&self, node: &str, wanted: &TaskList) -> Result<Vec<Task>> {
        let mut call = Call::get("/nodes/{node}/tasks", &[&node])
            .maybe("vmid", &wanted.vmid)
            .maybe("typefilter", &wanted.kind)
            .maybe("since", &wanted.since)
            .maybe("until", &wanted.until)
            .maybe("start", &wanted.start)
            .maybe("limit", &wanted.limit);
        if wanted.errors_only {
            call = call.with("errors", true);
        }
        if wanted.with_active {
            call = call.with("source", "all");
        }
        self.list(call).await
    }

    /// Asks the task to stop: Proxmox waits up to 5 s for it, then kills it. One that is over, or unknown, is fine.
    pub async fn stop_task(&self, upid: &Upid) -> Result<()> {
        match self.order(Call::delete("/nodes/{node}/tasks/{upid}", &[&upid.node(), upid])).await {
            Err(error) if error.is_missing(Thing::Task) => Ok(()),
            other => other,
        }
    }
}
