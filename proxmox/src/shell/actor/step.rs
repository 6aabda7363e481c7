//! One round over all commands of the connection.

use std::time::Instant;

use ssh2::{BlockDirections, Session};

use super::super::error::ShellError;
use super::super::live::Step;
use super::Actor;

impl Actor {
    /// Steps every command once; true when something moved.
    pub(super) fn step_all(&mut self) -> bool {
        let Some(connection) = &mut self.connection else { return false };
        let now = Instant::now();
        let mut moved = false;
        let mut lost = None;
        let mut index = 0;
        // libssh2 can have one channel in the making.
        let mut opening = false;
        connection.sends = false;
        while index < self.live.len() && lost.is_none() {
            let live = &mut self.live[index];
            if live.is_opening() && std::mem::replace(&mut opening, true) {
                index += 1;
                continue;
            }
            let step = live.step(&connection.session, now);
            connection.sends |= sends(&connection.session);
            match step {
                Step::Waiting => index += 1,
                Step::Moved => {
                    moved = true;
                    index += 1;
                }
                Step::Ended(job, result) => {
                    let killed = live.killed.unwrap_or(false);
                    let result = result.map_err(|failed| failed.into_error(&self.config.name, &job, killed));
                    let _ = job.done.send(result);
                    // The order stays: a command that is opening must be the first such in the list.
                    self.live.remove(index);
                    moved = true;
                }
                Step::NoPlace(job) => {
                    self.live.remove(index);
                    if self.live.is_empty() {
                        lost = Some("the host opens no channel".to_owned());
                    } else {
                        connection.places = self.live.len();
                    }
                    self.queue.put_back(job.lane, job);
                    moved = true;
                }
                Step::Lost(reason) => lost = Some(reason),
            }
        }
        if lost.is_none() && now >= connection.next_keepalive && !connection.sends {
            connection.next_keepalive = now + self.config.keepalive;
            lost = connection.session.keepalive_send().err().map(|error| error.message().to_owned());
        }
        if let Some(reason) = lost {
            self.lose(&reason);
            moved = true;
        }
        moved
    }

    /// Commands that may have run are told so; those that cannot have are tried on a new connection.
    fn lose(&mut self, reason: &str) {
        tracing::warn!(host = self.config.name, reason, running = self.live.len(), "the SSH connection is lost");
        for mut live in self.live.drain(..) {
            if live.not_started() {
                if let Some(mut job) = live.give_back() {
                    job.tries += 1;
                    if job.tries < 3 {
                        self.queue.put_back(job.lane, job);
                    } else {
                        let (host, reason) = (self.config.name.clone(), reason.to_owned());
                        let _ = job.done.send(Err(ShellError::Unreachable { host, reason }));
                    }
                }
            } else if let Some((job, failed)) = live.lose(reason) {
                let killed = live.killed.unwrap_or(false);
                let error = failed.into_error(&self.config.name, &job, killed);
                let _ = job.done.send(Err(error));
            }
        }
        self.connection = None;
    }
}

fn sends(session: &Session) -> bool {
    matches!(session.block_directions(), BlockDirections::Outbound | BlockDirections::Both)
}
