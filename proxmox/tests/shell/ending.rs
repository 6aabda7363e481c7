use std::time::Duration;

use proxmox::shell::{Command, Shell, ShellError};

use super::sshd::{Sshd, eventually, lives, pid_in};

/// Three processes: a shell, a child in a session of its own, and one that shrugs off TERM. Their ids go to files.
fn family(sshd: &Sshd) -> Command {
    let script = "cd \"$1\"; echo $$ >a; setsid sleep 300 & echo $! >b; (trap '' TERM; sleep 300) & echo $! >c; \
                  echo up; wait";
    Command::new("sh").args(["-c", script, "sh"]).arg(sshd.directory.path()).limit(Duration::from_secs(300))
}

fn pids(sshd: &Sshd) -> Vec<u32> {
    ["a", "b", "c"].iter().map(|name| pid_in(&sshd.path(name)).unwrap()).collect()
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn a_time_limit_ends_every_process_of_the_command() {
    let sshd = Sshd::start("");
    let shell = sshd.shell().await;
    let limit = Duration::from_millis(500);
    let error = shell.output(family(&sshd).limit(limit)).await.unwrap_err();
    assert!(matches!(error, ShellError::TimeLimit { killed: true, .. }), "{error}");
    assert!(!pids(&sshd).into_iter().any(lives));
    assert_eq!(shell.output(Command::new("true")).await.unwrap().code, 0);
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn a_dropped_command_ends_even_with_its_last_handle() {
    let sshd = Sshd::start("");
    let shell: Shell = sshd.shell().await;
    let mut running = shell.start(family(&sshd)).unwrap();
    running.next().await.unwrap();
    let pids = pids(&sshd);
    assert!(pids.iter().all(|&pid| lives(pid)));
    drop((running, shell));
    eventually("all ended", || !pids.iter().any(|&pid| lives(pid))).await;
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn a_kill_is_over_when_it_says_so() {
    let sshd = Sshd::start("");
    let shell = sshd.shell().await;
    let other = shell.start(Command::new("sh").args(["-c", "cat; echo whole"]).stdin(shell.stdin().1)).unwrap();
    let mut running = shell.start(family(&sshd)).unwrap();
    running.next().await.unwrap();
    let pids = pids(&sshd);
    running.kill().await;
    assert!(!pids.into_iter().any(lives));
    assert_eq!(other.wait().await.unwrap().code, 0, "another command was ended too");
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn killing_works_when_every_place_is_taken() {
    let sshd = Sshd::start("MaxSessions 1");
    let mut config = sshd.config().await;
    config.sessions = 1;
    let shell = Shell::new(config).unwrap();
    let mut running = shell.start(family(&sshd)).unwrap();
    running.next().await.unwrap();
    let waiting = shell.output(Command::new("echo").arg("mine"));
    let ((), output) = tokio::join!(running.kill(), waiting);
    assert_eq!(output.unwrap().text(), "mine");
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn a_flood_that_nobody_reads_can_be_ended() {
    let sshd = Sshd::start("");
    let shell = sshd.shell().await;
    let limit = Duration::from_millis(500);
    let running = shell.start(Command::new("cat").arg("/dev/zero").limit(limit)).unwrap();
    assert_eq!(shell.output(Command::new("true")).await.unwrap().code, 0);
    let error = running.wait().await.unwrap_err();
    assert!(matches!(error, ShellError::TimeLimit { killed: true, .. }), "{error}");
}
