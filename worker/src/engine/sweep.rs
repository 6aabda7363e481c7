//! Finds operations that nobody works on: their job was lost with Redis, or never pushed because of a crash between
//! the append and the push. A job too many does no harm, so nothing here has to be exact.

use std::collections::BTreeMap;
use std::time::Duration;

use platform::sabotage::{Safeguard, is_off};

use super::Engine;
use super::bounds::is_share;

const EVERY: Duration = Duration::from_secs(15);

impl Engine {
    /// Sweeps at the start and from then on now and again, until the process is told to end.
    pub async fn sweep_on(&self) {
        loop {
            match self.sweep().await {
                Ok(0) => {}
                Ok(found) => tracing::info!(found, "operations without a job were queued again"),
                Err(error) => tracing::warn!(error, "the sweep for lost operations failed, it comes again"),
            }
            tokio::select! {
                () = self.stopping.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// One sweep; says how many operations it queued.
    ///
    /// # Errors
    /// When the read model or the queue can't be asked; in words, for the log.
    pub async fn sweep(&self) -> Result<u64, String> {
        if is_off(Safeguard::Sweep) {
            return Ok(0);
        }
        let mut found = 0;
        let mut after = None;
        let mut lines = BTreeMap::new();
        loop {
            let page = self.tools.unfinished(after).await.map_err(|error| error.to_string())?;
            for row in page.items {
                if let Some(line) = row.line().filter(|line| is_share(line)) {
                    // It is called when it is next; the first one is called here when nobody is left to do it.
                    lines.entry(line.to_owned()).or_insert(row.id);
                } else if self.queue.place(row.id.uuid()).await.map_err(|error| error.to_string())?.is_none() {
                    self.wake(row.id).await.map_err(|error| error.to_string())?;
                    found += 1;
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        for (line, first) in lines {
            if self.tools.locks.inspect(&line).await.map_err(|error| error.to_string())?.is_none() {
                self.wake(first).await.map_err(|error| error.to_string())?;
                found += 1;
            }
        }
        Ok(found)
    }
}
