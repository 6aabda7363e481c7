//! Postgres is stopped and started again while it is written and read: nothing is lost, doubled or out of order.

use std::collections::HashSet;

use domain::Position;
use futures_util::{StreamExt as _, future::join_all};
use platform::log::{AppendError, Expected};
use xtask::servers;

use crate::support::{Base, append, counter};

const WRITERS: usize = 8;
const APPENDS: usize = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Postgres: cargo xtask test"]
async fn a_restart_in_mid_flight_loses_and_doubles_nothing() {
    let mut server = servers::Postgres::start().unwrap();
    let base = Base::on_postgres(&server.url()).await;
    let (log, other) = (base.log().await, base.log().await);
    let reader = tokio::spawn({
        let log = other.clone();
        async move {
            let events = log
                .tail(Position(0))
                .take_while(|event| std::future::ready(event.as_ref().unwrap().stream.category() != "end"));
            events.map(|event| event.unwrap()).collect::<Vec<_>>().await
        }
    });
    let (done, mut progress) = tokio::sync::mpsc::unbounded_channel();
    let writers: Vec<_> = (0..WRITERS)
        .map(|n| {
            let (log, done) = (if n % 2 == 0 { log.clone() } else { other.clone() }, done.clone());
            tokio::spawn(async move {
                let mut told = Vec::new();
                for _ in 0..APPENDS {
                    let stream = counter();
                    match log.append(append(&stream, Expected::New, 2)).await {
                        Ok(_) => told.push(stream),
                        Err(AppendError::Unknown(_)) => {}
                        Err(error) => panic!("{error}"),
                    }
                    done.send(()).unwrap();
                }
                told
            })
        })
        .collect();
    for restart in 1..=3 {
        for _ in 0..restart * 20 {
            progress.recv().await.unwrap();
        }
        // Twice in good order, once as if the machine had lost power.
        if restart == 2 {
            server.kill();
        }
        server.restart().unwrap();
    }
    let told: Vec<_> = join_all(writers).await.into_iter().flat_map(Result::unwrap).collect();
    let end = domain::StreamId::new("end", "1");
    log.append(append(&end, Expected::New, 1)).await.unwrap();
    let seen = reader.await.unwrap();
    assert!(seen.iter().map(|event| event.position.0).eq(1..=seen.len() as i64), "a gap or a repetition");
    assert!(seen.chunks(2).all(|pair| pair[0].stream == pair[1].stream), "an append in part");
    let streams: HashSet<_> = seen.iter().map(|event| &event.stream).collect();
    assert_eq!(streams.len() * 2, seen.len(), "an append done twice");
    assert!(told.iter().all(|stream| streams.contains(stream)), "told yes and not there");
    assert!(
        told.len() >= WRITERS * APPENDS - 6,
        "the outages were to be waited out, but only {} were done",
        told.len()
    );
    log.verify().await.unwrap();
}
