use std::time::Duration;

use super::{Guard, Holder, LockError, Locks};
use crate::coordination::tests::{both, flush, server};

const TTL: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(20);

fn me(who: &str) -> Holder {
    Holder { who: who.into(), what: "a test".into() }
}

async fn waiting(locks: &Locks, key: &str, count: u64) {
    while locks.inspect(key).await.unwrap().is_none_or(|seen| seen.waiting != count) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn in_line(locks: &Locks, who: &'static str) -> tokio::task::JoinHandle<Result<Guard, LockError>> {
    let locks = locks.clone();
    tokio::spawn(async move { locks.acquire("k", me(who), TTL, LONG).await })
}

both!(one_holds_and_the_other_learns_who, async |c: Coordination| {
    let first = c.locks().try_acquire("k", me("ann"), LONG).await.unwrap();
    let Err(LockError::Taken(taken)) = c.locks().try_acquire("k", me("bob"), LONG).await else { panic!("two hold it") };
    assert_eq!((taken.holders[0].holder.who.as_str(), taken.holders[0].fence), ("ann", first.fence()));
    assert_eq!(c.locks().list("").await.unwrap().len(), 1);
    assert!(first.release().await);
    let second = c.locks().try_acquire("k", me("bob"), LONG).await.unwrap();
    drop(second);
    let third = c.locks().acquire("k", me("cid"), LONG, LONG).await.unwrap();
    assert!(third.release().await);
    assert!(c.locks().inspect("k").await.unwrap().is_none());
});

both!(fences_rise_also_after_a_release, async |c: Coordination| {
    let mut last = 0;
    for _ in 0..20 {
        let guard = c.locks().try_acquire("k", me("ann"), LONG).await.unwrap();
        assert!(guard.fence() > last);
        last = guard.fence();
        guard.release().await;
    }
});

both!(who_waits_is_served_in_order, async |c: Coordination| {
    let first = c.locks().try_acquire("k", me("first"), LONG).await.unwrap();
    let ann = in_line(c.locks(), "ann");
    waiting(c.locks(), "k", 1).await;
    let bob = in_line(c.locks(), "bob");
    waiting(c.locks(), "k", 2).await;
    let pushy = c.locks().try_acquire("k", me("pushy"), LONG).await;
    assert!(matches!(pushy, Err(LockError::Taken(taken)) if taken.ahead == 2));
    first.release().await;
    let ann = ann.await.unwrap().unwrap();
    assert!(!bob.is_finished());
    ann.release().await;
    bob.await.unwrap().unwrap().release().await;
});

both!(who_stops_waiting_leaves_the_line, async |c: Coordination| {
    let first = c.locks().try_acquire("k", me("first"), LONG).await.unwrap();
    let ann = in_line(c.locks(), "ann");
    waiting(c.locks(), "k", 1).await;
    ann.abort();
    waiting(c.locks(), "k", 0).await;
    let timed_out = c.locks().acquire("k", me("bob"), LONG, Duration::from_millis(20)).await;
    assert!(matches!(timed_out, Err(LockError::Taken(_))));
    waiting(c.locks(), "k", 0).await;
    first.release().await;
});

both!(it_is_renewed_while_held, async |c: Coordination| {
    let guard = c.locks().try_acquire("k", me("ann"), TTL).await.unwrap();
    tokio::time::sleep(TTL * 3).await;
    assert!(c.locks().try_acquire("k", me("bob"), TTL).await.is_err());
    assert!(guard.release().await);
});

both!(slots_are_counted, async |c: Coordination| {
    let slots = c.locks().slots("host-1", 2);
    let (one, two) = (slots.try_acquire(me("a"), LONG).await.unwrap(), slots.try_acquire(me("b"), LONG).await.unwrap());
    let Err(LockError::Taken(taken)) = slots.try_acquire(me("c"), LONG).await else { panic!("three of two") };
    assert_eq!(taken.holders.len(), 2);
    one.release().await;
    let three = slots.try_acquire(me("c"), LONG).await.unwrap();
    three.release().await;
    two.release().await;
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Redis: cargo xtask test"]
async fn redis_a_flush_is_noticed_and_the_next_fence_is_higher() {
    let redis = server();
    let c = crate::coordination::Coordination::connect(Some(&redis.url()), "t:").await.unwrap();
    let old = c.locks().try_acquire("k", me("ann"), TTL).await.unwrap();
    flush(&redis).await;
    let new = c.locks().try_acquire("k", me("bob"), TTL).await.unwrap();
    assert!(new.fence() > old.fence());
    tokio::time::timeout(LONG, old.lost()).await.unwrap();
    assert!(!old.release().await);
    assert!(!new.is_lost());
    assert!(new.release().await);
}
