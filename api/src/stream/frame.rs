//! What goes over the wire: server-sent events, rendered once and shared.

use bytes::Bytes;
use platform::series::records::Record;
use serde::Serialize;

/// How long a watcher waits before it comes back after its connection ended.
const RETRY_MS: u32 = 1000;

/// What a watcher is handed.
#[derive(Debug, Clone)]
pub(super) enum Frame {
    Event(Event),
    /// Whoever has less than this number has something to read.
    At(i64),
    Beat,
}

#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) seq: i64,
    pub(super) bytes: Bytes,
    /// Nothing follows, unless somebody retries.
    pub(super) ends: bool,
}

pub(super) const BEAT: Bytes = Bytes::from_static(b"event: heartbeat\ndata: {}\n\n");

impl From<Record> for Event {
    fn from(mut record: Record) -> Self {
        // Where a worker goes on reading is between workers.
        if let Some(body) = record.body.as_object_mut() {
            body.remove("next");
        }
        let kind = record.body.get("type").and_then(serde_json::Value::as_str);
        let ends = matches!(kind, Some("complete" | "error"));
        // JSON has no bare line ends: one `data:` line is enough.
        let bytes = format!("id: {}\nevent: progress\ndata: {}\n\n", record.seq, record.body);
        Self { seq: record.seq, bytes: bytes.into(), ends }
    }
}

/// The first event: how things stand, and the number of the last event there is. It has no id of its own.
#[must_use]
pub fn snapshot(operation: &impl Serialize, last: i64) -> Bytes {
    let data = serde_json::json!({ "operation": operation, "last_event_id": last });
    format!("retry: {RETRY_MS}\nevent: snapshot\ndata: {data}\n\n").into()
}
