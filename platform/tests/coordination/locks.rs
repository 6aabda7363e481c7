//! Locks of processes that die or are paused, holding or waiting.

use xtask::servers::Redis;

use crate::process::{LEASE, PATIENCE, Process, connect, me, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Redis: cargo xtask test"]
async fn a_killed_holders_lease_ends() {
    let redis = Redis::start().unwrap();
    let c = connect(&redis.url()).await;
    let process = Process::start(&redis, "holder");
    process.says("holds");
    let before = c.locks().inspect("k").await.unwrap().unwrap().holders[0].fence;
    process.signal("KILL");
    let guard = c.locks().acquire("k", me("next"), LEASE, PATIENCE).await.unwrap();
    assert!(guard.fence() > before);
    assert!(guard.release().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Redis: cargo xtask test"]
async fn a_killed_waiter_does_not_hold_up_the_line() {
    let redis = Redis::start().unwrap();
    let c = connect(&redis.url()).await;
    let first = c.locks().try_acquire("k", me("first"), LEASE).await.unwrap();
    let process = Process::start(&redis, "waiter");
    until("in line", async || c.locks().inspect("k").await.unwrap().unwrap().waiting == 1).await;
    process.signal("KILL");
    let locks = c.locks().clone();
    let behind = tokio::spawn(async move { locks.acquire("k", me("behind"), LEASE, PATIENCE).await });
    until("behind it", async || c.locks().inspect("k").await.unwrap().unwrap().waiting == 2).await;
    assert!(first.release().await);
    assert!(behind.await.unwrap().unwrap().release().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Redis: cargo xtask test"]
async fn a_holder_paused_past_its_lease_knows_it_and_releases_nothing() {
    let redis = Redis::start().unwrap();
    let c = connect(&redis.url()).await;
    let mut process = Process::start(&redis, "holder");
    process.says("holds");
    process.signal("STOP");
    let guard = c.locks().acquire("k", me("next"), LEASE, PATIENCE).await.unwrap();
    process.signal("CONT");
    process.says("lost");
    process.says("was not ours");
    assert!(process.ends().success());
    assert!(!guard.is_lost());
    let seen = c.locks().inspect("k").await.unwrap().unwrap();
    assert_eq!((seen.holders[0].fence, seen.waiting), (guard.fence(), 0));
    assert!(guard.release().await);
}
