//! Trivial jobs drained per second, and how soon an idle worker starts a job. The limits are a Redis list used as a queue
//! (move, work, remove) and a blocking pop: no leases, no delays, no order by time, no fences.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a bench fails by panicking, and its counts fit")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, future::join_all, stream};
use platform::{
    coordination::Coordination,
    queue::{Delivery, Depth, Job, Outcome, Queue, Settings, work},
};
use redis::{AsyncCommands as _, aio::MultiplexedConnection};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use xtask::{
    bench::{Aim, Figure, median, percentile},
    servers::Redis,
};

const JOBS: usize = 50_000;
const SLOTS: usize = 256;
const ROUNDS: usize = 3;
const PICKED_UP: usize = 1000;
const IDLE: Duration = Duration::from_millis(3);

async fn fill(queue: &Queue) {
    let push = |_| async { queue.push(Job::new(Uuid::now_v7()), None).await.unwrap() };
    stream::iter(0..JOBS).map(push).buffer_unordered(500).collect::<Vec<()>>().await;
}

/// Until the queue is empty: the last job is acknowledged, not only run.
async fn drain(queue: &Queue, slots: usize) -> f64 {
    fill(queue).await;
    let (stop, left) = (CancellationToken::new(), Arc::new(AtomicUsize::new(JOBS)));
    let (ending, last) = (stop.clone(), stop.clone());
    let run = move |_: Delivery| {
        if left.fetch_sub(1, Ordering::Relaxed) == 1 {
            last.cancel();
        }
        async { Outcome::Done }
    };
    let settings = Settings { slots, ..Settings::default() };
    let started = Instant::now();
    work(queue, &settings, ending, run).await.unwrap();
    let rate = JOBS as f64 / started.elapsed().as_secs_f64();
    assert_eq!(queue.depth().await.unwrap(), Depth::default());
    rate
}

/// Milliseconds from before the push until the job runs, each on an idle queue.
async fn pick_up(queue: &Queue) -> Vec<f64> {
    let (runs, mut running) = mpsc::channel(1);
    let stop = CancellationToken::new();
    let (ending, working) = (stop.clone(), queue.clone());
    let working = tokio::spawn(async move {
        let run = move |_: Delivery| {
            let (runs, now) = (runs.clone(), Instant::now());
            async move {
                runs.send(now).await.unwrap();
                Outcome::Done
            }
        };
        work(&working, &Settings::default(), ending, run).await
    });
    let mut took = Vec::with_capacity(PICKED_UP);
    for n in 0..PICKED_UP + 20 {
        tokio::time::sleep(IDLE).await;
        let pushed = Instant::now();
        queue.push(Job::new(Uuid::now_v7()), None).await.unwrap();
        let ran = running.recv().await.unwrap();
        // The first ones find neither scripts nor subscriptions in place.
        if n >= 20 {
            took.push((ran - pushed).as_secs_f64() * 1000.0);
        }
    }
    stop.cancel();
    working.await.unwrap().unwrap();
    took
}

async fn list_drained(mut connection: MultiplexedConnection) -> f64 {
    for _ in 0..JOBS / 500 {
        let payloads: Vec<String> = (0..500).map(|_| Uuid::now_v7().to_string()).collect();
        let () = connection.lpush("list", payloads).await.unwrap();
    }
    let started = Instant::now();
    let workers = (0..SLOTS).map(|_| {
        let mut connection = connection.clone();
        tokio::spawn(async move {
            let mut done = 0;
            while let Some(job) = rpoplpush(&mut connection).await {
                let () = connection.lrem("taken", 1, job).await.unwrap();
                done += 1;
            }
            done
        })
    });
    let done: usize = join_all(workers).await.into_iter().map(Result::unwrap).sum();
    done as f64 / started.elapsed().as_secs_f64()
}

async fn rpoplpush(connection: &mut MultiplexedConnection) -> Option<String> {
    connection.rpoplpush("list", "taken").await.unwrap()
}

async fn list_picked_up(mut pushing: MultiplexedConnection, mut popping: MultiplexedConnection) -> Vec<f64> {
    let (runs, mut running) = mpsc::channel(1);
    tokio::spawn(async move {
        // Until the server ends with the bench.
        while popping.blpop::<_, (String, String)>("idle", 0.0).await.is_ok() {
            if runs.send(Instant::now()).await.is_err() {
                return;
            }
        }
    });
    let mut took = Vec::with_capacity(PICKED_UP);
    for _ in 0..PICKED_UP {
        tokio::time::sleep(IDLE).await;
        let pushed = Instant::now();
        let () = pushing.rpush("idle", 1).await.unwrap();
        took.push((running.recv().await.unwrap() - pushed).as_secs_f64() * 1000.0);
    }
    took
}

async fn rounds<F: Future<Output = f64>>(round: impl Fn(usize) -> F) -> f64 {
    let mut rates = Vec::new();
    for n in 0..ROUNDS {
        rates.push(round(n).await);
    }
    median(&rates)
}

#[tokio::main]
async fn main() {
    let redis = Redis::start_with(&[("appendonly", "yes"), ("appendfsync", "everysec")]).unwrap();
    let client = redis::Client::open(redis.url()).unwrap();
    let connect = || async { client.get_multiplexed_async_connection().await.unwrap() };
    let ours = Coordination::connect(Some(&redis.url()), "bench:").await.unwrap();
    let memory = Coordination::in_process();
    let figure = |name: String, value, unit| Figure::new("queue", name, value, unit);

    let limit = rounds(|_| async { list_drained(connect().await).await }).await;
    for slots in [SLOTS, 64] {
        let rate = rounds(|n| {
            let queue = ours.queue(&format!("drain-{slots}-{n}"), u64::MAX);
            async move { drain(&queue, slots).await }
        });
        let name = format!("redis: trivial jobs drained, {slots} slots");
        figure(name, rate.await, "jobs/s").limit(limit).aim(Aim::AtLeast(15_000.0)).print();
    }
    let rate = rounds(|n| {
        let queue = memory.queue(&format!("drain-{n}"), u64::MAX);
        async move { drain(&queue, SLOTS).await }
    });
    figure(format!("memory: trivial jobs drained, {SLOTS} slots"), rate.await, "jobs/s").print();

    let limits = list_picked_up(connect().await, unlimited(&client).await).await;
    let redis_took = pick_up(&ours.queue("idle", 10)).await;
    let memory_took = pick_up(&memory.queue("idle", 10)).await;
    for (percent, aim) in [(50.0, 1.0), (99.0, 5.0)] {
        let limit = percentile(&limits, percent);
        let took = percentile(&redis_took, percent);
        figure(format!("redis: idle pick-up p{percent}"), took, "ms").limit(limit).aim(Aim::AtMost(aim)).print();
        figure(format!("memory: idle pick-up p{percent}"), percentile(&memory_took, percent), "ms").print();
    }
}

/// A blocking pop has no time-out.
async fn unlimited(client: &redis::Client) -> MultiplexedConnection {
    let config = redis::AsyncConnectionConfig::new().set_response_timeout(None);
    client.get_multiplexed_async_connection_with_config(&config).await.unwrap()
}
