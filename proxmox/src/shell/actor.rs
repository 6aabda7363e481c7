//! The thread that owns a host's connection. It never blocks on one command: it steps all of them until none moves,
//! then polls the socket and its mailbox.

use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::time::{Duration, Instant};

use metrics::{counter, gauge};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use ssh2::{BlockDirections, Session};

use super::config::ShellConfig;
use super::connect::connect;
use super::error::ShellError;
use super::kill::{kill, kill_in_background};
use super::live::{Failed, Live, Step};
use super::mailbox::{Job, Mail, Waker, drain};
use super::queue::Queue;

const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LONGEST_BACKOFF: Duration = Duration::from_secs(5);

struct Connection {
    session: Session,
    socket: TcpStream,
    /// How many commands the host lets us run at once: learned when it refuses one.
    places: usize,
    next_keepalive: Instant,
    /// A packet waits for room in the socket.
    sends: bool,
}

pub(super) struct Actor {
    config: ShellConfig,
    mailbox: Receiver<Mail>,
    mail: std::sync::Weak<Sender<Mail>>,
    pipe: UnixStream,
    waker: Waker,
    connection: Option<Connection>,
    live: Vec<Live>,
    queue: Queue<Box<Job>>,
    to_kill: Vec<String>,
    killing: bool,
    backoff: Duration,
    not_before: Instant,
    ever_connected: bool,
}

impl Actor {
    pub(super) fn new(
        config: ShellConfig,
        mailbox: Receiver<Mail>,
        mail: std::sync::Weak<Sender<Mail>>,
        pipe: UnixStream,
        waker: Waker,
    ) -> Self {
        Self {
            config,
            mailbox,
            mail,
            pipe,
            waker,
            connection: None,
            live: Vec::new(),
            queue: Queue::new(),
            to_kill: Vec::new(),
            killing: false,
            backoff: FIRST_BACKOFF,
            not_before: Instant::now(),
            ever_connected: false,
        }
    }

    /// Until the last handle is dropped.
    pub(super) fn run(mut self) {
        // Without handles nobody waits for a command: what still runs is being ended.
        while self.read_mail() || !self.live.is_empty() {
            self.give_up_unwanted();
            self.start_waiting();
            if !self.step_all() {
                self.sleep();
            }
        }
        if let Some(connection) = self.connection {
            connection.session.set_blocking(true);
            connection.session.set_timeout(1000);
            let _ = connection.session.disconnect(None, "done", None);
        }
    }

    fn read_mail(&mut self) -> bool {
        loop {
            match self.mailbox.try_recv() {
                Ok(Mail::Run(job)) if self.queue.len() >= self.config.queue => {
                    let _ = job.done.send(Err(ShellError::QueueFull { host: self.config.name.clone() }));
                }
                Ok(Mail::Run(job)) => self.queue.push(job.lane, job),
                Ok(Mail::Killed { tags, ended }) => {
                    self.killing = false;
                    self.killed(&tags, ended);
                }
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn killed(&mut self, tags: &[String], ended: bool) {
        let now = Instant::now();
        for live in &mut self.live {
            if live.job.as_ref().is_some_and(|job| tags.contains(&job.tag)) {
                live.killed(ended, now);
            }
        }
    }

    /// Ends commands whose time is up or that nobody waits for.
    fn give_up_unwanted(&mut self) {
        let now = Instant::now();
        self.queue.retain(|job| !job.signals.is_cancelled());
        for live in &mut self.live {
            let Some(job) = &live.job else { continue };
            if live.killing.is_some() || live.is_opening() || live.is_over() {
                continue;
            }
            if job.signals.is_cancelled() {
                live.killing = Some(Failed::Cancelled);
            } else if now >= live.deadline {
                live.killing = Some(Failed::TimeLimit);
            } else {
                continue;
            }
            self.to_kill.push(job.tag.clone());
        }
        if !self.killing && !self.to_kill.is_empty() {
            let tags = std::mem::take(&mut self.to_kill);
            match self.mail.upgrade() {
                Some(mail) => {
                    self.killing = true;
                    kill_in_background(&self.config, tags, Sender::clone(&mail), self.waker.clone());
                }
                None => {
                    let ended = kill(&self.config, &tags);
                    self.killed(&tags, ended);
                }
            }
        }
    }

    fn start_waiting(&mut self) {
        gauge!("gantry_shell_queue", "host" => self.config.name.clone()).set(self.queue.len() as f64);
        let now = Instant::now();
        if self.queue.len() == 0 || now < self.not_before {
            return;
        }
        if self.connection.is_none() && !self.connect() {
            return;
        }
        let Some(connection) = &self.connection else { return };
        while self.live.len() < connection.places {
            let Some(job) = self.queue.pop() else { return };
            self.live.push(Live::new(job, now));
        }
    }

    fn connect(&mut self) -> bool {
        let error = match connect(&self.config) {
            Ok((session, socket)) => {
                session.set_blocking(false);
                if self.ever_connected {
                    counter!("gantry_shell_reconnects_total", "host" => self.config.name.clone()).increment(1);
                }
                tracing::debug!(host = self.config.name, "connected over SSH");
                self.ever_connected = true;
                self.backoff = FIRST_BACKOFF;
                let next_keepalive = Instant::now() + self.config.keepalive;
                let places = self.config.sessions.max(1);
                self.connection = Some(Connection { session, socket, places, next_keepalive, sends: false });
                return true;
            }
            Err(error) => error,
        };
        tracing::warn!(host = self.config.name, %error, "cannot connect over SSH");
        self.not_before = Instant::now() + self.backoff;
        self.backoff = (self.backoff * 2).min(LONGEST_BACKOFF);
        while let Some(job) = self.queue.pop() {
            let _ = job.done.send(Err(error.clone()));
        }
        false
    }

    /// Steps every command once; true when something moved.
    fn step_all(&mut self) -> bool {
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

    fn sleep(&mut self) {
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

fn sends(session: &Session) -> bool {
    matches!(session.block_directions(), BlockDirections::Outbound | BlockDirections::Both)
}
