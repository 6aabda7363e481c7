use domain::Position;
use futures_util::StreamExt as _;
use platform::log::{Expected, LogError};

use crate::support::{Base, append, counter, on_both, tamper};

on_both![what_is_there_and_what_comes, other_processes_are_heard, a_hole_ends_it];

async fn what_is_there_and_what_comes(base: Base) {
    let log = base.log().await;
    log.append(append(&counter(), Expected::New, 3)).await.unwrap();
    let mut tail = Box::pin(log.tail(Position(1)));
    assert_eq!(tail.next().await.unwrap().unwrap().position, Position(2));
    assert_eq!(tail.next().await.unwrap().unwrap().position, Position(3));
    let (next, appended) = tokio::join!(tail.next(), log.append(append(&counter(), Expected::New, 1)));
    assert_eq!(next.unwrap().unwrap().position, appended.unwrap().first);
}

async fn other_processes_are_heard(base: Base) {
    let (here, there) = (base.log().await, base.log().await);
    let mut tail = Box::pin(here.tail(Position(0)));
    for position in 1..=5 {
        there.append(append(&counter(), Expected::New, 1)).await.unwrap();
        assert_eq!(tail.next().await.unwrap().unwrap().position, Position(position));
    }
}

async fn a_hole_ends_it(base: Base) {
    let log = base.log().await;
    log.append(append(&counter(), Expected::New, 4)).await.unwrap();
    tamper(log.db(), "DELETE FROM log WHERE position IN (2, 3)").await;
    let ended: Vec<_> = log.tail(Position(0)).collect().await;
    assert!(matches!(ended[..], [Err(LogError::Gap { from: Position(2), to: Position(3) })]), "{ended:?}");
}
