//! The life of containers.

use std::time::Duration;

use proxmox::shell::Secret;
use proxmox::{Backup, Compress, Error, LxcChange, LxcClone, LxcDelete, Mode, Restore, State, Thing};
use sim::Options;

use crate::pve::{NODE, Pve, debian, run, said};

#[tokio::test(flavor = "multi_thread")]
async fn a_container_is_made_used_copied_brought_back_and_deleted() {
    let pve = Pve::new(Options::default()).await;
    let (client, shell) = (&pve.client, pve.shell().await);
    let (ct, guest) = (client.lxc(NODE, 101), shell.guest(101));
    pve.container(101).await;
    assert!(matches!(client.create_lxc(NODE, &debian(101)).await, Err(Error::AlreadyExists(Thing::Guest, _))));
    pve.done(ct.start().await).await;
    assert!(ct.start().await.unwrap_err().is_already(State::Running));
    assert_eq!(said(&guest, "hostname; echo one > /root/note; cat /root/note").await, "ct101\none");

    pve.done(ct.snapshot("before", Some("as it was")).await).await;
    assert_eq!(said(&guest, "echo two > /root/note; rm /etc/issue; cat /root/note").await, "two");
    pve.done(ct.rollback("before", false).await).await;
    assert!(!ct.status().await.unwrap().is_running());
    pve.done(ct.start().await).await;
    assert_eq!(said(&guest, "cat /root/note; test -e /etc/issue && echo there").await, "one\nthere");
    assert_eq!(ct.snapshots().await.unwrap()[0].name, "before");

    pve.done(ct.resize("rootfs", "+1G").await).await;
    let config = ct.config().await.unwrap();
    assert!(config.get("rootfs").unwrap().contains("size=5G"), "{config:?}");
    let change = LxcChange { memory: Some(768), digest: config.digest().map(str::to_owned), ..LxcChange::default() };
    ct.configure(&change).await.unwrap();
    assert!(matches!(ct.configure(&change).await, Err(Error::Conflict(_))), "the digest is an old one by now");

    let copy = LxcClone {
        newid: 102,
        hostname: Some("copy".into()),
        full: true,
        snapshot: Some("before".into()),
        ..LxcClone::default()
    };
    said(&guest, "echo three > /root/note").await;
    pve.done(ct.clone_to(&copy).await).await;
    pve.done(client.lxc(NODE, 102).start().await).await;
    assert_eq!(said(&shell.guest(102), "hostname; cat /root/note").await, "copy\none");

    let wanted = Backup {
        vmid: 101,
        storage: "local".into(),
        mode: Mode::Snapshot,
        compress: Compress::Zstd,
        notes: Some("{{guestname}}".into()),
        protected: false,
        bandwidth_kib: None,
    };
    pve.done(client.backup(NODE, &wanted).await).await;
    let backups = client.backups(NODE, "local", Some(101)).await.unwrap();
    assert_eq!(backups[0].notes.as_deref(), Some("ct101"));
    pve.done(ct.stop().await).await;
    pve.done(ct.delete(LxcDelete { purge: true, ..LxcDelete::default() }).await).await;
    assert!(ct.status().await.unwrap_err().is_missing(Thing::Guest));
    let from = Restore {
        vmid: 101,
        archive: backups[0].volid.clone(),
        storage: Some("local-btrfs".into()),
        start: true,
        ..Restore::default()
    };
    pve.done(client.restore_lxc(NODE, &from).await).await;
    assert_eq!(said(&guest, "hostname; cat /root/note").await, "ct101\nthree");

    for vmid in [101, 102] {
        let how = LxcDelete { force: true, purge: true, unreferenced_disks: true };
        pve.done(client.lxc(NODE, vmid).delete(how).await).await;
    }
    assert!(client.lxcs(NODE).await.unwrap().is_empty());
    pve.sim.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_root_password_is_changed_and_stands_nowhere() {
    let pve = Pve::new(Options::default()).await;
    let guest = pve.shell().await.guest(101);
    pve.container(101).await;
    pve.done(pve.client.lxc(NODE, 101).start().await).await;
    let before = said(&guest, "grep ^root: /etc/shadow").await;
    guest.set_root_password(&Secret::new("tr1cky 'quotes' $HOME")).await.unwrap();
    let after = said(&guest, "grep ^root: /etc/shadow").await;
    assert!(before != after && after.starts_with("root:$"), "{before} {after}");
    assert_ne!(run(&guest, "grep -r 'tr1cky' /etc /root /var /run /tmp").await.code, 0);
    pve.sim.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn full_storages_and_full_disks_are_said_plainly() {
    let pve = Pve::new(Options::default()).await;
    let (client, guest) = (&pve.client, pve.shell().await.guest(101));
    pve.sim.world().fill_storage("local-btrfs", true);
    let error = pve.failed(client.create_lxc(NODE, &debian(101)).await).await;
    assert!(matches!(error, Error::TaskFailed { .. }) && error.words().contains("No space left on device"), "{error}");
    assert!(client.lxcs(NODE).await.unwrap().is_empty(), "what failed left something");
    pve.sim.world().fill_storage("local-btrfs", false);
    pve.container(101).await;
    pve.done(client.lxc(NODE, 101).start().await).await;

    pve.sim.guests().fill_disk(101, true).unwrap();
    let full = run(&guest, "cp /etc/passwd /root/copy").await;
    assert!(full.code != 0 && full.said().contains("No space left on device"), "{}", full.said());
    pve.sim.guests().fill_disk(101, false).unwrap();
    said(&guest, "cp /etc/passwd /root/copy").await;
    pve.sim.stop().await;
}

#[tokio::test]
async fn an_address_that_comes_late_is_seen_when_it_is_there() {
    let options = Options { dhcp_delay: Duration::from_mins(1), ..crate::pve::dry() };
    let pve = Pve::new(options).await;
    let ct = pve.client.lxc(NODE, 101);
    let mut new = debian(101);
    new.networks = vec!["name=eth0,bridge=vmbr0,ip=dhcp".into()];
    pve.done(pve.client.create_lxc(NODE, &new).await).await;
    assert!(ct.interfaces().await.unwrap().is_empty());
    pve.done(ct.start().await).await;
    let ipv4 = |all: Vec<proxmox::Interface>| {
        let eth0 = all.into_iter().find(|each| each.name == "eth0");
        eth0.map_or(0, |eth0| eth0.addresses.iter().filter(|each| each.address.is_ipv4()).count())
    };
    assert_eq!(ipv4(ct.interfaces().await.unwrap()), 0);
    pve.sim.world().advance(Duration::from_secs(61));
    assert_eq!(ipv4(ct.interfaces().await.unwrap()), 1);
    pve.sim.stop().await;
}
