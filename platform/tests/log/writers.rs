use domain::Position;
use futures_util::{StreamExt as _, future::join_all};
use platform::log::Expected;

use crate::support::{Base, append, counter, on_both};

const WRITERS: usize = 16;
const READERS: usize = 4;
const EVENTS: i64 = 10_000;

on_both![sixteen_writers_and_four_readers];

/// In two processes' worth of logs: half of the writers and readers in each.
async fn sixteen_writers_and_four_readers(base: Base) {
    let logs = [base.log().await, base.log().await];
    let readers: Vec<_> = (0..READERS)
        .map(|n| {
            let log = logs[n % 2].clone();
            tokio::spawn(async move {
                let seen: Vec<i64> =
                    log.tail(Position(0)).take(EVENTS as usize).map(|event| event.unwrap().position.0).collect().await;
                seen
            })
        })
        .collect();
    let writers = (0..WRITERS).map(|n| {
        let log = logs[n % 2].clone();
        tokio::spawn(async move {
            let stream = counter();
            let mut told = Vec::new();
            for _ in 0..EVENTS / WRITERS as i64 {
                told.push(log.append(append(&stream, Expected::Any, 1)).await.unwrap().first.0);
            }
            told
        })
    });
    let mut told: Vec<i64> = Vec::new();
    for writer in join_all(writers).await {
        let positions = writer.unwrap();
        assert!(positions.is_sorted(), "a writer's events stand in the order in which it wrote them");
        told.extend(positions);
    }
    told.sort_unstable();
    let all: Vec<i64> = (1..=EVENTS).collect();
    assert_eq!(told, all);
    for reader in readers {
        assert_eq!(reader.await.unwrap(), all);
    }
    logs[0].verify().await.unwrap();
}
