use bytes::Bytes;
use domain::OperationId;
use platform::series::records;
use rand::RngExt as _;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::TestApp;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) id: Option<i64>,
    pub(crate) data: Value,
}

/// A client of server-sent events, without heartbeats.
pub(crate) struct Watching {
    pub(crate) response: Response,
    pending: String,
}

impl Watching {
    pub(crate) async fn begin(app: &TestApp, id: OperationId, last: Option<i64>) -> Self {
        let mut request = app.ask(Method::GET, &format!("/v1/operations/{id}/events"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        Self::of(response)
    }

    pub(crate) const fn of(response: Response) -> Self {
        Self { response, pending: String::new() }
    }

    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = cut(&mut self.pending) {
                return Some(event);
            }
            let chunk: Bytes = self.response.chunk().await.ok().flatten()?;
            self.pending.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    pub(crate) async fn rest(mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}

fn cut(pending: &mut String) -> Option<Event> {
    loop {
        let end = pending.find("\n\n")?;
        let text: String = pending.drain(..end + 2).collect();
        let field =
            |name: &str| text.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned));
        let name = field("event").unwrap();
        if name != "heartbeat" {
            let data = serde_json::from_str(&field("data").unwrap()).unwrap();
            return Some(Event { name, id: field("id").map(|id| id.parse().unwrap()), data });
        }
    }
}

/// Comes back again and again until it has seen the last event; tells all that it saw.
async fn restless(app: &TestApp, id: OperationId) -> Vec<(i64, Value)> {
    let mut seen: Vec<(i64, Value)> = Vec::new();
    loop {
        let request = app.ask(Method::GET, &format!("/v1/operations/{id}/events"));
        let last = seen.last().map(|(number, _)| *number);
        let response = match last {
            Some(last) => request.header("last-event-id", last),
            None => request,
        };
        let mut watching = Watching::of(response.send().await.unwrap());
        let patience = rand::rng().random_range(1..40);
        for _ in 0..patience {
            let Some(event) = watching.next().await else { break };
            if let Some(number) = event.id {
                let ends = event.data["type"] == "complete";
                seen.push((number, event.data));
                if ends {
                    return seen;
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_restless_watchers_see_exactly_what_is_stored() {
    let app = TestApp::start().await;
    let (_, one) = app.create("web1").await;
    let (_, two) = app.create("web2").await;
    let watchers = futures_util::future::join_all((0..200).map(|n| restless(&app, if n % 2 == 0 { one } else { two })));
    let writing = async {
        for batch in 0..60 {
            for id in [one, two] {
                let size = rand::rng().random_range(1..20);
                let lines: Vec<Value> = (0..size)
                    .map(|n| json!({ "type": "log", "source": "test", "stream": "stdout", "message": format!("{batch}/{n}") }))
                    .collect();
                app.say(id, &lines).await;
            }
        }
        app.work(one, false).await;
        app.work(two, false).await;
    };
    let (seen, ()) = tokio::join!(watchers, writing);
    for (n, seen) in seen.into_iter().enumerate() {
        let id = if n % 2 == 0 { one } else { two };
        let stored = records::read(app.app.log.db(), &records::of_operation(id), 0, 10_000).await.unwrap();
        let stored: Vec<_> = stored.into_iter().map(|record| (record.seq, record.body)).collect();
        assert!(seen == stored, "watcher {n} saw {} of {}", seen.len(), stored.len());
    }
}
