//! A worker: takes as many jobs as it has free slots, keeps their leases alive, lets apalis run them, says how they ended.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use apalis::layers::WorkerBuilderExt as _;
use apalis_core::worker::builder::WorkerBuilder;
use apalis_core::worker::ext::parallelize::ParallelizeExt as _;
use futures_util::FutureExt as _;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::feed::{Claim, Feed};
use super::job::{Delivery, End, Finish, Outcome};
use super::leases::{Leases, LostAtTheEnd};
use super::{Queue, QueueError};
use crate::task::own;

const AT_ONCE: usize = 500;
const SHOW_EVERY: Duration = Duration::from_secs(1);
const TRY_AGAIN: Duration = Duration::from_millis(200);

#[derive(Debug, Clone)]
pub struct Settings {
    /// Part of the worker's name, which is made unique for every start.
    pub name: String,
    /// How many jobs at once.
    pub slots: usize,
    /// After that time without a sign, a job is given to another worker.
    pub lease: Duration,
    /// How long to trust that a wake-up would come.
    pub poll: Duration,
    /// How long running jobs may go on after the word to stop.
    pub drain: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { name: "worker".into(), slots: 64, lease: seconds(15), poll: seconds(2), drain: seconds(60) }
    }
}

/// Works until told to stop, then lets the running jobs end.
///
/// # Errors
/// `Drain` when they did not end in time.
pub async fn work<H, F>(
    queue: &Queue,
    settings: &Settings,
    stop: CancellationToken,
    handler: H,
) -> Result<(), QueueError>
where
    H: Fn(Delivery) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Outcome> + Send + 'static,
{
    let leases = Leases::default();
    let _lost = LostAtTheEnd(leases.clone());
    let (claims, claimed) = mpsc::channel(settings.slots.max(1));
    let (ends, ended) = mpsc::channel(1024);
    let fetching = fetch(queue.clone(), settings.clone(), stop.clone(), leases.clone(), claims);
    let fetching = own(fetching);
    let _renewing = own(leases.clone().keep(queue.clone(), settings.lease));
    let finishing = own(finish(queue.clone(), leases, ended));

    let name = format!("{}-{}-{}", settings.name, std::process::id(), Uuid::now_v7());
    let stopping = stop.clone();
    let worker =
        WorkerBuilder::new(name).backend(Feed(claimed)).catch_panic().parallelize(own).build(move |claim: Claim| {
            let (handler, ends, stopping) = (handler.clone(), ends.clone(), stopping.clone());
            async move { run(claim, handler, ends, stopping).await }
        });
    let working = own(worker.run());
    let ending = async {
        match working.await {
            // With the word to stop the feed ends, and the worker after it.
            Ok(Ok(())) if stop.is_cancelled() => {}
            Ok(Ok(())) => return Err(QueueError::Worker("its jobs ended".into())),
            Ok(Err(error)) => return Err(QueueError::Worker(error.to_string())),
            Err(error) => return Err(QueueError::Worker(error.to_string())),
        }
        let _ = (fetching.await, finishing.await);
        Ok(())
    };
    let out_of_time = async {
        stop.cancelled().await;
        tokio::time::sleep(settings.drain).await;
    };
    tokio::select! {
        ended = ending => ended,
        () = out_of_time => Err(QueueError::Drain(settings.drain)),
    }
}

