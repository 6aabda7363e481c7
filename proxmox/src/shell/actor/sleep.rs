//! Until something may have moved.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::super::live::Live;
use super::super::mailbox::drain;
use super::Actor;

impl Actor {
    pub(super) fn sleep(&mut self) {
        let now = Instant::now();
        let mut until = self.live.iter().map(|live| live.next_look(now)).min();
        let mut earlier = |at: Instant| until = Some(until.map_or(at, |until| until.min(at)));
        if self.queue.len() > 0 && self.connection.is_none() {
            earlier(self.not_before);
        }
        if let Some(connection) = &self.connection {
            earlier(connection.next_keepalive);
        }
        // A moment at least: a deadline that is over but cannot be acted on must not spin.
        let wait = until.map(|until| until.saturating_duration_since(now).max(Duration::from_millis(2)));
        let wait = wait.and_then(|wait| Timespec::try_from(wait).ok());
        let mut hung_up = false;
        {
            let mut fds = vec![PollFd::new(&self.pipe, PollFlags::IN)];
            if let Some(connection) = &self.connection {
                let mut flags = PollFlags::empty();
                flags.set(PollFlags::RDHUP, self.live.is_empty());
                flags.set(PollFlags::IN, self.live.iter().any(Live::wants_input));
                flags.set(PollFlags::OUT, connection.sends);
                // Not when every reader is full: a hung up socket would be reported again and again.
                if !flags.is_empty() {
                    fds.push(PollFd::new(&connection.socket, flags));
                }
            }
            // An interrupted poll is a wake-up like any other.
            let _ = poll(&mut fds, wait.as_ref());
            if let Some(socket) = fds.get(1) {
                let ends = PollFlags::HUP | PollFlags::RDHUP | PollFlags::ERR;
                hung_up = socket.revents().intersects(ends) && self.live.is_empty();
            }
        }
        drain(&self.pipe);
        if hung_up {
            // Nobody is running: no command is affected, the next one connects anew.
            tracing::debug!(host = self.config.name, "the idle SSH connection was closed by the host");
            self.connection = None;
        }
    }
}
