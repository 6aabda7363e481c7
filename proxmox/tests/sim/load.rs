//! Much at once and one after the other, through the simulator's own SSH server.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use proxmox::shell::{Command, Owner};
use sha2::{Digest, Sha256};
use sim::Options;

use crate::pve::{NODE, Pve, said, sh};

async fn running() -> Pve {
    let pve = Pve::new(Options::default()).await;
    pve.container(101).await;
    pve.done(pve.client.lxc(NODE, 101).start().await).await;
    pve
}

/// Connections of this machine to a port of its own.
fn connections(port: u16) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let established = |line: &&str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        fields[2].ends_with(&format!(":{port:04X}")) && fields[3] == "01"
    };
    table.lines().skip(1).filter(established).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_commands_over_one_connection() {
    let pve = running().await;
    let shell = pve.shell().await;
    let guest = shell.guest(101);
    assert_eq!(said(&guest, "hostname").await, "ct101");
    let next = AtomicUsize::new(0);
    let workers = (0..10).map(|_| async {
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n >= 1000 {
                return;
            }
            // Most on the node itself, every tenth in the container.
            let echo = Command::new("echo").arg(n.to_string());
            let (code, text) = if n.is_multiple_of(10) {
                let output = guest.output(echo).await.unwrap();
                (output.code, output.text())
            } else {
                let output = shell.output(echo).await.unwrap();
                (output.code, output.text())
            };
            assert_eq!((code, text), (0, n.to_string()));
        }
    });
    join_all(workers).await;
    assert_eq!(connections(pve.sim.ssh_address().port()), 1);
    pve.sim.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_run_at_once_in_a_container_and_the_rest_waits_its_turn() {
    let pve = running().await;
    let guest = pve.shell().await.guest(101);
    said(&guest, "mkdir /root/together").await;
    // Each of the first ten waits until ten are there: they end only if they run together.
    let script = "touch /root/together/$1; until [ $(ls /root/together | wc -l) -ge 10 ]; do sleep 0.05; done";
    let one = |n: usize| guest.output(sh(script).arg("sh").arg(n.to_string()));
    for output in join_all((0..25).map(one)).await {
        assert_eq!(output.unwrap().code, 0);
    }
    pve.sim.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_mebibytes_go_and_come_back_intact() {
    let pve = running().await;
    let guest = pve.shell().await.guest(101);
    let content: Vec<u8> = (0..64 * 1024 * 1024u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[2]).collect();
    let files = tempfile::tempdir().unwrap();
    let (source, back) = (files.path().join("source"), files.path().join("back"));
    std::fs::write(&source, &content).unwrap();
    guest.push_file(&source, "/srv/big", &Owner::root(0o640)).await.unwrap();
    assert_eq!(said(&guest, "stat -c '%s %a' /srv/big").await, format!("{} 640", content.len()));
    let pulled = guest.pull_file("/srv/big", &back).await.unwrap();
    assert_eq!((pulled.mode, pulled.size), (0o640, content.len() as u64));
    assert_eq!(Sha256::digest(std::fs::read(back).unwrap()), Sha256::digest(content));
    pve.sim.stop().await;
}