async fn fetch(queue: Queue, settings: Settings, stop: CancellationToken, leases: Leases, claims: mpsc::Sender<Claim>) {
    let slots = Arc::new(Semaphore::new(settings.slots.max(1)));
    let mut news = queue.news();
    let mut shown = Instant::now();
    while let Some(Ok(mut free)) = stop.run_until_cancelled(Arc::clone(&slots).acquire_owned()).await {
        let more = u32::try_from(slots.available_permits().min(AT_ONCE - 1)).unwrap_or(0);
        if let Ok(more) = Arc::clone(&slots).try_acquire_many_owned(more) {
            free.merge(more);
        }
        let want = free.num_permits();
        let asked = Instant::now();
        let (got, next) = match queue.take(want, settings.lease).await {
            Ok(caught) => (caught.jobs, caught.next),
            Err(error) => {
                tracing::warn!(%error, "no jobs could be taken; trying again");
                (Vec::new(), Some(TRY_AGAIN))
            }
        };
        let full = got.len() == want;
        for taken in got {
            let lease = leases.hold(taken.job.id, taken.token, asked + settings.lease);
            metrics::histogram!("gantry_queue_waited_seconds").record(taken.waited.as_secs_f64());
            if taken.redelivered {
                metrics::counter!("gantry_queue_redelivered_total").increment(1);
                tracing::warn!(job = %taken.job.id, attempt = taken.attempt, "a job's former worker fell silent; running it here");
            }
            let (attempt, redelivered, waited) = (taken.attempt, taken.redelivered, taken.waited);
            let delivery = Delivery { job: taken.job, fence: taken.token, attempt, redelivered, waited, lease };
            let Some(slot) = free.split(1) else { break };
            if claims.send(Claim { delivery, slot }).await.is_err() {
                return;
            }
        }
        drop(free);
        if full {
            continue;
        }
        if shown.elapsed() >= SHOW_EVERY {
            show(&queue).await;
            shown = Instant::now();
        }
        let nap = next.map_or(settings.poll, |next| next.min(settings.poll));
        tokio::select! {
            () = stop.cancelled() => return,
            _ = news.next() => {}
            () = tokio::time::sleep(nap) => {}
        }
    }
}

async fn run<H, F>(claim: Claim, handler: H, ends: mpsc::Sender<Finish>, stop: CancellationToken)
where
    H: Fn(Delivery) -> F,
    F: Future<Output = Outcome>,
{
    let Claim { delivery, slot } = claim;
    let (id, token, attempt) = (delivery.job.id, delivery.fence, delivery.attempt);
    let end = if stop.is_cancelled() {
        End::Back
    } else {
        match AssertUnwindSafe(async move { handler(delivery).await }).catch_unwind().await {
            Ok(Outcome::Done) => End::Done,
            Ok(Outcome::Again { after }) => End::Again(after),
            Err(_) => {
                metrics::counter!("gantry_queue_failed_total").increment(1);
                tracing::error!(job = %id, attempt, "a job panicked; it will be run again");
                End::Failed(Duration::from_secs(1 << attempt.min(6)))
            }
        }
    };
    // Gone only when the worker was dropped; then the lease runs out.
    let _ = ends.send(Finish { id, token, end }).await;
    drop(slot);
}

/// Says how jobs ended, many at a time, until it was heard.
async fn finish(queue: Queue, leases: Leases, mut ended: mpsc::Receiver<Finish>) {
    let mut batch = Vec::with_capacity(AT_ONCE);
    while ended.recv_many(&mut batch, AT_ONCE).await > 0 {
        loop {
            match queue.finish(&batch).await {
                Ok(held) => {
                    let stale = held.iter().filter(|held| !**held).count();
                    metrics::counter!("gantry_queue_stale_total").increment(stale as u64);
                    break;
                }
                Err(error) if batch.iter().any(|one| leases.is_held(one.id, one.token)) => {
                    tracing::warn!(%error, "the ends of jobs were not heard; trying again");
                    tokio::time::sleep(TRY_AGAIN).await;
                }
                // Nothing of it is ours any more.
                Err(_) => break,
            }
        }
        batch.drain(..).for_each(|one| leases.forget(one.id, one.token));
    }
}

async fn show(queue: &Queue) {
    if let Ok(depth) = queue.depth().await {
        let show = |name: &'static str, value: u64| {
            #[expect(clippy::cast_precision_loss, reason = "a gauge")]
            metrics::gauge!(name).set(value as f64);
        };
        show("gantry_queue_queued", depth.queued);
        show("gantry_queue_delayed", depth.delayed);
        show("gantry_queue_running", depth.running);
    }
}
