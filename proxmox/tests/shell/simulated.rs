//! The same through real OpenSSH into the simulator's `pct`: containers with namespaces and root file systems of their
//! own.

use std::future::Future;
use std::os::unix::fs::symlink;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use proxmox::shell::{Command, Followed, GuestError, Owner, Script, Shell, ShellError};
use sim::guest::pct::{Act, Container, Model, Relay};
use sim::guest::{Boot, Fresh, Guests, Node, Os};

use super::sshd::Sshd;

struct Containers(Guests);

impl Model for Containers {
    fn containers(&self, _: &str) -> Vec<Container> {
        (101..104)
            .filter(|vmid| self.0.exists(*vmid))
            .map(|vmid| Container { vmid, name: format!("ct{vmid}"), running: self.0.is_running(vmid), lock: None })
            .collect()
    }

    fn config(&self, _: &str, vmid: u32) -> Option<Vec<(String, String)>> {
        Some(vec![("hostname".to_owned(), format!("ct{vmid}"))])
    }

    fn act<'a>(&'a self, _: &'a str, _: u32, _: Act) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        Box::pin(async { Err("not in this test".to_owned()) })
    }
}

/// 101 runs, 103 is stopped, 404 is not. Kept until the test ends.
struct Host {
    sshd: Sshd,
    guests: Guests,
    _node: Node,
    _relay: Relay,
}

impl Host {
    async fn new() -> Self {
        let guests = Guests::open(None, sim::guest::Shell::Run).await.unwrap();
        for vmid in [101, 103] {
            let hostname = format!("ct{vmid}");
            let fresh = Fresh { os: Os::default(), hostname, root_password: None, ssh_keys: Vec::new() };
            guests.create(vmid, &fresh).await.unwrap();
        }
        guests.start(101, &Boot { hostname: "ct101".to_owned(), ..Boot::default() }).await.unwrap();
        let node = guests.node("pve1", Arc::new(Containers(guests.clone()))).await.unwrap();
        let relay = node.pct_outside().unwrap();
        let sshd = Sshd::start("");
        std::fs::remove_file(sshd.path("bin/pct")).unwrap();
        symlink(relay.program(), sshd.path("bin/pct")).unwrap();
        Self { sshd, guests, _node: node, _relay: relay }
    }

    async fn shell(&self) -> Shell {
        self.sshd.shell().await
    }
}

fn sh(script: &str) -> Command {
    Command::new("sh").arg("-c").arg(script)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs sshd: cargo xtask test"]
async fn codes_errors_arguments_and_files() {
    let host = Host::new().await;
    let shell = host.shell().await;
    let guest = shell.guest(101);
    assert_eq!(guest.output(Command::new("hostname")).await.unwrap().text(), "ct101");
    for code in [0, 2, 7, 255] {
        assert_eq!(guest.output(sh(&format!("exit {code}"))).await.unwrap().code, code);
    }
    let error = shell.guest(404).output(Command::new("true")).await.unwrap_err();
    assert!(matches!(error, GuestError::Unknown { .. }), "{error}");
    let error = shell.guest(103).output(Command::new("true")).await.unwrap_err();
    assert!(matches!(error, GuestError::NotRunning { .. }), "{error}");
    let all: Vec<u8> = (1..=255).collect();
    let argument: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(all.as_slice());
    assert_eq!(guest.output(Command::new("printf").arg("%s").arg(argument)).await.unwrap().stdout, all);
    let content = vec![7; 4 * 1024 * 1024];
    guest.push_bytes(content.clone().into(), "/srv/file", &Owner::root(0o640)).await.unwrap();
    let mut back = Vec::new();
    let pulled = guest.pull("/srv/file", &mut back).await.unwrap();
    assert_eq!((pulled.mode, pulled.uid, back == content), (0o640, 0, true));
    host.guests.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs sshd: cargo xtask test"]
async fn a_time_limit_ends_what_runs_inside() {
    let host = Host::new().await;
    let guest = host.shell().await.guest(101);
    let command = sh("sleep 4321 & setsid sleep 4321").limit(Duration::from_secs(1));
    let error = guest.output(command).await.unwrap_err();
    assert!(matches!(error, GuestError::Shell(ShellError::TimeLimit { killed: true, .. })), "{error}");
    let left = guest.output(sh("cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c 'sleep [4]321'")).await.unwrap();
    assert_eq!(left.text(), "0");
    host.guests.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs sshd: cargo xtask test"]
async fn a_script_outlives_its_connection() {
    let host = Host::new().await;
    let scripts = host.shell().await.guest(101).detached();
    let run = "operation-scripts-1".parse().unwrap();
    let body = b"#!/bin/bash\nfor i in {1..60}; do echo $i; sleep 0.02; done; exit 5".to_vec();
    let script = Script { body, env: Vec::new(), limit: Duration::from_secs(60) };
    assert!(scripts.launch(&run, &script).await.unwrap());
    let (mut attached, mut lines) = (scripts.attach(&run, 0), Vec::new());
    loop {
        match attached.next().await.unwrap() {
            Followed::Line(line) => lines.push(line.text),
            Followed::Ended(ended) => break assert_eq!(ended.code, 5),
        }
        if lines.len() == 20 {
            host.sshd.drop_connections();
        }
    }
    assert_eq!(lines, (1..=60).map(|n| n.to_string()).collect::<Vec<_>>());
    host.guests.close().await;
}
