//! Running tasks.

use std::future::Future;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use rand::RngExt;
use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::CancellationToken;

use super::access::Who;
use super::guest::Kind;
use super::task::Task;
use super::world::World;
use crate::faults::TaskFault;

/// A running task, as its body sees it.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) world: Arc<World>,
    pub(crate) upid: String,
    pub(crate) node: String,
    pub(crate) kind: String,
    warnings: Arc<std::sync::atomic::AtomicU32>,
}

impl Run {
    pub(crate) fn log(&self, line: impl Into<String>) {
        let line = line.into();
        self.world.change(|state| {
            if let Some(task) = state.tasks.iter_mut().rev().find(|task| task.upid == self.upid) {
                task.log.push(line);
            }
        });
    }

    pub(crate) fn warn(&self, line: &str) {
        self.warnings.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.log(format!("WARN: {line}"));
    }

    /// Takes the time that such a task takes.
    pub(crate) async fn work(&self) {
        let jitter = self.world.options.jitter.clamp(0.0, 1.0);
        let time = self.world.duration(&self.kind).mul_f64(rand::rng().random_range(1.0 - jitter..=1.0 + jitter));
        if !time.is_zero() {
            tokio::time::sleep(time).await;
        }
    }

    /// Takes a guest's lock file, saying so when it has to wait.
    pub(crate) async fn lock(&self, kind: Kind, vmid: u32) -> Result<OwnedMutexGuard<()>, String> {
        let file = self.world.lock_file(vmid);
        if !self.world.faults.lock_held(vmid)
            && let Ok(guard) = file.clone().try_lock_owned()
        {
            return Ok(guard);
        }
        self.log("trying to acquire lock...");
        let guard = self.world.wait_for(kind, vmid).await?;
        self.log(" OK");
        Ok(guard)
    }
}

impl World {
    /// Waits for a guest's lock file as long as the real one does.
    pub(crate) async fn wait_for(&self, kind: Kind, vmid: u32) -> Result<OwnedMutexGuard<()>, String> {
        let wait = self.options.lock_timeout;
        if self.faults.take_lock(vmid) {
            self.pause(wait).await;
            return Err(kind.lock_timeout(vmid));
        }
        tokio::time::timeout(wait, self.lock_file(vmid).lock_owned()).await.map_err(|_| kind.lock_timeout(vmid))
    }

    /// What tasks of a type take.
    pub(crate) fn duration(&self, kind: &str) -> Duration {
        if let Some(time) = self.options.durations.get(kind) {
            return *time;
        }
        let real = match kind {
            "vzcreate" | "vzclone" | "vzrestore" | "qmclone" | "qmrestore" => 4000,
            "vzdump" => 6000,
            "download" => 8000,
            "vzstart" | "qmstart" => 1500,
            "vzshutdown" | "qmshutdown" | "vzreboot" | "qmreboot" => 2500,
            "vzdestroy" | "qmdestroy" => 1200,
            "vzsnapshot" | "vzrollback" | "qmsnapshot" | "qmrollback" | "vzstop" | "qmstop" => 700,
            _ => 400,
        };
        Duration::from_millis(real).mul_f64(self.options.speed.max(0.0))
    }

    /// Starts a task and answers its UPID.
    pub(crate) fn task<F>(
        self: &Arc<Self>,
        who: &Who,
        node: &str,
        kind: &str,
        id: &str,
        fault: Option<TaskFault>,
        body: impl FnOnce(Run) -> F,
    ) -> String
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        let now = self.clock.now();
        let start = self.clock.seconds();
        let upid = self.change(|state| {
            let pid = state.next_pid();
            let booted = state.nodes.get(node).map_or(now, |node| node.booted);
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "hundredths of a second since a start that is in the past"
            )]
            let pstart = ((now - booted) * 100.0) as u64;
            let upid = Task::upid(node, pid, pstart, start, kind, id, &who.id());
            state.tasks.push(Task {
                upid: upid.clone(),
                node: node.to_owned(),
                kind: kind.to_owned(),
                id: id.to_owned(),
                user: who.id(),
                pid,
                pstart,
                start,
                end: None,
                exit: None,
                log: Vec::new(),
            });
            upid
        });
        let cancel = self.end.child_token();
        self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(upid.clone(), cancel.clone());
        let run = Run {
            world: self.clone(),
            upid: upid.clone(),
            node: node.to_owned(),
            kind: kind.to_owned(),
            warnings: Arc::default(),
        };
        let body = body(run.clone());
        self.tracker.spawn(supervise(run, cancel, fault, body));
        upid
    }

    fn finish(&self, upid: &str, exit: String, last: Option<String>) {
        let now = self.clock.seconds();
        self.change(|state| {
            if let Some(task) = state.tasks.iter_mut().rev().find(|task| task.upid == upid) {
                task.log.extend(last);
                task.exit = Some(exit);
                task.end = Some(now);
            }
        });
        self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(upid);
    }

    /// Returns when a task has ended: sooner than anybody who asks can know.
    pub async fn ended(&self, upid: &str) {
        let mut changes = self.subscribe();
        while self.state().tasks.iter().rev().any(|task| task.upid == upid && task.exit.is_none()) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Kills a running task; one that has ended stays as it is.
    pub(crate) fn kill(&self, upid: &str) -> bool {
        let found = self.running.lock().unwrap_or_else(PoisonError::into_inner).get(upid).cloned();
        found.is_some_and(|cancel| {
            cancel.cancel();
            true
        })
    }
}

async fn supervise(
    run: Run,
    cancel: CancellationToken,
    fault: Option<TaskFault>,
    body: impl Future<Output = Result<(), String>>,
) {
    let done = tokio::select! {
        biased;
        () = cancel.cancelled() => {
            return interrupted(&run);
        }
        done = with_fault(&run, fault, body) => done,
    };
    let warnings = run.warnings.load(std::sync::atomic::Ordering::Relaxed);
    match done {
        Err(error) => run.world.finish(&run.upid, error.clone(), Some(format!("TASK ERROR: {error}"))),
        Ok(()) if warnings > 0 => {
            run.world.finish(&run.upid, format!("WARNINGS: {warnings}"), Some(format!("TASK WARNINGS: {warnings}")))
        }
        Ok(()) => run.world.finish(&run.upid, "OK".to_owned(), Some("TASK OK".to_owned())),
    }
}

/// The end of a killed worker. Only a VM's shutdown takes the signal for a timeout.
fn interrupted(run: &Run) {
    if run.kind == "qmshutdown" {
        let error = "VM quit/powerdown failed - got timeout";
        run.log("QEMU Guest Agent is not running - received interrupt");
        run.world.finish(&run.upid, error.to_owned(), Some(format!("TASK ERROR: {error}")));
    } else {
        run.world.finish(&run.upid, "unexpected status".to_owned(), None);
    }
}

async fn with_fault(
    run: &Run,
    fault: Option<TaskFault>,
    body: impl Future<Output = Result<(), String>>,
) -> Result<(), String> {
    match fault {
        None => body.await,
        Some(TaskFault::Hangs) => std::future::pending().await,
        Some(TaskFault::Fails(text)) => {
            run.work().await;
            Err(text)
        }
        Some(TaskFault::FailsAfter(text)) => body.await.and(Err(text)),
        Some(TaskFault::Warns(count)) => {
            body.await?;
            (0..count).for_each(|_| run.warn("a fault was asked for"));
            Ok(())
        }
    }
}
