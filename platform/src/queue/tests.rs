use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::job::{End, Finish};
use super::{Delivery, Job, Outcome, Place, Queue, QueueError, Settings, work};
use crate::coordination::Coordination;
use crate::coordination::tests::{both, flush, server};

const LEASE: Duration = Duration::from_millis(600);

fn settings() -> Settings {
    Settings { lease: LEASE, poll: Duration::from_millis(500), drain: Duration::from_secs(10), ..Settings::default() }
}

async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !done().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}

async fn is_empty(queue: &Queue) -> bool {
    queue.depth().await.is_ok_and(|depth| depth == super::Depth::default())
}

both!(a_backlog_of_fifty_thousand_is_drained_once_each, async |c: Coordination| {
    let queue = c.queue("q", 100_000);
    let pushes = futures_util::stream::iter(0..50_000_u128).map(|n| {
        let queue = queue.clone();
        async move { queue.push(Job::new(Uuid::from_u128(n)), None).await.unwrap() }
    });
    use futures_util::StreamExt as _;
    pushes.buffer_unordered(500).collect::<Vec<_>>().await;
    let runs = Arc::new(Mutex::new(HashMap::<Uuid, usize>::new()));
    let stop = CancellationToken::new();
    let lasting = Settings { lease: Duration::from_secs(30), ..settings() };
    let (seen, ending) = (Arc::clone(&runs), stop.clone());
    let working = tokio::spawn({
        let queue = queue.clone();
        async move {
            work(&queue, &lasting, ending, move |d| {
                *seen.lock().unwrap().entry(d.job.id).or_default() += 1;
                async { Outcome::Done }
            })
            .await
        }
    });
    until("drained", async || is_empty(&queue).await).await;
    stop.cancel();
    working.await.unwrap().unwrap();
    let runs = runs.lock().unwrap();
    assert_eq!((runs.len(), runs.values().sum::<usize>()), (50_000, 50_000));
});

both!(a_push_while_it_waits_is_one_run_and_while_it_runs_another, async |c: Coordination| {
    let queue = c.queue("q", 10);
    let job = Job::new(Uuid::now_v7());
    queue.push(job.clone(), None).await.unwrap();
    queue.push(job.clone(), None).await.unwrap();
    let first = queue.take(5, LEASE).await.unwrap().jobs;
    assert_eq!(first.len(), 1);
    queue.push(job.clone(), None).await.unwrap();
    assert!(queue.take(5, LEASE).await.unwrap().jobs.is_empty());
    assert_eq!(queue.place(job.id).await.unwrap(), Some(Place::Running));
    let done = Finish { id: job.id, token: first[0].token, end: End::Done };
    assert_eq!(queue.finish(&[done]).await.unwrap(), [true]);
    let second = queue.take(5, LEASE).await.unwrap().jobs;
    assert_eq!(second.len(), 1);
    assert!(second[0].token > first[0].token);
    assert_eq!(queue.finish(&[Finish { token: second[0].token, ..done }]).await.unwrap(), [true]);
    assert!(is_empty(&queue).await);
});

both!(a_silent_holder_loses_the_job_and_its_word_counts_no_more, async |c: Coordination| {
    let queue = c.queue("q", 10);
    let id = Uuid::now_v7();
    queue.push(Job::new(id), None).await.unwrap();
    let short = Duration::from_millis(50);
    let old = queue.take(1, short).await.unwrap().jobs.remove(0);
    let mut again = Vec::new();
    until("redelivered", async || {
        again = queue.take(1, LEASE).await.unwrap().jobs;
        !again.is_empty()
    })
    .await;
    assert!(again[0].redelivered && again[0].attempt == 2 && again[0].token > old.token);
    assert_eq!(queue.renew(&[(id, old.token), (id, again[0].token)], LEASE).await.unwrap(), [false, true]);
    let done = |token| Finish { id, token, end: End::Done };
    assert_eq!(queue.finish(&[done(old.token)]).await.unwrap(), [false]);
    assert_eq!(queue.place(id).await.unwrap(), Some(Place::Running));
    assert_eq!(queue.finish(&[done(again[0].token)]).await.unwrap(), [true]);
});

