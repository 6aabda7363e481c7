use std::sync::Arc;

use domain::{Position, Recorded};
use futures_util::{StreamExt as _, future::BoxFuture};
use platform::{
    db::Tx,
    log::Expected,
    series::records,
    views::{Table, View, ViewError},
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::{Base, append, at, counter, on_both};

on_both![followers_project_each_event_once, a_view_can_write_records_with_its_events];

/// Writes each event's position into a series.
struct Positions;

impl View for Positions {
    fn name(&self) -> &'static str {
        "positions"
    }

    fn categories(&self) -> &'static [&'static str] {
        &["counter"]
    }

    fn tables(&self) -> &'static [Table] {
        &[]
    }

    fn replayed(&self) -> bool {
        false
    }

    fn project<'a>(&'a self, tx: &'a mut Tx, events: &'a [&'a Recorded]) -> BoxFuture<'a, Result<(), ViewError>> {
        Box::pin(async move {
            let bodies: Vec<_> = events.iter().map(|event| json!(event.position)).collect();
            records::append_in(tx, "positions", None, &bodies, at(0))
                .await
                .map_err(|e| ViewError::Refused(e.to_string()))?;
            Ok(())
        })
    }
}

async fn written(log: &platform::log::Log) -> Vec<i64> {
    records::read(log.db(), "positions", 0, 10_000).await.unwrap().iter().map(|r| r.body.as_i64().unwrap()).collect()
}

async fn followers_project_each_event_once(base: Base) {
    let (one, two) = (base.log().await, base.log().await);
    let stop = CancellationToken::new();
    let following: Vec<_> = [&one, &two]
        .map(|log| {
            let (log, stop) = (log.clone(), stop.clone());
            tokio::spawn(async move { log.follow(Arc::new(Positions), stop).await })
        })
        .into();
    for _ in 0..100 {
        one.append(append(&counter(), Expected::New, 2)).await.unwrap();
        two.append(append(&counter(), Expected::New, 1)).await.unwrap();
    }
    while one.reached("positions").await.unwrap() < Position(300) {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    for followed in following {
        followed.await.unwrap().unwrap();
    }
    assert_eq!(written(&one).await, (1..=300).collect::<Vec<_>>());
}

async fn a_view_can_write_records_with_its_events(base: Base) {
    let log = base.log_with(vec![Arc::new(Positions)]).await;
    futures_util::stream::iter(0..50)
        .for_each_concurrent(None, |_| async { drop(log.append(append(&counter(), Expected::New, 1)).await.unwrap()) })
        .await;
    assert_eq!(written(&log).await, (1..=50).collect::<Vec<_>>());
}
