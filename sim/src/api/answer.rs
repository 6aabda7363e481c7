//! Answers as the real one writes them.

use serde_json::{Value, json};

use crate::refusal::Refusal;

/// What goes back over the wire.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) reason: String,
    pub(super) body: Vec<u8>,
    pub(super) kind: &'static str,
    /// Came from the privileged daemon.
    pub(super) proxied: bool,
    pub(super) location: Option<String>,
}

/// How a caller wants answers: by the word after `/api2/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Ext,
}

/// A call's result: its data, and what stands beside it.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) data: Value,
    pub(super) total: Option<usize>,
}

impl From<Value> for Done {
    fn from(data: Value) -> Self {
        Self { data, total: None }
    }
}

impl Response {
    /// An answer before any format is known: the reason is the body.
    pub(super) fn plain(status: u16, reason: &str) -> Self {
        let line = reason.trim_end().to_owned();
        Self {
            status,
            reason: line,
            body: reason.as_bytes().to_vec(),
            kind: "text/plain",
            proxied: false,
            location: None,
        }
    }

    pub(super) fn empty(status: u16, reason: &str) -> Self {
        Self { status, reason: reason.to_owned(), body: Vec::new(), kind: "", proxied: false, location: None }
    }

    pub(super) fn of(format: Format, done: Result<Done, Refusal>, proxied: bool) -> Self {
        let (status, reason, body) = match (format, done) {
            (Format::Json, Ok(done)) => {
                let mut body = json!({"data": done.data});
                if let Some(total) = done.total {
                    body["total"] = json!(total);
                }
                (200, "OK".to_owned(), body)
            }
            (Format::Ext, Ok(done)) => {
                let mut body = json!({"success": 1, "data": done.data});
                if let Some(total) = done.total {
                    body["total"] = json!(total);
                }
                (200, "OK".to_owned(), body)
            }
            (Format::Json, Err(refusal)) => {
                let mut body = json!({"data": null, "message": format!("{}\n", refusal.message)});
                // A refused login says nothing in its body.
                if refusal.status == 401 {
                    body = json!({"data": null});
                }
                if !refusal.errors.is_empty() {
                    body["errors"] = json!(refusal.errors);
                }
                let reason = refusal.message.lines().next().unwrap_or_default().to_owned();
                return Self {
                    status: refusal.status,
                    reason,
                    body: body.to_string().into_bytes(),
                    kind: JSON,
                    proxied: false,
                    location: None,
                };
            }
            (Format::Ext, Err(refusal)) => {
                // Of a failed check the status is text, as the exception carries it.
                let status = if refusal.status == 400 { json!("400") } else { json!(refusal.status) };
                let mut body =
                    json!({"success": 0, "status": status, "message": format!("{}\n", refusal.message), "data": null});
                if !refusal.errors.is_empty() {
                    body["errors"] = json!(refusal.errors);
                }
                (200, "OK".to_owned(), body)
            }
        };
        Self { status, reason, body: body.to_string().into_bytes(), kind: JSON, proxied, location: None }
    }

    /// The bytes of head and body.
    pub(super) fn bytes(&self, now: i64, closing: bool) -> Vec<u8> {
        let date = chrono::DateTime::from_timestamp(now, 0).unwrap_or_default().format("%a, %d %b %Y %H:%M:%S GMT");
        let connection = match (closing, self.proxied) {
            (true, _) => "close",
            (false, true) => "close, Keep-Alive",
            (false, false) => "Keep-Alive",
        };
        let mut head = format!(
            "HTTP/1.1 {} {}\r\nCache-Control: max-age=0\r\nConnection: {connection}\r\nDate: {date}\r\nPragma: no-cache\r\nServer: pve-api-daemon/3.0\r\nContent-Length: {}\r\n",
            self.status,
            self.reason.replace(['\r', '\n'], " "),
            self.body.len()
        );
        if !self.kind.is_empty() {
            head += &format!("Content-Type: {}\r\n", self.kind);
        }
        head += &format!("Expires: {date}\r\n");
        if let Some(location) = &self.location {
            head += &format!("Location: {location}\r\n");
        }
        head += "\r\n";
        [head.as_bytes(), &self.body].concat()
    }
}

const JSON: &str = "application/json;charset=UTF-8";
