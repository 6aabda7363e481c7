//! Following an operation over server-sent events, across lost connections.

use std::time::Duration;

use bytes::Bytes;
use domain::progress::Progress;
use futures_util::{Stream, StreamExt as _};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use uuid::Uuid;

use super::{Client, failure};
use crate::exit::{Exit, Failure, Outcome};

/// The API beats every 15 s; silence for longer than this is a dead connection.
const SILENCE: Duration = Duration::from_secs(40);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// After this many vain attempts in a row somebody should know: about two minutes.
const ATTEMPTS: u32 = 30;

type Body = std::pin::Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>;

/// What a watcher sees.
#[derive(Debug)]
pub(crate) enum Event {
    /// How things stand; the first event of each connection.
    Snapshot { operation: Value, last: i64 },
    /// As stored, and as read.
    Progress { id: i64, raw: Value, progress: Progress },
    /// The connection was lost; it is being made again.
    Lost { because: String },
}

pub(crate) struct Watch {
    client: Client,
    path: String,
    /// The last event that was seen; where to go on after a lost connection.
    last: i64,
    body: Option<Body>,
    frames: Frames,
    vain: u32,
    /// Who was never there is not waited for.
    connected: bool,
    ended: bool,
}

impl Client {
    /// All events of an operation after one, those that are there and those to come.
    pub(crate) fn watch(&self, operation: Uuid, after: i64) -> Watch {
        Watch {
            client: self.clone(),
            path: format!("/v1/operations/{operation}/events"),
            last: after,
            body: None,
            frames: Frames::default(),
            vain: 0,
            connected: false,
            ended: false,
        }
    }
}

impl Watch {
    /// None after the last event.
    pub(crate) async fn next(&mut self) -> Outcome<Option<Event>> {
        loop {
            while let Some(frame) = self.frames.next() {
                if let Some(event) = self.seen(&frame)? {
                    return Ok(Some(event));
                }
            }
            if self.ended {
                return Ok(None);
            }
            let because = match &mut self.body {
                None => match self.connect().await {
                    Ok(()) => continue,
                    Err(failure) if failure.exit != Exit::Unreachable || !self.connected || self.vain >= ATTEMPTS => {
                        return Err(failure);
                    }
                    Err(failure) => failure.error.to_string(),
                },
                Some(body) => match tokio::time::timeout(SILENCE, body.next()).await {
                    Ok(Some(Ok(bytes))) => {
                        self.frames.push(&bytes);
                        continue;
                    }
                    Ok(Some(Err(error))) => error.without_url().to_string(),
                    Ok(None) => "the API closed the connection".to_owned(),
                    Err(_) => format!("nothing was heard for {} s", SILENCE.as_secs()),
                },
            };
            let first = self.body.take().is_some() || self.vain == 0;
            self.vain += 1;
            tokio::time::sleep(LONGEST_PAUSE.min(FIRST_PAUSE * self.vain)).await;
            if first {
                return Ok(Some(Event::Lost { because }));
            }
        }
    }

    async fn connect(&mut self) -> Outcome<()> {
        self.frames = Frames::default();
        let mut request = self.client.request(Method::GET, &self.path).header("accept", "text/event-stream");
        if self.last > 0 {
            request = request.header("last-event-id", self.last);
        }
        let response = request.send().await.map_err(|error| failure::unreachable(&self.client.url, error))?;
        if response.status() == StatusCode::UNAUTHORIZED && self.client.renewed().await? {
            return Err(Failure::new(Exit::Unreachable, "the session's token was renewed"));
        }
        if !response.status().is_success() {
            // The API, or what stands before it, may be restarting: that passes.
            let passing = response.status().is_server_error();
            let failure = failure::refused(response).await;
            return Err(if passing { failure.exit(Exit::Unreachable) } else { failure });
        }
        self.connected = true;
        if response.status() == StatusCode::NO_CONTENT {
            self.ended = true;
        } else {
            self.body = Some(Box::pin(response.bytes_stream()));
        }
        Ok(())
    }

    fn seen(&mut self, frame: &Frame) -> Outcome<Option<Event>> {
        self.vain = 0;
        let raw = || serde_json::from_str::<Value>(&frame.data).map_err(not_ours);
        match frame.event.as_str() {
            "snapshot" => {
                let mut raw = raw()?;
                let last = raw["last_event_id"].as_i64().unwrap_or_default();
                Ok(Some(Event::Snapshot { operation: raw["operation"].take(), last }))
            }
            "progress" => {
                let id = frame.id.parse().map_err(not_ours)?;
                // Told twice is told once.
                if id <= self.last {
                    return Ok(None);
                }
                self.last = id;
                let raw = raw()?;
                let progress: Progress = super::read(&raw)?;
                self.ended = progress.kind.is_last();
                Ok(Some(Event::Progress { id, raw, progress }))
            }
            _ => Ok(None),
        }
    }
}

fn not_ours(error: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Unreachable, format!("the stream holds something that is no event of Gantry's: {error}"))
        .next("see that GANTRY_URL leads to Gantry and to nothing else")
}

/// Cuts what arrives into events: lines of `name: value`, each event closed by an empty line.
#[derive(Default)]
struct Frames {
    buffer: Vec<u8>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Frame {
    id: String,
    event: String,
    data: String,
}

impl Frames {
    fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    fn next(&mut self) -> Option<Frame> {
        let end = self.buffer.windows(2).position(|pair| pair == b"\n\n")?;
        let text: Vec<u8> = self.buffer.drain(..end + 2).collect();
        let mut frame = Frame::default();
        for line in String::from_utf8_lossy(&text).lines() {
            match line.split_once(':').map(|(name, value)| (name, value.strip_prefix(' ').unwrap_or(value))) {
                Some(("id", value)) => value.clone_into(&mut frame.id),
                Some(("event", value)) => value.clone_into(&mut frame.event),
                Some(("data", value)) => frame.data.push_str(value),
                _ => {}
            }
        }
        Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_whole_however_the_bytes_arrive() {
        let text =
            "retry: 1000\nevent: snapshot\ndata: {}\n\nid: 7\nevent: progress\ndata: {\"a\":\"ü\"}\n\nevent: beat\n";
        let mut frames = Frames::default();
        let mut seen = Vec::new();
        for byte in text.as_bytes() {
            frames.push(std::slice::from_ref(byte));
            seen.extend(frames.next());
        }
        let frame = |id: &str, event: &str, data: &str| Frame { id: id.into(), event: event.into(), data: data.into() };
        assert_eq!(seen, [frame("", "snapshot", "{}"), frame("7", "progress", "{\"a\":\"ü\"}")]);
    }
}
