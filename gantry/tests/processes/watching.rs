//! A watcher of an operation that leaves in the middle and comes back again and again.

use std::time::Duration;

use domain::OperationId;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use reqwest::{Method, Response};
use serde_json::Value;
use tokio::time::{error::Elapsed, timeout};

use crate::caller::Caller;
use crate::evidence::Seen;

/// A stream says that it is there every fifteen seconds; one that is silent for longer than this has been forgotten.
const SILENT: Duration = Duration::from_secs(60);

/// What it saw until the operation's last event.
pub(crate) async fn restless(caller: Caller, id: OperationId, seed: u64) -> Seen {
    let mut random = StdRng::seed_from_u64(seed);
    let mut seen: Seen = Vec::new();
    loop {
        let mut request = caller.ask(Method::GET, &format!("/v1/operations/{id}/events"));
        if let Some((last, _)) = seen.last() {
            request = request.header("last-event-id", *last);
        }
        let stays = random.random_range(1..60);
        let Ok(answer) = timeout(SILENT, request.send()).await else {
            caller.note(format!("the events of {id} were not answered at all"));
            continue;
        };
        if answer.as_ref().is_ok_and(|response| response.status() == 500) {
            caller.note(format!("the events of {id} were answered with 500"));
        }
        if let Ok(response) = answer
            && response.status() == 200
        {
            let mut stream = Frames { response, pending: String::new() };
            for _ in 0..stays {
                let Ok(next) = stream.next().await else {
                    let last = seen.last().map_or(0, |(number, _)| *number);
                    caller.note(format!("the stream of {id} fell silent behind {last}"));
                    break;
                };
                let Some((number, event)) = next else { break };
                let ends = matches!(event["type"].as_str(), Some("complete" | "error"));
                seen.push((number, event));
                if ends {
                    return seen;
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(random.random_range(0..200))).await;
    }
}

struct Frames {
    response: Response,
    pending: String,
}

impl Frames {
    /// The next numbered event; none when the connection ended, an error when nothing at all is heard.
    async fn next(&mut self) -> Result<Option<(i64, Value)>, Elapsed> {
        loop {
            while let Some(end) = self.pending.find("\n\n") {
                let frame: String = self.pending.drain(..end + 2).collect();
                let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name));
                if let Some(number) = field("id: ") {
                    let event = serde_json::from_str(field("data: ").unwrap()).unwrap();
                    return Ok(Some((number.parse().unwrap(), event)));
                }
            }
            let chunk = timeout(SILENT, self.response.chunk()).await?;
            let Ok(Some(chunk)) = chunk else { return Ok(None) };
            self.pending.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}
