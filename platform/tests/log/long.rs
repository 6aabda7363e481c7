//! Streams that have become long: a row of a read model costs what is new, and is right whatever happened before.

use std::sync::Arc;

use domain::{
    Aggregate as _, ContainerId, Event as _, NewEvent, OperationId, StreamId,
    operation::{Accepted, Command, Operation, OperationEvent},
};
use futures_util::future::BoxFuture;
use metrics_exporter_prometheus::PrometheusBuilder;
use platform::{
    db::Tx,
    log::{Append, Expected, Log, Replaying, Rows as InTx},
    views::{self, OperationRow, Rows, View, ViewError},
};
use uuid::Uuid;

use crate::support::{Base, meta, on_both};

on_both![each_process_reads_what_is_new_to_it, what_was_rolled_back_is_not_remembered];

const LONG: i64 = 10_000;
/// Read models that an operation's events are folded for: its row, and what its watchers are told.
const FOLDING: i64 = 2;

fn view() -> Vec<Arc<dyn View>> {
    vec![Arc::new(Rows::<OperationRow>::default())]
}

fn accepted() -> NewEvent {
    let command = Command::StartContainer { container: ContainerId::new(Uuid::now_v7()) };
    OperationEvent::Accepted(Accepted::new(command, None, None)).encode().unwrap()
}

fn claimed(worker: &str) -> NewEvent {
    OperationEvent::Claimed { worker: worker.to_owned() }.encode().unwrap()
}

async fn add(log: &Log, stream: &StreamId, events: Vec<NewEvent>) {
    log.append(Append::new(meta()).stream(stream.clone(), Expected::Any, events)).await.unwrap();
}

async fn row(log: &Log, id: OperationId) -> OperationRow {
    views::get(log.db(), &id.to_string()).await.unwrap().unwrap()
}

/// A stream of `LONG` events.
async fn long(log: &Log) -> (OperationId, StreamId) {
    let id = OperationId::new(Uuid::now_v7());
    let stream = Operation::stream(id);
    let claims = (1..LONG).map(|n| claimed(&n.to_string()));
    add(log, &stream, std::iter::once(accepted()).chain(claims).collect()).await;
    (id, stream)
}

/// Counts what is read on this thread, on which everything of such a test runs.
#[tokio::test]
async fn an_append_to_a_long_stream_reads_a_bounded_number_of_events() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _counting = metrics::set_default_local_recorder(&recorder);
    let read = || {
        let told = recorder.handle().render();
        let line = told.lines().find(|line| line.starts_with("gantry_views_events_read_total"));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<i64>().ok()).unwrap_or(0)
    };
    let base = Base::sqlite().await;
    let log = base.log_with(views::all()).await;
    let (id, stream) = long(&log).await;
    assert_eq!(read(), 0, "all of a stream that begins is at hand");
    for n in 1..=20 {
        add(&log, &stream, vec![claimed("again")]).await;
        assert_eq!((read(), row(&log, id).await.fence), (FOLDING * n, Some(LONG + n)), "the last one known");
    }
    // Another process, or this one after its restart, reads the stream once.
    let log = base.log_with(views::all()).await;
    for n in 0..20 {
        add(&log, &stream, vec![claimed("new")]).await;
        assert_eq!(read(), FOLDING * (20 + LONG + 20 + n));
    }
    assert!(log.replay(Replaying::Compare).await.unwrap().agrees());
}

async fn each_process_reads_what_is_new_to_it(base: Base) {
    let logs = [base.log_with(view()).await, base.log_with(view()).await];
    let (id, stream) = long(&logs[0]).await;
    for n in 1..=30 {
        let log = &logs[usize::from(n % 3 == 0)];
        add(log, &stream, vec![claimed(&format!("worker-{n}"))]).await;
        let row = row(log, id).await;
        assert_eq!((row.version, row.fence, row.worker), (LONG + n, Some(LONG + n), Some(format!("worker-{n}"))));
    }
    assert!(logs[0].replay(Replaying::Compare).await.unwrap().agrees());
    // Replaying went over the memory as well; what comes after it is right all the same.
    add(&logs[0], &stream, vec![claimed("last")]).await;
    assert_eq!(row(&logs[0], id).await.worker.as_deref(), Some("last"));
    assert!(logs[1].replay(Replaying::Rebuild).await.unwrap().agrees());
}

struct Refusing;

impl InTx for Refusing {
    fn write<'a>(&'a self, _: &'a mut Tx) -> BoxFuture<'a, Result<(), ViewError>> {
        Box::pin(async { Err(ViewError::Refused("not this one".to_owned())) })
    }
}

async fn what_was_rolled_back_is_not_remembered(base: Base) {
    let log = base.log_with(view()).await;
    let (id, stream) = long(&log).await;
    for n in 1..=3 {
        let spoiled = Append::new(meta()).stream(stream.clone(), Expected::Any, vec![claimed("nobody"); 2]);
        log.append(spoiled.with(Arc::new(Refusing))).await.unwrap_err();
        add(&log, &stream, vec![claimed("somebody")]).await;
        let row = row(&log, id).await;
        assert_eq!((row.version, row.fence, row.worker.as_deref()), (LONG + n, Some(LONG + n), Some("somebody")));
    }
    assert!(log.replay(Replaying::Compare).await.unwrap().agrees());
}
