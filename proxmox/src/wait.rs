//! Waiting for a task's end.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::classify::classify_exit;
use crate::client::Client;
use crate::error::{Error, Outcome, Result, Said};
use crate::pace::pause;
use crate::task::{LogLine, TaskStatus};
use crate::upid::Upid;

/// Lines read at once.
const PAGE: u32 = 500;
/// How long lines of the log may wait for somebody who watches.
const LOG_BEAT: Duration = Duration::from_millis(500);
/// While a host cannot be reached: first, and at most.
const AWAY: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));
/// Stopping takes Proxmox up to 5 s; longer than this and we say that we do not know.
const STOPPING: Duration = Duration::from_secs(60);
const WARNINGS: usize = 100;

/// How a task ended, if it did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Finished {
    /// With the warnings of its log, if it had any.
    Done { warnings: Vec<String> },
    /// We stopped it, and it is confirmed to have ended.
    Cancelled { exit: String },
    /// It still runs after the limit. It was not stopped.
    Overdue,
}

/// How to wait: until when, and what stops the task.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub limit: Duration,
    pub cancel: CancellationToken,
}

impl Client {
    /// Waits for the end of a task, lines of its log going to `on_log` as they come. A host that cannot be reached is
    /// waited for until the limit: the task goes on without us. [`Error::TaskFailed`] has what it died of.
    pub async fn wait(&self, upid: &Upid, waiting: &Waiting, on_log: impl FnMut(&LogLine) + Send) -> Result<Finished> {
        Wait { client: self, upid, started: Instant::now(), next: 0, warnings: Vec::new(), on_log: Some(on_log) }
            .watch(waiting)
            .await
    }

    /// The same without a log, which takes fewer requests.
    pub async fn wait_silently(&self, upid: &Upid, waiting: &Waiting) -> Result<Finished> {
        let none: Option<fn(&LogLine)> = None;
        Wait { client: self, upid, started: Instant::now(), next: 0, warnings: Vec::new(), on_log: none }
            .watch(waiting)
            .await
    }
}

struct Wait<'a, F> {
    client: &'a Client,
    upid: &'a Upid,
    started: Instant,
    /// Lines read so far.
    next: u64,
    warnings: Vec<String>,
    on_log: Option<F>,
}

impl<F: FnMut(&LogLine) + Send> Wait<'_, F> {
    async fn watch(mut self, waiting: &Waiting) -> Result<Finished> {
        let deadline = self.started + waiting.limit;
        let mut away = AWAY.0;
        let mut absent = None;
        loop {
            let elapsed = self.started.elapsed();
            let mut rest = match &absent {
                Some(_) => away,
                None => pause(elapsed, self.client.history().of(self.upid.kind())),
            };
            if self.on_log.is_some() {
                rest = rest.min(LOG_BEAT);
            }
            tokio::select! {
                () = waiting.cancel.cancelled() => return self.stop().await,
                () = sleep_until((Instant::now() + rest).min(deadline)) => {}
            }
            match self.look().await {
                Ok(Some(exit)) => {
                    if succeeded(&exit) {
                        self.client.history().learn(self.upid.kind(), self.started.elapsed());
                    }
                    return self.end(exit, false).await;
                }
                Ok(None) => (absent, away) = (None, AWAY.0),
                Err(error @ Error::Unreachable(..)) => {
                    if absent.is_some() {
                        away = (away * 2).min(AWAY.1);
                    }
                    absent = Some(error);
                }
                Err(error) => return Err(error),
            }
            if Instant::now() >= deadline {
                return absent.map_or(Ok(Finished::Overdue), |error| Err(unknown(error)));
            }
        }
    }

    /// The exit status, when it is over.
    async fn look(&mut self) -> Result<Option<String>> {
        let status = self.client.task_status(self.upid).await?;
        if self.on_log.is_some() {
            // A log that cannot be read now is read at the end; the status is what counts.
            if let Err(error) = self.read_log().await {
                tracing::debug!(upid = %self.upid, %error, "the task's log");
            }
        }
        Ok(match status {
            TaskStatus::Running => None,
            TaskStatus::Over { exit } => Some(exit),
        })
    }

    async fn read_log(&mut self) -> Result<()> {
        loop {
            let (lines, total) = self.client.task_log(self.upid, self.next, PAGE).await?;
            self.next += lines.len() as u64;
            for line in &lines {
                if is_warning(&line.t) && self.warnings.len() < WARNINGS {
                    self.warnings.push(line.t.clone());
                }
                if let Some(on_log) = &mut self.on_log {
                    on_log(line);
                }
            }
            if lines.is_empty() || self.next >= total {
                return Ok(());
            }
        }
    }

    async fn end(mut self, exit: String, stopped: bool) -> Result<Finished> {
        if succeeded(&exit) {
            if exit != "OK" && self.on_log.is_none() {
                // Read for its warnings; that the task is done does not depend on it.
                if let Err(error) = self.read_log().await {
                    tracing::warn!(upid = %self.upid, %error, "the warnings of a task cannot be read");
                }
            }
            if exit != "OK" && self.warnings.is_empty() {
                self.warnings.push(exit);
            }
            return Ok(Finished::Done { warnings: self.warnings });
        }
        if stopped {
            return Ok(Finished::Cancelled { exit });
        }
        let said =
            Said { host: self.client.host().into(), call: self.upid.as_str().into(), status: 0, words: exit.clone() };
        Err(Error::TaskFailed { upid: Box::new(self.upid.clone()), exit, cause: Box::new(classify_exit(said)) })
    }

    /// Stops it, and does not believe it before it is seen.
    async fn stop(mut self) -> Result<Finished> {
        let (deadline, mut asked, mut rest) = (Instant::now() + STOPPING, false, Duration::from_millis(100));
        loop {
            let mut result = Ok(());
            if !asked {
                result = self.client.stop_task(self.upid).await;
                asked = result.is_ok();
            }
            let error = match self.look().await {
                Ok(Some(exit)) => return self.end(exit, true).await,
                Ok(None) => result.err(),
                Err(error) => Some(error),
            };
            match error {
                Some(error) if !matches!(error, Error::Unreachable(..)) => return Err(error),
                Some(error) if Instant::now() >= deadline => return Err(unknown(error)),
                None if Instant::now() >= deadline => return Ok(Finished::Overdue),
                _ => {}
            }
            sleep(rest).await;
            rest = (rest * 2).min(AWAY.1);
        }
    }
}

fn succeeded(exit: &str) -> bool {
    exit == "OK" || exit.starts_with("WARNINGS: ")
}

fn is_warning(line: &str) -> bool {
    line.starts_with("WARN") || line.starts_with("warning: ")
}

/// We lost sight of a task that was running: whatever the last request was, how the task ended is not known.
fn unknown(error: Error) -> Error {
    match error {
        Error::Unreachable(_, said) => Error::Unreachable(Outcome::Unknown, said),
        other => other,
    }
}
