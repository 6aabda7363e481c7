//! The program as processes: started, killed, frozen, asked to end, started again.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::ground::Ground;

static STARTED: AtomicU32 = AtomicU32::new(0);

/// Killed when it goes.
pub(crate) struct Process {
    pub(crate) child: Child,
}

impl Process {
    fn start(ground: &Ground, name: &str, mut command: Command, piped: bool) -> Self {
        let number = STARTED.fetch_add(1, Ordering::SeqCst);
        let said = File::create(ground.dir().join(format!("{name}-{number}.log"))).unwrap();
        let out = if piped { Stdio::piped() } else { Stdio::null() };
        Self { child: command.stdin(Stdio::null()).stdout(out).stderr(said).spawn().unwrap() }
    }

    pub(crate) fn worker(ground: &Ground) -> Self {
        Self::start(ground, "worker", ground.program(&["worker"]).command(), false)
    }

    /// With its address.
    pub(crate) async fn api(ground: &Ground) -> (Self, String) {
        let command = ground.program(&["api", "--listen", "127.0.0.1:0"]).command();
        Self::answering(ground, "api", command).await
    }

    /// Everything in one, with its address.
    pub(crate) async fn serve(ground: &Ground) -> (Self, String) {
        let command = ground.program(&["serve", "--listen", "127.0.0.1:0"]).command();
        Self::answering(ground, "serve", command).await
    }

    /// One that serves, however it is started.
    pub(crate) async fn answering(ground: &Ground, name: &str, command: Command) -> (Self, String) {
        let mut process = Self::start(ground, name, command, true);
        let said = BufReader::new(process.child.stdout.take().unwrap());
        let told = tokio::task::spawn_blocking(move || {
            said.lines().map_while(Result::ok).find_map(|line| {
                let told = line.strip_prefix("The API answers at ").and_then(|rest| rest.split_whitespace().next());
                told.map(str::to_owned)
            })
        });
        let url = told.await.unwrap().unwrap_or_else(|| panic!("{name} ended"));
        (process, url)
    }

    /// As a machine that goes out does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn is_gone(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    pub(crate) fn ask_to_end(&self) {
        self.signal("-TERM");
    }

    /// Its exit code.
    pub(crate) fn ended(&mut self) -> i32 {
        tokio::task::block_in_place(|| self.child.wait()).unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