both!(full_says_the_numbers_and_known_jobs_still_enter, async |c: Coordination| {
    let queue = c.queue("q", 2);
    let one = Job::new(Uuid::now_v7());
    queue.push(one.clone(), None).await.unwrap();
    queue.push(Job::new(Uuid::now_v7()), None).await.unwrap();
    let full = queue.push(Job::new(Uuid::now_v7()), None).await;
    assert!(matches!(full, Err(QueueError::Full { queued: 2, limit: 2 })), "{full:?}");
    queue.push(one, None).await.unwrap();
});

both!(places_are_in_order_of_arrival_and_delays_are_kept, async |c: Coordination| {
    let queue = c.queue("q", 10);
    let ids: Vec<_> = (0..3).map(|_| Uuid::now_v7()).collect();
    for id in &ids {
        queue.push(Job::new(*id), None).await.unwrap();
    }
    let late = Uuid::now_v7();
    queue.push_after(Job::new(late), Duration::from_millis(300)).await.unwrap();
    assert_eq!(queue.place(ids[2]).await.unwrap(), Some(Place::Queued { ahead: 2 }));
    assert!(
        matches!(queue.place(late).await.unwrap(), Some(Place::Delayed { for_ }) if for_ > Duration::from_millis(50))
    );
    let caught = queue.take(10, LEASE).await.unwrap();
    assert_eq!(caught.jobs.iter().map(|t| t.job.id).collect::<Vec<_>>(), ids);
    assert!(caught.next.unwrap() <= Duration::from_millis(300));
    until("the late one", async || queue.take(1, LEASE).await.unwrap().jobs.iter().any(|t| t.job.id == late)).await;
});

both!(a_long_job_keeps_its_lease_and_a_drain_waits_for_it, async |c: Coordination| {
    let queue = c.queue("q", 10);
    queue.push(Job::new(Uuid::now_v7()), None).await.unwrap();
    let (starts, ends) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let stops = [CancellationToken::new(), CancellationToken::new()];
    let mut workers = Vec::new();
    for stop in &stops {
        let (queue, stop, starts, ends) = (queue.clone(), stop.clone(), Arc::clone(&starts), Arc::clone(&ends));
        workers.push(tokio::spawn(async move {
            work(&queue, &settings(), stop, move |_| {
                let (starts, ends) = (Arc::clone(&starts), Arc::clone(&ends));
                async move {
                    starts.fetch_add(1, Ordering::SeqCst);
                    tokio::time::sleep(LEASE * 3).await;
                    ends.fetch_add(1, Ordering::SeqCst);
                    Outcome::Done
                }
            })
            .await
        }));
    }
    until("started", async || starts.load(Ordering::SeqCst) == 1).await;
    for stop in &stops {
        stop.cancel();
    }
    for worker in workers {
        worker.await.unwrap().unwrap();
    }
    assert_eq!((starts.load(Ordering::SeqCst), ends.load(Ordering::SeqCst)), (1, 1));
    assert!(is_empty(&queue).await);
});

