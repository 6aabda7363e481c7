//! A server, workers and a simulated cluster whose tasks take their time, and operations that are asked of them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::operation::{Operation, Status};
use domain::{Aggregate as _, ContainerId, OperationId, Version};
use futures_util::{StreamExt as _, stream};
use platform::log::Log;
use platform::views::{self, OperationFilter, OperationRow, Order, Page};
use serde_json::Value;

use crate::caller::Caller;
use crate::ground::{Backend, Ground};
use crate::processes::Process;

/// Until everything that was asked for has ended.
const LIMIT: Duration = Duration::from_mins(5);
/// Of those who ask at once.
const CONNECTIONS: usize = 32;

pub(crate) struct Setup {
    pub(crate) ground: Ground,
    pub(crate) caller: Caller,
    pub(crate) host: Value,
    log: Log,
    _processes: Vec<Process>,
}

/// An operation that succeeded.
pub(crate) struct Done {
    pub(crate) container: ContainerId,
    accepted: DateTime<Utc>,
    ended: DateTime<Utc>,
}

impl Done {
    pub(crate) fn seconds(&self) -> f64 {
        (self.ended - self.accepted).as_seconds_f64()
    }
}

/// From the first that was accepted to the last that ended.
pub(crate) fn seconds(all: &[Done]) -> f64 {
    let first = all.iter().map(|one| one.accepted).min().unwrap();
    let last = all.iter().map(|one| one.ended).max().unwrap();
    (last - first).as_seconds_f64()
}

impl Setup {
    pub(crate) async fn start(sim: sim::Options, per_node: u16, workers: usize) -> Self {
        let mut ground = Ground::with(Backend::Postgres, &[], sim).await;
        ground.lease_s = 30;
        let (api, url) = Process::api(&ground).await;
        let caller = Caller::new(url, ground.token.clone());
        let (status, host) = caller.post("/v1/hosts", &ground.host(per_node)).await;
        assert_eq!(status, 201, "{host}");
        let mut processes = vec![api];
        processes.extend((0..workers).map(|_| Process::worker(&ground)));
        let log = ground.log().await;
        Self { ground, caller, host, log, _processes: processes }
    }

    /// All are asked for as fast as they are accepted, and have ended well when this comes back.
    pub(crate) async fn all(&self, asked: impl Iterator<Item = (String, Value)>) -> Vec<Done> {
        let asked = stream::iter(asked).map(|(path, body)| self.ask(path, body));
        let ids: Vec<_> = asked.buffer_unordered(CONNECTIONS).collect().await;
        tokio::time::timeout(LIMIT, self.quiet()).await.expect("everything ends in time");
        let mut all = Vec::new();
        for id in ids {
            let operation = self.log.load::<Operation>(id).await.unwrap().state;
            assert_eq!(operation.status(), Some(Status::Succeeded), "{:?}", operation.end());
            let events = self.log.stream(&Operation::stream(id), Version(0)).await.unwrap();
            all.push(Done {
                container: operation.accepted().unwrap().command.target(),
                accepted: events[0].recorded_at,
                ended: events[events.len() - 1].recorded_at,
            });
        }
        all
    }

    async fn ask(&self, path: String, body: Value) -> OperationId {
        let (status, told) = self.caller.post(&path, &body).await;
        assert_eq!(status, 202, "{told}");
        told["id"].as_str().unwrap().parse().unwrap()
    }

    /// Until nothing is under way. One look for all of them, so that looking costs those who work next to nothing.
    async fn quiet(&self) {
        let open = OperationFilter { status: vec![Status::Queued, Status::Running], ..OperationFilter::default() };
        let first = Page { limit: 1, after: None, order: Order::Newest };
        while !views::page::<OperationRow>(self.log.db(), &open, &first).await.unwrap().items.is_empty() {
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
}
