//! What is over leaves nothing in Redis but the two counters, and those expire.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use platform::queue::{Delivery, Outcome, work};
use redis::AsyncCommands as _;
use tokio_util::sync::CancellationToken;
use xtask::servers::Redis;

use crate::process::{LEASE, PATIENCE, connect, me, push, settings, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Redis: cargo xtask test"]
async fn nothing_stays_in_redis_but_counters_that_expire() {
    let redis = Redis::start().unwrap();
    let c = connect(&redis.url()).await;
    let queue = c.queue("q", 1000);
    for _ in 0..300 {
        push(&queue).await;
    }
    let (stop, runs) = (CancellationToken::new(), &*Box::leak(Box::new(AtomicUsize::new(0))));
    let (ending, working) = (stop.clone(), queue.clone());
    let working = tokio::spawn(async move {
        // Each first says "again", a few panic once.
        let run = move |delivery: Delivery| async move {
            let run = runs.fetch_add(1, Ordering::SeqCst);
            match run {
                0..3 => panic!("on purpose"),
                3..200 => Outcome::Again { after: Duration::from_millis(u64::from(delivery.attempt)) },
                _ => Outcome::Done,
            }
        };
        work(&working, &settings(), ending, run).await
    });
    until("empty", async || queue.depth().await.unwrap() == platform::queue::Depth::default()).await;
    stop.cancel();
    working.await.unwrap().unwrap();

    let slots = c.locks().slots("host", 2);
    let (one, two) =
        (slots.try_acquire(me("a"), LEASE).await.unwrap(), slots.try_acquire(me("b"), LEASE).await.unwrap());
    assert!(slots.acquire(me("c"), LEASE, Duration::from_millis(20)).await.is_err());
    let waiting = tokio::spawn({
        let slots = slots.clone();
        async move { slots.acquire(me("d"), LEASE, PATIENCE).await }
    });
    until("in line", async || c.locks().inspect("host").await.unwrap().unwrap().waiting == 1).await;
    drop(one);
    drop(waiting.await.unwrap().unwrap());
    drop(two);
    until("released", async || c.locks().list("").await.unwrap().is_empty()).await;

    let mut connection = redis::Client::open(redis.url()).unwrap().get_multiplexed_async_connection().await.unwrap();
    let mut left: Vec<String> = connection.keys("*").await.unwrap();
    left.sort();
    assert_eq!(left, ["test:lock-token", "test:queue:q:token"]);
    for key in left {
        assert!(connection.ttl::<_, i64>(key).await.unwrap() > 0);
    }
}