both!(a_panic_is_one_attempt_and_the_worker_lives, async |c: Coordination| {
    let queue = c.queue("q", 10);
    queue.push(Job::new(Uuid::now_v7()), None).await.unwrap();
    let attempts = Arc::new(AtomicUsize::new(0));
    let (seen, stop) = (Arc::clone(&attempts), CancellationToken::new());
    let ending = stop.clone();
    let handler = move |d: Delivery| {
        seen.store(d.attempt as usize, Ordering::SeqCst);
        async move { if d.attempt == 1 { panic!("on purpose") } else { Outcome::Done } }
    };
    let working = tokio::spawn({
        let queue = queue.clone();
        async move { work(&queue, &settings(), ending, handler).await }
    });
    until("run again", async || attempts.load(Ordering::SeqCst) == 2).await;
    until("done", async || is_empty(&queue).await).await;
    stop.cancel();
    working.await.unwrap().unwrap();
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Redis: cargo xtask test"]
async fn redis_survives_a_restart_and_a_flush() {
    let mut redis = server();
    let c = Coordination::connect(Some(&redis.url()), "t:").await.unwrap();
    let queue = c.queue("q", 1000);
    let runs = Arc::new(AtomicUsize::new(0));
    let (seen, stop) = (Arc::clone(&runs), CancellationToken::new());
    let ending = stop.clone();
    let working = tokio::spawn({
        let queue = queue.clone();
        async move {
            work(&queue, &settings(), ending, move |_| {
                seen.fetch_add(1, Ordering::SeqCst);
                async { Outcome::Done }
            })
            .await
        }
    });
    queue.push(Job::new(Uuid::now_v7()), None).await.unwrap();
    until("the first", async || runs.load(Ordering::SeqCst) == 1).await;
    redis.restart().unwrap();
    until("pushed", async || queue.push(Job::new(Uuid::now_v7()), None).await.is_ok()).await;
    until("after the restart", async || runs.load(Ordering::SeqCst) >= 2).await;
    flush(&redis).await;
    let before = runs.load(Ordering::SeqCst);
    queue.push(Job::new(Uuid::now_v7()), None).await.unwrap();
    until("after the flush", async || runs.load(Ordering::SeqCst) > before).await;
    stop.cancel();
    working.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Redis: cargo xtask test"]
async fn redis_a_backlog_outlives_a_restart_and_every_job_is_run() {
    let mut redis = server();
    let c = Coordination::connect(Some(&redis.url()), "t:").await.unwrap();
    let queue = c.queue("q", 10_000);
    for n in 0..5000 {
        queue.push(Job::new(Uuid::from_u128(n)), None).await.unwrap();
    }
    let runs = Arc::new(Mutex::new(HashMap::<Uuid, usize>::new()));
    let (seen, stop) = (Arc::clone(&runs), CancellationToken::new());
    let (ending, working) = (stop.clone(), queue.clone());
    let working = tokio::spawn(async move {
        let run = move |d: Delivery| {
            *seen.lock().unwrap().entry(d.job.id).or_default() += 1;
            async { Outcome::Done }
        };
        work(&working, &settings(), ending, run).await
    });
    until("in the middle", async || runs.lock().unwrap().len() > 1000).await;
    redis.restart().unwrap();
    until("all of it", async || is_empty(&queue).await && runs.lock().unwrap().len() == 5000).await;
    stop.cancel();
    working.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Redis: cargo xtask test"]
async fn redis_what_nobody_can_read_is_dropped_and_the_rest_is_run() {
    let redis = server();
    let c = Coordination::connect(Some(&redis.url()), "t:").await.unwrap();
    let queue = c.queue("q", 10);
    let (odd, good) = (Uuid::now_v7(), Uuid::now_v7());
    queue.push(Job::new(odd), None).await.unwrap();
    queue.push(Job::new(good), None).await.unwrap();
    let mut connection = redis::Client::open(redis.url()).unwrap().get_multiplexed_async_connection().await.unwrap();
    let mut write = redis::cmd("HSET");
    let () = write.arg("t:queue:q:jobs").arg(odd.to_string()).arg("{").exec_async(&mut connection).await.unwrap();
    let caught = queue.take(10, LEASE).await.unwrap().jobs;
    assert_eq!(caught.iter().map(|taken| taken.job.id).collect::<Vec<_>>(), [good]);
    assert_eq!(queue.place(odd).await.unwrap(), None);
}

both!(a_job_that_does_not_end_is_stopped_and_told_when_the_time_to_drain_is_over, async |c: Coordination| {
    let queue = c.queue("q", 10);
    queue.push(Job::new(Uuid::now_v7()), None).await.unwrap();
    let (given, mut taken) = tokio::sync::mpsc::channel(1);
    let (stop, impatient) = (CancellationToken::new(), Settings { drain: Duration::from_millis(50), ..settings() });
    let ending = stop.clone();
    let working = tokio::spawn(async move {
        let run = move |d: Delivery| {
            let given = given.clone();
            async move {
                given.send(d.lost_token()).await.unwrap();
                std::future::pending().await
            }
        };
        work(&queue, &impatient, ending, run).await
    });
    let lost = taken.recv().await.unwrap();
    assert!(!lost.is_cancelled());
    stop.cancel();
    assert!(matches!(working.await.unwrap(), Err(QueueError::Drain(_))));
    lost.cancelled().await;
    assert!(taken.recv().await.is_none(), "the handler is gone");
});
