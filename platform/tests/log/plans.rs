//! What is done all the time goes by an index on Postgres, and does not read a table from its first row to its last,
//! whatever its planner thinks of how small that is.

use domain::container::{Container, ContainerEvent};
use domain::operation::{Accepted, Command, Operation, OperationEvent, Status};
use domain::{AccountId, Aggregate as _, ContainerId, Event as _, NewEvent, OperationId, Version};
use platform::log::{Append, Expected, Idempotency, Log};
use platform::views::{self, ContainerFilter, ContainerRow, OperationFilter, OperationRow, Page};
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use crate::support::{Base, meta, requested};

/// Of fewer rows it is right to read them all.
const MANY: usize = 5_000;

fn new(operation: &OperationEvent) -> NewEvent {
    operation.encode().unwrap()
}

/// A container with the operation that makes it, accepted once.
fn created(account: AccountId) -> (ContainerId, OperationId, Append) {
    let (container, operation, events) = requested(account);
    let command = Command::CreateContainer { container, keep_on_failure: false };
    let accepted = new(&OperationEvent::Accepted(Accepted::new(command, Some(account), None)));
    let append = Append::new(meta())
        .stream(Container::stream(container), Expected::New, events)
        .stream(Operation::stream(operation), Expected::New, vec![accepted])
        .once(Some(Idempotency {
            key: container.to_string(),
            fingerprint: "asked".into(),
            answer: serde_json::Value::Null,
        }));
    (container, operation, append)
}

/// A create, its course, the looks of those who ask for it, and its container's end.
async fn a_life(log: &Log) {
    let (container, operation, append) = created(AccountId::new(Uuid::now_v7()));
    log.append(append).await.unwrap();
    let course = Operation::stream(operation);
    for event in [
        OperationEvent::Claimed { worker: "worker-1".into() },
        OperationEvent::Succeeded { summary: serde_json::Value::Null },
    ] {
        let append = Append::new(meta()).stream(course.clone(), Expected::Any, vec![new(&event)]);
        log.append(append).await.unwrap();
    }
    log.stream(&course, Version(0)).await.unwrap();
    let running = OperationFilter { status: vec![Status::Running], ..OperationFilter::default() };
    for filter in [OperationFilter::default(), running] {
        views::page::<OperationRow>(log.db(), &filter, &Page::default()).await.unwrap();
    }
    let page = views::page::<ContainerRow>(log.db(), &ContainerFilter::default(), &Page::default()).await.unwrap();
    assert_eq!(page.items[0].id, container);
    let end = ContainerEvent::Removed.encode().unwrap();
    log.append(Append::new(meta()).stream(Container::stream(container), Expected::Any, vec![end])).await.unwrap();
}

/// Tables of many rows, and how many rows were read in going over them.
async fn gone_over(admin: &mut PgConnection) -> Vec<(String, i64)> {
    // A session tells what it did when it ends.
    let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
                  AND backend_type = 'client backend'";
    while sqlx::query_scalar::<_, i64>(others).fetch_one(&mut *admin).await.unwrap() > 0 {
        tokio::task::yield_now().await;
    }
    let read = "SELECT relname, seq_tup_read FROM pg_stat_user_tables WHERE n_live_tup >= $1 ORDER BY relname";
    sqlx::query_as(read).bind(i64::try_from(MANY).unwrap()).fetch_all(admin).await.unwrap()
}

async fn close(log: Log) {
    log.db().close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Postgres: cargo xtask test"]
async fn nothing_that_is_done_all_the_time_reads_a_whole_table() {
    let base = Base::postgres().await;
    let log = base.log_with(views::all()).await;
    let account = AccountId::new(Uuid::now_v7());
    futures_util::future::join_all((0..MANY).map(|_| log.append(created(account).2))).await;
    close(log).await;
    let mut admin = PgConnection::connect(&base.url).await.unwrap();
    // As the planner sees them when they are new to it, and when it has looked.
    for look in ["SELECT 1", "ANALYZE"] {
        sqlx::query(look).execute(&mut admin).await.unwrap();
        let before = gone_over(&mut admin).await;
        let tables: Vec<&str> = before.iter().map(|(table, _)| table.as_str()).collect();
        for table in ["containers", "idempotency", "log", "operations", "records", "reservations"] {
            assert!(tables.contains(&table), "{tables:?}");
        }
        let log = base.log_with(views::all()).await;
        a_life(&log).await;
        close(log).await;
        assert_eq!(gone_over(&mut admin).await, before, "after {look}");
    }
}
