//! A watcher of an operation that leaves in the middle and comes back again and again.

use std::time::Duration;

use domain::OperationId;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use reqwest::{Method, Response};
use serde_json::Value;

use crate::caller::Caller;
use crate::evidence::Seen;

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
        if let Ok(response) = request.send().await
            && response.status() == 200
        {
            let mut stream = Frames { response, pending: String::new() };
            for _ in 0..stays {
                let Some((number, event)) = stream.next().await else { break };
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
    /// The next numbered event; none when the connection ended.
    async fn next(&mut self) -> Option<(i64, Value)> {
        loop {
            while let Some(end) = self.pending.find("\n\n") {
                let frame: String = self.pending.drain(..end + 2).collect();
                let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name));
                if let Some(number) = field("id: ") {
                    return Some((number.parse().unwrap(), serde_json::from_str(field("data: ").unwrap()).unwrap()));
                }
            }
            let chunk = self.response.chunk().await.ok().flatten()?;
            self.pending.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}
