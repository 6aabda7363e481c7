use domain::{
    AccountId, ContainerId, OperationId,
    operation::{Accepted, Command, Given, Operation, OperationCommand, Status},
};
use platform::{
    log::{ExecuteError, Log, Replaying},
    views::{self, OperationFilter, OperationRow, Order, Page},
};
use uuid::Uuid;

use crate::support::{Base, at, meta, on_both, tamper};

on_both![
    a_row_follows_its_operation,
    pages_are_stable_and_filters_narrow,
    replay_finds_and_mends_a_wrong_row,
    a_container_has_one_operation_at_work,
];

async fn opened(base: &Base) -> Log {
    base.log_with(views::all()).await
}

async fn accept(log: &Log, account: AccountId) -> OperationId {
    let id = OperationId::new(Uuid::now_v7());
    let command = Command::StartContainer { container: ContainerId::new(Uuid::now_v7()) };
    execute(log, id, OperationCommand::Accept(Accepted::new(command, Some(account), None))).await;
    id
}

async fn execute(log: &Log, id: OperationId, command: OperationCommand) {
    log.execute::<Operation>(id, command, &Given { now: at(0) }, meta()).await.unwrap();
}

fn account() -> AccountId {
    AccountId::new(Uuid::now_v7())
}

async fn a_row_follows_its_operation(base: Base) {
    let log = opened(&base).await;
    let id = accept(&log, account()).await;
    let row: OperationRow = views::get(log.db(), id).await.unwrap().unwrap();
    assert_eq!((row.status, row.version, row.fence, row.created_at), (Status::Queued, 1, None, row.updated_at));
    execute(&log, id, OperationCommand::Claim { worker: "w1".into() }).await;
    let step = row.pipeline.table().phases[0].steps[0].name;
    execute(&log, id, OperationCommand::StartStep { step, intent: serde_json::Value::Null }).await;
    let row: OperationRow = views::get(log.db(), id).await.unwrap().unwrap();
    assert_eq!(
        (row.status, row.step, row.fence, row.worker.as_deref()),
        (Status::Running, Some(step), Some(2), Some("w1"))
    );
    assert_eq!(row.phase.as_deref(), Some(row.pipeline.table().phases[0].name));
    assert!(row.updated_at > row.created_at && row.version == 3);
    assert!(views::get::<OperationRow>(log.db(), Uuid::now_v7()).await.unwrap().is_none());
}

async fn pages_are_stable_and_filters_narrow(base: Base) {
    let log = opened(&base).await;
    let (mine, other) = (account(), account());
    let mut ids = Vec::new();
    for n in 0..23 {
        let id = accept(&log, if n % 3 == 0 { other } else { mine }).await;
        if n % 3 != 0 {
            ids.push(id);
        }
    }
    execute(&log, ids[4], OperationCommand::Claim { worker: "w".into() }).await;
    for order in [Order::Oldest, Order::Newest] {
        let filter = OperationFilter { account: Some(mine), ..OperationFilter::default() };
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = views::page::<OperationRow>(log.db(), &filter, &Page { limit: 4, after, order }).await.unwrap();
            assert!(page.items.len() <= 4);
            seen.extend(page.items.iter().map(|row| row.id));
            // What is new while one pages shows in neither direction twice.
            accept(&log, other).await;
            match page.next {
                Some(next) => after = Some(next.to_string().parse().unwrap()),
                None => break,
            }
        }
        if order == Order::Newest {
            seen.reverse();
        }
        assert_eq!(seen, ids);
    }
    let count = async |filter: OperationFilter| {
        views::page::<OperationRow>(log.db(), &filter, &Page { limit: 500, ..Page::default() })
            .await
            .unwrap()
            .items
            .len()
    };
    assert_eq!(
        count(OperationFilter { status: vec![Status::Running, Status::Stuck], ..OperationFilter::default() }).await,
        1
    );
    let row: OperationRow = views::get(log.db(), ids[0]).await.unwrap().unwrap();
    assert_eq!(count(OperationFilter { target: row.target, ..OperationFilter::default() }).await, 1);
    assert_eq!(
        count(OperationFilter {
            pipeline: Some(row.pipeline),
            until: Some(row.created_at),
            ..OperationFilter::default()
        })
        .await,
        1
    );
    assert_eq!(
        count(OperationFilter {
            account: Some(mine),
            since: Some(row.created_at),
            host: None,
            ..OperationFilter::default()
        })
        .await,
        15
    );
}

async fn replay_finds_and_mends_a_wrong_row(base: Base) {
    let log = opened(&base).await;
    let mut ids = Vec::new();
    for _ in 0..30 {
        ids.push(accept(&log, account()).await);
    }
    for id in &ids[..10] {
        execute(&log, *id, OperationCommand::Claim { worker: "w".into() }).await;
    }
    assert!(log.replay(Replaying::Compare).await.unwrap().agrees());
    tamper(
        log.db(),
        &format!(
            "UPDATE operations SET status = 'stuck' WHERE id = '{}'; DELETE FROM operations WHERE id = '{}'",
            ids[0], ids[1]
        ),
    )
    .await;
    let found = log.replay(Replaying::Compare).await.unwrap();
    let mut expected = vec![ids[0].to_string(), ids[1].to_string()];
    expected.sort();
    let table = found.tables.iter().find(|table| table.table == "operations").unwrap();
    assert_eq!((found.events, table.rows, table.wrong, table.missing, &table.examples), (40, 30, 1, 2, &expected));
    assert!(!found.agrees());
    log.replay(Replaying::Rebuild).await.unwrap();
    assert!(log.replay(Replaying::Compare).await.unwrap().agrees());
    assert!(views::get::<OperationRow>(log.db(), ids[1]).await.unwrap().is_some());
}

async fn a_container_has_one_operation_at_work(base: Base) {
    let log = opened(&base).await;
    let container = ContainerId::new(Uuid::now_v7());
    let accept = || OperationCommand::Accept(Accepted::new(Command::StartContainer { container }, None, None));
    // The later id first: replay must not depend on the order of ids.
    let (second, first) = (OperationId::new(Uuid::now_v7()), OperationId::new(Uuid::now_v7()));
    execute(&log, first, accept()).await;
    let refused = log.execute::<Operation>(second, accept(), &Given { now: at(0) }, meta()).await.unwrap_err();
    let ExecuteError::Append(refused) = refused else { panic!("{refused}") };
    assert!(refused.is_taken(), "{refused}");
    execute(&log, first, OperationCommand::Cancel).await;
    execute(&log, first, OperationCommand::FinishCancel).await;
    execute(&log, second, accept()).await;
    assert!(log.replay(Replaying::Compare).await.unwrap().agrees());
    let row: OperationRow = views::get(log.db(), second).await.unwrap().unwrap();
    assert_eq!(row.status, Status::Queued);
}
