//! A worker process that is killed, told to stop, paused; and one beside it that lives.

use std::sync::{Arc, Mutex};

use platform::queue::{Delivery, Depth, Outcome, Place, Queue, QueueError, work};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use xtask::servers::Redis;

use crate::process::{Process, connect, push, settings, until};

/// The worker of this process, which writes down what it gets.
struct Beside {
    runs: Arc<Mutex<Vec<Delivery>>>,
    /// Its jobs end when there is one of these for each.
    may_end: Arc<Semaphore>,
    stop: CancellationToken,
    working: JoinHandle<Result<(), QueueError>>,
}

impl Beside {
    fn start(queue: Queue) -> Self {
        let (runs, may_end, stop) =
            (Arc::<Mutex<Vec<Delivery>>>::default(), Arc::new(Semaphore::new(0)), CancellationToken::new());
        let (seen, ending, allowed) = (Arc::clone(&runs), stop.clone(), Arc::clone(&may_end));
        let working = tokio::spawn(async move {
            let run = move |delivery: Delivery| {
                seen.lock().unwrap().push(delivery);
                let allowed = Arc::clone(&allowed);
                async move {
                    allowed.acquire().await.unwrap().forget();
                    Outcome::Done
                }
            };
            work(&queue, &settings(), ending, run).await
        });
        Self { runs, may_end, stop, working }
    }

    fn runs(&self) -> Vec<Delivery> {
        self.runs.lock().unwrap().clone()
    }

    async fn ends(self) {
        self.stop.cancel();
        self.working.await.unwrap().unwrap();
    }
}

async fn empty(queue: &Queue) {
    until("empty", async || queue.depth().await.unwrap() == Depth::default()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Redis: cargo xtask test"]
async fn a_killed_workers_job_is_run_by_another_once() {
    let redis = Redis::start().unwrap();
    let queue = connect(&redis.url()).await.queue("q", 10);
    let process = Process::start(&redis, "worker");
    process.says("ready");
    let id = push(&queue).await;
    process.says("runs");
    let beside = Beside::start(queue.clone());
    // Three leases later it is still the process's own.
    process.says("held");
    assert!(beside.runs().is_empty());
    process.signal("KILL");
    until("redelivered", async || !beside.runs().is_empty()).await;
    beside.may_end.add_permits(10);
    empty(&queue).await;
    let runs = beside.runs();
    assert_eq!(runs.iter().map(|d| (d.job.id, d.redelivered, d.attempt)).collect::<Vec<_>>(), [(id, true, 2)]);
    beside.ends().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Redis: cargo xtask test"]
async fn a_worker_told_to_stop_ends_its_long_job_and_takes_no_other() {
    let redis = Redis::start().unwrap();
    let queue = connect(&redis.url()).await.queue("q", 10);
    let mut process = Process::start(&redis, "worker");
    process.says("ready");
    push(&queue).await;
    process.says("held");
    let beside = Beside::start(queue.clone());
    beside.may_end.add_permits(10);
    process.signal("TERM");
    process.says("done");
    process.says("drained");
    assert!(process.ends().success());
    assert_eq!(queue.depth().await.unwrap(), Depth::default());
    assert!(beside.runs().is_empty(), "the long job was run twice");
    let next = push(&queue).await;
    until("the next one", async || beside.runs().iter().any(|d| d.job.id == next)).await;
    empty(&queue).await;
    beside.ends().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Redis: cargo xtask test"]
async fn a_worker_paused_past_its_lease_knows_it_and_its_word_counts_no_more() {
    let redis = Redis::start().unwrap();
    let queue = connect(&redis.url()).await.queue("q", 10);
    let mut process = Process::start(&redis, "worker");
    process.says("ready");
    let id = push(&queue).await;
    process.says("held");
    process.signal("STOP");
    let beside = Beside::start(queue.clone());
    until("redelivered", async || !beside.runs().is_empty()).await;
    process.signal("CONT");
    process.says("lost");
    process.signal("TERM");
    process.says("drained");
    assert!(process.ends().success());
    // It said that it was done, and had no say any more.
    assert_eq!(queue.place(id).await.unwrap(), Some(Place::Running));
    assert!(!beside.runs()[0].is_lost());
    beside.may_end.add_permits(10);
    empty(&queue).await;
    assert_eq!(beside.runs().len(), 1);
    beside.ends().await;
}
