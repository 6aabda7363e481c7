//! The thread that owns a host's connection. It never blocks on one command: it steps all of them until none moves,
//! then polls the socket and its mailbox.

mod sleep;
mod step;

use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::time::{Duration, Instant};

use metrics::{counter, gauge};
use ssh2::Session;

use super::config::ShellConfig;
use super::connect::connect;
use super::error::ShellError;
use super::kill::{kill, kill_in_background};
use super::live::{Failed, Live};
use super::mailbox::{Job, Mail, Waker};
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
}
