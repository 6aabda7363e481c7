//! From publish to receive. The limit is a bare subscription on a connection of its own.
#![allow(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use platform::{
    bus::{Bus, Signal, Subscription},
    coordination::Coordination,
};
use redis::AsyncCommands as _;
use tokio::sync::mpsc;
use xtask::{
    bench::{Aim, Figure, percentile},
    servers::Redis,
};

const NOTICES: u64 = 2000;
const IDLE: Duration = Duration::from_millis(2);
const WATCHERS: usize = 1000;

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// From one bus to another, as between two processes.
async fn through(from: &Bus, to: &Bus) -> Vec<f64> {
    let mut watch = to.subscribe("topic");
    let mut up_to = 1;
    // Until the subscription of the process stands.
    while tokio::time::timeout(Duration::from_millis(50), reach(&mut watch, up_to)).await.is_err() {
        from.publish("topic", up_to).await;
    }
    let (says, mut heard) = mpsc::channel(1);
    tokio::spawn(async move {
        for wanted in 2..2 + NOTICES {
            reach(&mut watch, wanted).await;
            says.send(Instant::now()).await.unwrap();
        }
    });
    let mut took = Vec::new();
    for _ in 0..NOTICES {
        tokio::time::sleep(IDLE).await;
        up_to += 1;
        let published = Instant::now();
        from.publish("topic", up_to).await;
        took.push(milliseconds(heard.recv().await.unwrap() - published));
    }
    took
}

async fn reach(watch: &mut Subscription, wanted: u64) {
    while !matches!(watch.next().await, Signal::More(up_to) if up_to >= wanted) {}
}

async fn bare(client: &redis::Client) -> Vec<f64> {
    let mut publishing = client.get_multiplexed_async_connection().await.unwrap();
    let mut subscription = client.get_async_pubsub().await.unwrap();
    subscription.subscribe("bare").await.unwrap();
    let (says, mut heard) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut messages = subscription.into_on_message();
        while messages.next().await.is_some() && says.send(Instant::now()).await.is_ok() {}
    });
    let mut took = Vec::new();
    for n in 0..NOTICES {
        tokio::time::sleep(IDLE).await;
        let published = Instant::now();
        let () = publishing.publish("bare", n).await.unwrap();
        took.push(milliseconds(heard.recv().await.unwrap() - published));
    }
    took
}

/// Until the last of all who watch one topic has heard.
async fn to_all(bus: &Bus) -> Vec<f64> {
    let mut took = Vec::new();
    for up_to in 1..=50 {
        let mut watches: Vec<_> = (0..WATCHERS).map(|_| bus.subscribe("all")).collect();
        let published = Instant::now();
        bus.publish("all", up_to).await;
        for watch in &mut watches {
            reach(watch, up_to).await;
        }
        took.push(milliseconds(published.elapsed()));
    }
    took
}

#[tokio::main]
async fn main() {
    let redis = Redis::start_with(&[("appendonly", "yes"), ("appendfsync", "everysec")]).unwrap();
    let client = redis::Client::open(redis.url()).unwrap();
    let here = Coordination::connect(Some(&redis.url()), "bench:").await.unwrap();
    let there = Coordination::connect(Some(&redis.url()), "bench:").await.unwrap();
    let memory = Coordination::in_process();

    let limits = bare(&client).await;
    let remote = through(here.bus(), there.bus()).await;
    let local = through(memory.bus(), memory.bus()).await;
    for (percent, aim) in [(50.0, 1.0), (99.0, 5.0)] {
        let figure = |name: &str, took: &[f64]| {
            Figure::new("bus", format!("{name} p{percent}"), percentile(took, percent), "ms")
        };
        figure("redis: publish to receive", &remote).limit(percentile(&limits, percent)).aim(Aim::AtMost(aim)).print();
        figure("memory: publish to receive", &local).print();
    }
    let name = format!("redis: until {WATCHERS} watchers have heard, p50");
    Figure::new("bus", name, percentile(&to_all(here.bus()).await, 50.0), "ms").print();
}
