//! Ending in an order: take nothing new, finish or put down what is under way, close what it stood on.

use std::{io, time::Duration};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker, task::task_tracker::TaskTrackerToken};

/// How long each stage may take before the next begins all the same.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub accept: Duration,
    pub drain: Duration,
    pub close: Duration,
}

/// One stage: those who work in it hold a [`Part`], and stop when it is asked of them.
#[derive(Debug, Clone, Default)]
pub struct Stage {
    stop: CancellationToken,
    parts: TaskTracker,
}

/// Held by who takes part in a stage; the stage is over when all are dropped.
#[derive(Debug, Clone)]
pub struct Part {
    stop: CancellationToken,
    _held: TaskTrackerToken,
}

/// The stages of a process. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    /// Servers and takers of jobs: the first to stop.
    pub accept: Stage,
    /// What is under way: stops at its next safe point.
    pub drain: Stage,
    /// The log, connections: what the others need to the last.
    pub close: Stage,
}

/// SIGTERM and SIGINT, heard from the moment this is made: whoever is told that we are there may ask us to end at once.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// # Errors
    /// When the system lets us not listen for signals.
    pub fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// The name of the next one.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// The stages that ran into their limits; something of theirs was left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub late: Vec<&'static str>,
}

impl Stage {
    #[must_use]
    pub fn part(&self) -> Part {
        Part { stop: self.stop.clone(), _held: self.parts.token() }
    }

    /// Cancelled when the stage begins; for who need not be waited for.
    #[must_use]
    pub fn token(&self) -> CancellationToken {
        self.stop.clone()
    }

    async fn end(&self, within: Duration) -> bool {
        self.stop.cancel();
        self.parts.close();
        timeout(within, self.parts.wait()).await.is_ok()
    }
}

impl Part {
    /// Returns when this stage is to end.
    pub async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    #[must_use]
    pub fn token(&self) -> &CancellationToken {
        &self.stop
    }
}

impl Shutdown {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits for a signal, or for the `accept` stage to be cancelled from within, and then ends all stages in order.
    /// A second signal skips what is left of the waiting.
    pub async fn run(&self, mut signals: Signals, limits: Limits) -> Ended {
        let name = tokio::select! {
            name = signals.next() => name,
            () = self.accept.stop.cancelled() => "request",
        };
        tracing::info!(on = name, "shutting down");
        tokio::select! {
            ended = self.end(limits) => ended,
            name = signals.next() => {
                tracing::warn!(on = name, "told again to shut down: leaving at once");
                for stage in [&self.accept, &self.drain, &self.close] {
                    stage.stop.cancel();
                }
                Ended { late: vec!["accept", "drain", "close"] }
            }
        }
    }

    /// Ends the stages, each after the one before is over or has had its time.
    pub async fn end(&self, limits: Limits) -> Ended {
        let mut late = Vec::new();
        for (name, stage, within) in [
            ("accept", &self.accept, limits.accept),
            ("drain", &self.drain, limits.drain),
            ("close", &self.close, limits.close),
        ] {
            if !stage.end(within).await {
                tracing::warn!(
                    stage = name,
                    within_s = within.as_secs(),
                    left = stage.parts.len(),
                    "a stage of the shutdown took too long"
                );
                late.push(name);
            }
        }
        Ended { late }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    const LIMITS: Limits =
        Limits { accept: Duration::from_secs(5), drain: Duration::from_secs(30), close: Duration::from_secs(5) };

    fn working(stage: &Stage, name: &'static str, takes: Duration, said: &Arc<Mutex<Vec<&'static str>>>) {
        let (part, said) = (stage.part(), said.clone());
        tokio::spawn(async move {
            part.stopped().await;
            tokio::time::sleep(takes).await;
            said.lock().unwrap().push(name);
        });
    }

    #[tokio::test(start_paused = true)]
    async fn each_stage_waits_for_the_one_before() {
        let (shutdown, said) = (Shutdown::new(), Arc::default());
        working(&shutdown.close, "log", Duration::ZERO, &said);
        working(&shutdown.drain, "operation", Duration::from_secs(20), &said);
        working(&shutdown.accept, "server", Duration::from_secs(3), &said);
        assert_eq!(shutdown.end(LIMITS).await, Ended { late: vec![] });
        assert_eq!(*said.lock().unwrap(), ["server", "operation", "log"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stage_that_takes_too_long_does_not_hold_up_the_next() {
        let (shutdown, said) = (Shutdown::new(), Arc::default());
        working(&shutdown.drain, "operation", Duration::from_secs(3600), &said);
        working(&shutdown.close, "log", Duration::ZERO, &said);
        assert_eq!(shutdown.end(LIMITS).await, Ended { late: vec!["drain"] });
        assert_eq!(*said.lock().unwrap(), ["log"]);
    }

    #[tokio::test]
    async fn who_asks_from_within_is_heard() {
        let shutdown = Shutdown::new();
        shutdown.accept.token().cancel();
        assert_eq!(shutdown.run(Signals::listen().unwrap(), LIMITS).await, Ended { late: vec![] });
        assert!(shutdown.close.token().is_cancelled());
    }
}
