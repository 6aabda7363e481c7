use std::time::Duration;

use crate::coordination::tests::both;

const LONG: Duration = Duration::from_secs(60);

both!(what_is_counted_is_counted_until_the_window_ends, async |c: Coordination| {
    let counters = c.counters();
    assert_eq!(counters.look("a", LONG).await.times, 0);
    let all = futures_util::future::join_all((0..50).map(|_| counters.hit("a", LONG))).await;
    let mut times: Vec<u64> = all.iter().map(|count| count.times).collect();
    times.sort_unstable();
    assert_eq!(times, (1..=50).collect::<Vec<_>>());
    let seen = counters.look("a", LONG).await;
    assert!(seen.times == 50 && seen.ends_in <= LONG && seen.ends_in > LONG / 2, "{seen:?}");
    assert_eq!(counters.hit("b", LONG).await.times, 1, "each for itself");
    let short = Duration::from_millis(30);
    counters.hit("c", short).await;
    while counters.look("c", short).await.times > 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(counters.hit("c", LONG).await.times, 1, "and then from the beginning");
    counters.forget("a").await;
    assert_eq!(counters.look("a", LONG).await.times, 0);
});
