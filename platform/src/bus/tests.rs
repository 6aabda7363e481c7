use std::sync::Arc;
use std::time::Duration;

use super::{Bus, Signal};
use crate::coordination::Coordination;
use crate::coordination::tests::{both, server};

both!(says_that_there_is_more, async |c: Coordination| {
    ready(c.bus()).await;
    let mut watch = c.bus().subscribe("a");
    c.bus().publish("a", 7).await;
    assert!(reaches(&mut watch, 7).await);
});

both!(two_hundred_come_and_go_and_none_misses_the_end, async |c: Coordination| {
    ready(c.bus()).await;
    let c = Arc::new(c);
    let watchers: Vec<_> = (0..200)
        .map(|n| {
            let c = Arc::clone(&c);
            tokio::spawn(async move {
                let mut watch = c.bus().subscribe("busy");
                let mut seen = 0;
                while seen < 500 {
                    match watch.next().await {
                        Signal::More(up_to) => seen = seen.max(up_to),
                        Signal::Resync => {}
                    }
                    if n % 3 == 0 && seen < 400 {
                        watch = c.bus().subscribe("busy");
                    }
                }
            })
        })
        .collect();
    while c.bus().watched() == 0 {
        tokio::task::yield_now().await;
    }
    for n in 1..=500 {
        c.bus().publish("busy", n).await;
    }
    // Who subscribed anew looks into the log; here the last number is said again until all have it.
    let all = futures_util::future::join_all(watchers);
    tokio::pin!(all);
    loop {
        tokio::select! {
            done = &mut all => break done.into_iter().for_each(|one| one.unwrap()),
            () = tokio::time::sleep(Duration::from_millis(5)) => c.bus().publish("busy", 500).await,
        }
    }
    assert_eq!(c.bus().watched(), 0, "a topic is dropped with its last receiver");
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Redis: cargo xtask test"]
async fn redis_everybody_resyncs_after_a_restart() {
    let mut redis = server();
    let here = Coordination::connect(Some(&redis.url()), "t:").await.unwrap();
    ready(here.bus()).await;
    let mut watch = here.bus().subscribe("a");
    redis.restart().unwrap();
    while watch.next().await != Signal::Resync {}
    // From another process: what one says oneself one also hears without Redis.
    let there = Coordination::connect(Some(&redis.url()), "t:").await.unwrap();
    there.bus().publish("a", 3).await;
    assert!(reaches(&mut watch, 3).await);
}

async fn reaches(watch: &mut super::Subscription, wanted: u64) -> bool {
    tokio::time::timeout(Duration::from_secs(10), async { while watch.next().await != Signal::More(wanted) {} })
        .await
        .is_ok()
}

/// Once a publication arrives, the one subscription of the process stands.
async fn ready(bus: &Bus) {
    let mut watch = bus.subscribe("ready");
    loop {
        bus.publish("ready", 1).await;
        if let Ok(Signal::More(_)) = tokio::time::timeout(Duration::from_millis(20), watch.next()).await {
            return;
        }
    }
}
