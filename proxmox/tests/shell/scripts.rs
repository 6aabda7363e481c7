use std::path::PathBuf;
use std::time::Duration;

use proxmox::shell::{
    Attached, Detached, End, Ended, Followed, GuestError, LogLine, RunId, Script, Secret, Shell, Stream,
};

use super::sshd::{Sshd, eventually, lives, pid_in};

/// Runs live in the guest's /run, which here is this machine's: every test has names of its own.
struct Run {
    id: RunId,
}

impl Run {
    fn new() -> Self {
        let id = format!("test-{:016x}", rand::random::<u64>());
        Self { id: id.parse().unwrap() }
    }

    fn file(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/run/gantry/{}/{name}", self.id))
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.file(""));
    }
}

fn script(body: &str) -> Script {
    Script { body: body.as_bytes().to_vec(), env: Vec::new(), limit: Duration::from_secs(60) }
}

fn detached(shell: &Shell) -> Detached {
    shell.guest(101).detached()
}

async fn to_the_end(mut attached: Attached) -> (Vec<LogLine>, Ended) {
    let mut lines = Vec::new();
    loop {
        match attached.next().await.unwrap() {
            Followed::Line(line) => lines.push(line),
            Followed::Ended(ended) => return (lines, ended),
        }
    }
}

fn texts(lines: &[LogLine]) -> Vec<&str> {
    lines.iter().map(|line| line.text.as_str()).collect()
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn a_script_runs_once_with_its_lines_code_and_environment() {
    let (sshd, run) = (Sshd::start(""), Run::new());
    let scripts = detached(&sshd.shell().await);
    let mut written = script(
        "#!/bin/bash\nset -e\necho \"one $A\"\nsleep 0.3\necho two >&2\nsleep 0.3\n[[ -t 0 ]] || cat\nread -r x || echo closed\n\
         ls \"$D\"\nprintf 'no end'\nexit 7\n",
    );
    let directory = run.file("").to_str().unwrap().trim_end_matches('/').to_owned();
    written.env = vec![("A".to_owned(), Secret::from("it's\n$here")), ("D".to_owned(), directory.into())];
    assert!(scripts.launch(&run.id, &written).await.unwrap());
    let (lines, ended) = to_the_end(scripts.attach(&run.id, 0)).await;
    assert_eq!(ended, Ended { code: 7, end: End::Itself });
    let texts = texts(&lines);
    assert_eq!(texts[..4], ["one it's", "$here", "two", "closed"]);
    assert_eq!(texts.last(), Some(&"no end"));
    assert!(!texts.contains(&"env"), "the environment's file is still there: {texts:?}");
    assert_eq!(lines[2].stream, Stream::Err);
    // Not again, and the lines are there for whoever asks, from wherever.
    assert!(!scripts.launch(&run.id, &written).await.unwrap());
    let (rest, again) = to_the_end(scripts.attach(&run.id, lines[2].next)).await;
    assert_eq!((rest.as_slice(), again), (&lines[3..], ended));
    scripts.forget(&run.id).await.unwrap();
    let error = scripts.attach(&run.id, 0).next().await.unwrap_err();
    assert!(matches!(error, GuestError::RunGone { .. }), "{error}");
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn ten_that_start_it_at_once_start_it_once() {
    let (sshd, run) = (Sshd::start(""), Run::new());
    let scripts = detached(&sshd.shell().await);
    let written = script("echo once");
    let starts = futures_util::future::join_all((0..10).map(|_| scripts.launch(&run.id, &written))).await;
    assert_eq!(starts.into_iter().filter(|start| *start.as_ref().unwrap()).count(), 1);
    let (lines, ended) = to_the_end(scripts.attach(&run.id, 0)).await;
    assert_eq!((texts(&lines), ended.code), (vec!["once"], 0));
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn lost_connections_and_a_lost_worker_lose_no_line() {
    let (sshd, run) = (Sshd::start(""), Run::new());
    let scripts = detached(&sshd.shell().await);
    let count = "i=0; while [ $i -lt 200 ]; do i=$((i+1)); echo $i; sleep 0.02; done; exit 5";
    scripts.launch(&run.id, &script(count)).await.unwrap();
    let mut attached = scripts.attach(&run.id, 0);
    let mut lines: Vec<LogLine> = Vec::new();
    while lines.len() < 100 {
        match attached.next().await.unwrap() {
            Followed::Line(line) => lines.push(line),
            Followed::Ended(ended) => panic!("ended early: {ended:?}"),
        }
        if lines.len().is_multiple_of(30) {
            sshd.drop_connections();
        }
    }
    // Another worker, with what the first one kept.
    drop((attached, scripts));
    let scripts = detached(&sshd.shell().await);
    let (rest, ended) = to_the_end(scripts.attach(&run.id, lines[99].next)).await;
    lines.extend(rest);
    let wanted: Vec<String> = (1..=200).map(|n| n.to_string()).collect();
    assert_eq!((texts(&lines), ended.code), (wanted.iter().map(String::as_str).collect(), 5));
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn its_limit_holds_in_the_guest_without_anybody_attached() {
    let (sshd, run) = (Sshd::start(""), Run::new());
    let scripts = detached(&sshd.shell().await);
    let pids = sshd.path("pids");
    let body = format!("setsid sleep 300 & echo $! >{0}; echo up; sleep 300", pids.display());
    let mut written = script(&body);
    written.limit = Duration::from_secs(1);
    scripts.launch(&run.id, &written).await.unwrap();
    sshd.drop_connections();
    eventually("it has ended", || run.file("rc").exists()).await;
    assert!(!lives(pid_in(&pids).unwrap()));
    let (lines, ended) = to_the_end(scripts.attach(&run.id, 0)).await;
    assert_eq!((texts(&lines), ended), (vec!["up"], Ended { code: 143, end: End::TimeLimit }));
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn a_stopped_script_is_gone_with_all_it_started() {
    let (sshd, run) = (Sshd::start(""), Run::new());
    let scripts = detached(&sshd.shell().await);
    let pids = sshd.path("pids");
    let body = format!("setsid sleep 300 & echo $! >{0}; echo up; sleep 300", pids.display());
    scripts.launch(&run.id, &script(&body)).await.unwrap();
    let mut attached = scripts.attach(&run.id, 0);
    assert!(matches!(attached.next().await.unwrap(), Followed::Line(line) if line.text == "up"));
    scripts.stop(&run.id).await.unwrap();
    assert!(!lives(pid_in(&pids).unwrap()));
    let Followed::Ended(ended) = attached.next().await.unwrap() else { panic!("a line after its end") };
    assert_eq!(ended.end, End::Stopped);
    assert_ne!(ended.code, 0);
    scripts.stop(&run.id).await.unwrap();
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn a_killed_supervisor_is_no_success() {
    let (sshd, run) = (Sshd::start(""), Run::new());
    let scripts = detached(&sshd.shell().await);
    scripts.launch(&run.id, &script("echo up; sleep 1")).await.unwrap();
    let supervisor = pid_in(&run.file("pid")).unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-9", &supervisor]).status().unwrap().success());
    let mut attached = scripts.attach(&run.id, 0);
    let error = loop {
        match attached.next().await {
            Ok(Followed::Line(_)) => {}
            Ok(Followed::Ended(ended)) => panic!("{ended:?}"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, GuestError::RunDied { .. }), "{error}");
}

/// The same on busybox, whose tools know fewer options: its `sh` and applets come first in the guest's PATH.
#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn busybox_is_enough() {
    let (sshd, run) = (Sshd::start(""), Run::new());
    let applets = sshd.path("busybox");
    std::fs::create_dir(&applets).unwrap();
    let installed = std::process::Command::new("busybox").args(["--install", "-s"]).arg(&applets).status();
    if !installed.is_ok_and(|status| status.success()) {
        panic!("this test needs busybox: apt-get install busybox-static");
    }
    let guest = sshd.shell().await.guest(107);
    let sh = guest.output(proxmox::shell::Command::new("readlink").arg("-f").arg("/proc/self/exe")).await.unwrap();
    assert!(sh.text().ends_with("busybox"), "{}", sh.text());
    let scripts = guest.detached();
    let mut written = script("echo \"$A\"; echo two >&2; sleep 300");
    written.env = vec![("A".to_owned(), Secret::from("one"))];
    written.limit = Duration::from_secs(1);
    scripts.launch(&run.id, &written).await.unwrap();
    let (lines, ended) = to_the_end(scripts.attach(&run.id, 0)).await;
    assert_eq!((lines.len(), ended), (2, Ended { code: 143, end: End::TimeLimit }));
    let target = sshd.path("pushed");
    let owner = proxmox::shell::Owner::root(0o600);
    guest.push_bytes(vec![7; 100_000].into(), target.to_str().unwrap(), &owner).await.unwrap();
    let mut back = Vec::new();
    assert_eq!(guest.pull(target.to_str().unwrap(), &mut back).await.unwrap().mode, 0o600);
    assert_eq!(back, vec![7; 100_000]);
}
