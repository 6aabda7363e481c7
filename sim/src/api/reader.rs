//! Reading HTTP/1.1 requests, with the limits of the real one.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};

pub(super) const IDLE: Duration = Duration::from_secs(5);
const HEAD_LIMIT: usize = 8 * 1024;
const HEADER_LINES: usize = 64;
pub(super) const BODY_LIMIT: usize = 512 * 1024;

#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    /// Still encoded, without the query.
    pub(super) path: String,
    pub(super) query: String,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// A request that is not answered in the usual way: status and reason.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// The other side is gone or was idle for too long.
    Gone,
    Refused(u16, String),
}

impl Request {
    /// A header by its lower-case name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Reads one request. What was read beyond it stays in `buffer`.
pub(super) async fn read<S: AsyncRead + Unpin>(stream: &mut S, buffer: &mut Vec<u8>) -> Result<Request, Unreadable> {
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if buffer.len() > HEAD_LIMIT {
            return Err(Unreadable::Refused(400, "header too large".to_owned()));
        }
        more(stream, buffer).await?;
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    buffer.drain(..end + 4);
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some(version)) = (first.next(), first.next(), first.next()) else {
        return Err(Unreadable::Refused(400, "bad request".to_owned()));
    };
    if !version.starts_with("HTTP/1.") {
        return Err(Unreadable::Refused(506, format!("http protocol version {version} not supported")));
    }
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(key, value)| (key.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    if headers.len() > HEADER_LINES {
        return Err(Unreadable::Refused(400, "too many http header lines".to_owned()));
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: Vec::new(),
    };
    if request.header("transfer-encoding").is_some_and(|encoding| encoding.contains("chunked")) {
        return Err(Unreadable::Refused(501, "chunked transfer encoding not supported".to_owned()));
    }
    let length: usize = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
    if length > 0 && matches!(request.method.as_str(), "GET" | "DELETE") {
        return Err(Unreadable::Refused(501, format!("Unexpected content for method '{}'", request.method)));
    }
    if length > BODY_LIMIT {
        return Err(Unreadable::Refused(501, "for data too large".to_owned()));
    }
    while buffer.len() < length {
        more(stream, buffer).await?;
    }
    request.body = buffer.drain(..length).collect();
    Ok(request)
}

async fn more<S: AsyncRead + Unpin>(stream: &mut S, buffer: &mut Vec<u8>) -> Result<(), Unreadable> {
    match tokio::time::timeout(IDLE, stream.read_buf(buffer)).await {
        Ok(Ok(read)) if read > 0 => Ok(()),
        _ => Err(Unreadable::Gone),
    }
}
