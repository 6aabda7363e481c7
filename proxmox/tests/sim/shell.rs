//! Commands in containers through the simulator's SSH.

use std::time::Duration;

use proxmox::shell::{Followed, GuestError, Owner, Script, ShellError};
use sim::{Effect, Options, Rule, When};

use crate::pve::{NODE, Pve, run, said, sh};

async fn running() -> Pve {
    let pve = Pve::new(Options::default()).await;
    pve.container(101).await;
    pve.done(pve.client.lxc(NODE, 101).start().await).await;
    pve
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_the_commands_own_and_files_come_back_whole() {
    let pve = running().await;
    let shell = pve.shell().await;
    let guest = shell.guest(101);
    for code in [0, 1, 126, 255] {
        assert_eq!(run(&guest, &format!("exit {code}")).await.code, code);
    }
    assert!(matches!(shell.guest(404).output(sh("true")).await, Err(GuestError::Unknown { .. })));
    let content: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[0] ^ n.to_le_bytes()[1]).collect();
    guest.push_bytes(content.clone().into(), "/srv/file", &Owner::root(0o600)).await.unwrap();
    let mut back = Vec::new();
    let pulled = guest.pull("/srv/file", &mut back).await.unwrap();
    assert_eq!((pulled.mode, back == content), (0o600, true));
    pve.done(pve.client.lxc(NODE, 101).stop().await).await;
    assert!(matches!(guest.output(sh("true")).await, Err(GuestError::NotRunning { .. })));
    pve.sim.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_drops_in_mid_command_is_never_a_success() {
    let pve = running().await;
    let guest = pve.shell().await.guest(101);
    said(&guest, "true").await;
    for after_ms in [0, 1, 5, 20, 100, 400] {
        let drop = pve.sim.faults().add(Rule { vmid: Some(101), ..Rule::once("", Effect::SshDrop { after_ms }) });
        let ended = guest.output(sh("echo started; exec sleep 30")).await;
        let error = ended.expect_err("a command that was cut off cannot have ended");
        assert!(matches!(error, GuestError::Shell(ShellError::Interrupted { .. })), "{after_ms} ms: {error}");
        assert_eq!(pve.sim.faults().hits(drop), 1);
        assert_eq!(said(&guest, "echo again").await, "again");
    }
    pve.sim.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_seems_done_was_done_however_often_the_connection_drops() {
    let pve = running().await;
    let guest = pve.shell().await.guest(101);
    let drops = Rule { when: When::Every(3), ..Rule::always("", Effect::SshDrop { after_ms: 30 }) };
    let drops = pve.sim.faults().add(drops);
    let (mut done, mut lost) = (Vec::new(), 0);
    for n in 0..30 {
        match guest.output(sh(&format!("sleep 0.02; echo {n} >> /root/done"))).await {
            Ok(output) => {
                assert_eq!(output.code, 0);
                done.push(n);
            }
            Err(GuestError::Shell(ShellError::Interrupted { .. })) => lost += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(lost > 0 && pve.sim.faults().hits(drops) > 0);
    pve.sim.faults().clear();
    let written = said(&guest, "cat /root/done").await;
    for n in done {
        assert_eq!(written.lines().filter(|line| *line == n.to_string()).count(), 1, "{n} in {written}");
    }
    pve.sim.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_detached_script_is_followed_over_every_drop() {
    let pve = running().await;
    let scripts = pve.shell().await.guest(101).detached();
    let run = "operation-scripts-1".parse().unwrap();
    let body = b"#!/bin/bash\nfor i in {1..100}; do echo $i; sleep 0.02; done; exit 5".to_vec();
    let script = Script { body, env: Vec::new(), limit: Duration::from_secs(60) };
    assert!(scripts.launch(&run, &script).await.unwrap());
    let drop = Rule { times: Some(3), ..Rule::always("", Effect::SshDrop { after_ms: 300 }) };
    let drops = pve.sim.faults().add(drop);
    let (mut attached, mut lines) = (scripts.attach(&run, 0), Vec::new());
    let code = loop {
        match attached.next().await.unwrap() {
            Followed::Line(line) => lines.push(line.text),
            Followed::Ended(ended) => break ended.code,
        }
    };
    assert_eq!((code, lines), (5, (1..=100).map(|n| n.to_string()).collect::<Vec<_>>()));
    assert!(pve.sim.faults().hits(drops) > 0);
    pve.sim.stop().await;
}
