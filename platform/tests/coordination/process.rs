//! Another process of Gantry: this test program once more, which works as its environment says and tells in lines.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use platform::{
    coordination::Coordination,
    lock::Holder,
    queue::{Delivery, Job, Outcome, Queue, Settings, work},
};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use xtask::servers::Redis;

const URL: &str = "GANTRY_TEST_PROCESS_URL";
const ROLE: &str = "GANTRY_TEST_PROCESS_ROLE";
pub(crate) const LEASE: Duration = Duration::from_millis(800);
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Process {
    child: Child,
    lines: Receiver<String>,
}

impl Process {
    pub(crate) fn start(redis: &Redis, role: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["process::does_its_role", "--exact", "--include-ignored", "--nocapture"])
            .env(URL, redis.url())
            .env(ROLE, role)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (says, lines) = channel();
        let said = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        std::thread::spawn(move || {
            said.filter_map(|line| Some(line.split_once(">> ")?.1.to_owned())).try_for_each(|line| says.send(line))
        });
        Self { child, lines }
    }

    /// Waits until it says this.
    pub(crate) fn says(&self, wanted: &str) {
        while self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("never said: {wanted}")) != wanted {}
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("sh")
            .args(["-c", "kill -s \"$1\" \"$2\"", "kill", name])
            .arg(self.child.id().to_string())
            .status();
        assert!(sent.unwrap().success());
    }

    pub(crate) fn ends(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) async fn connect(url: &str) -> Coordination {
    Coordination::connect(Some(url), "test:").await.unwrap()
}

pub(crate) fn settings() -> Settings {
    Settings { lease: LEASE, poll: Duration::from_millis(200), ..Settings::default() }
}

pub(crate) fn me(who: &str) -> Holder {
    Holder { who: who.into(), what: "a test".into() }
}

pub(crate) async fn push(queue: &Queue) -> Uuid {
    let id = Uuid::now_v7();
    queue.push(Job::new(id), None).await.unwrap();
    id
}

pub(crate) async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !done().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}

#[expect(clippy::print_stdout, reason = "this is how it tells the test")]
fn say(what: &str) {
    println!(">> {what}");
}

/// Not a test of its own: what the other process does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Redis: cargo xtask test"]
#[expect(clippy::disallowed_methods, reason = "told by the test that starts this process")]
async fn does_its_role() {
    let (Ok(url), Ok(role)) = (std::env::var(URL), std::env::var(ROLE)) else { return };
    let c = connect(&url).await;
    match role.as_str() {
        "worker" => works(&c.queue("q", 10)).await,
        "holder" => {
            let guard = c.locks().try_acquire("k", me("holder"), LEASE).await.unwrap();
            say("holds");
            while !guard.is_lost() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            say("lost");
            say(if guard.release().await { "released" } else { "was not ours" });
        }
        "waiter" => {
            say("waits");
            let _guard = c.locks().acquire("k", me("waiter"), LEASE, PATIENCE).await.unwrap();
            say("holds");
        }
        _ => panic!("no such role"),
    }
}

/// Its jobs last for three leases beyond the word to stop, if they aren't lost before.
async fn works(queue: &Queue) {
    let mut term = signal(SignalKind::terminate()).unwrap();
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    let run = move |delivery: Delivery| {
        let stop = stopping.clone();
        async move {
            say("runs");
            let held = async {
                tokio::time::sleep(LEASE * 3).await;
                say("held");
                stop.cancelled().await;
                tokio::time::sleep(LEASE * 3).await;
                say("done");
            };
            tokio::select! {
                () = held => {}
                () = delivery.lost() => say("lost"),
            }
            Outcome::Done
        }
    };
    let settings = Settings { drain: PATIENCE, ..settings() };
    let working = work(queue, &settings, stop.clone(), run);
    tokio::pin!(working);
    say("ready");
    tokio::select! {
        ended = &mut working => panic!("ended by itself: {ended:?}"),
        _ = term.recv() => {}
    }
    stop.cancel();
    working.await.unwrap();
    say("drained");
}
