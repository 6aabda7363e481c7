//! Nothing of this machine can be reached from a container.

use sim::guest::{Guests, Shell};

use crate::host::{Host, boot, fresh};

#[tokio::test]
async fn a_container_sees_and_writes_nothing_of_this_machine() {
    let dir = tempfile::tempdir().unwrap();
    let host = Host::with(Guests::open(Some(dir.path()), Shell::Run).await.unwrap()).await;
    let outside = dir.path().join("outside");
    std::fs::write(&outside, "untouched").unwrap();
    let line = format!("echo broken > {0}; mkdir -p {0}; cat {0}", outside.display());
    host.ct(&line).await;
    assert_eq!(std::fs::read_to_string(&outside).unwrap(), "untouched");
    assert_eq!(host.said("ls -A /home; ls -A /root | grep -v '^\\.\\(profile\\|bashrc\\|ssh\\)$' || :").await, "");
    let processes: u32 = host.said("ls /proc | grep -c '^[0-9]*$'").await.parse().unwrap();
    assert!(processes < 30, "{processes} processes are seen");
    let ours = std::process::id();
    assert!(!host.ct(&format!("kill -0 {ours}")).await.status.success());
    assert_eq!(host.said("ls /sys").await, "");
    assert_eq!(host.said("cut -d: -f1 /proc/net/dev | tail -n +3 | tr -d ' '").await, "lo");
    // Its root may write where packages write, and the host's file stays.
    host.said("echo mine > /usr/bin/made-here; rm -f /usr/bin/env; test ! -e /usr/bin/env").await;
    assert!(std::path::Path::new("/usr/bin/env").exists());
    assert!(!std::path::Path::new("/usr/bin/made-here").exists());
    for refused in [
        "umount -l /usr",
        "mount -o remount,rw /usr /usr",
        "mknod /tmp/disk b 254 0",
        "echo 1 > /proc/sys/kernel/panic",
        "echo b > /proc/sysrq-trigger",
    ] {
        assert!(
            !host.ct(&format!("PATH=/usr/lib/gantry-sim/real:$PATH; {refused}")).await.status.success(),
            "{refused} was allowed"
        );
    }
    host.guests.close().await;
}

#[tokio::test]
async fn a_fork_bomb_and_a_hungry_process_are_bounded() {
    let host = Host::new().await;
    let output = host
        .ct("i=0; while [ $i -lt 700 ]; do sleep 30 & i=$((i+1)); done 2>&1 | tail -c 100; echo; pgrep -c sleep")
        .await;
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(!text.trim().ends_with("700"), "{text}");
    host.guests.stop(101).await.unwrap();
    host.guests.start(101, &boot(101)).await.unwrap();
    assert!(!host.ct("head -c 2000000000 /dev/zero | tail -c 1500000000 > /dev/null").await.status.success());
}

#[tokio::test]
async fn what_is_started_lives_on_and_dies_with_the_container() {
    let host = Host::new().await;
    host.said(
        "(setsid sh -c 'echo $$ > /run/pid; exec sleep 1000') >/dev/null 2>&1 & until [ -s /run/pid ]; do :; done",
    )
    .await;
    host.said("kill -0 $(cat /run/pid)").await;
    host.guests.stop(101).await.unwrap();
    assert!(!host.guests.is_running(101));
    host.guests.start(101, &boot(101)).await.unwrap();
    host.said("test ! -e /run/pid; ! pgrep sleep").await;
}

#[tokio::test]
async fn nothing_is_left_behind() {
    let dir = tempfile::tempdir().unwrap();
    let host = Host::with(Guests::open(Some(dir.path()), Shell::Run).await.unwrap()).await;
    host.said("sleep 4711 >/dev/null 2>&1 &").await;
    host.guests.close().await;
    let named = dir.path().to_str().unwrap().to_owned();
    assert!(!std::fs::read_to_string("/proc/self/mountinfo").unwrap().contains(&named));
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&line).contains("4711"), "a process is left");
    }
    host.guests.destroy(101).await.unwrap();
    assert!(!dir.path().join("guests/101").exists());
}

#[tokio::test]
async fn snapshots_clones_and_backups_bring_files_back() {
    let host = Host::new().await;
    host.said("echo before > /root/file; echo x > /usr/bin/tool; rm /usr/bin/env").await;
    host.guests.snapshot(101, "one").await.unwrap();
    host.said("echo after > /root/file; rm /usr/bin/tool").await;
    host.guests.clone_guest(101, Some("one"), 104, "ct104").await.unwrap();
    let archive = tempfile::NamedTempFile::new().unwrap();
    host.guests.backup(101, archive.path()).await.unwrap();
    host.guests.rollback(101, "one").await.unwrap();
    assert!(!host.guests.is_running(101));
    host.guests.start(101, &boot(101)).await.unwrap();
    assert_eq!(host.said("cat /root/file /usr/bin/tool; test ! -e /usr/bin/env").await, "before\nx");
    host.guests.stop(101).await.unwrap();
    host.guests.destroy(101).await.unwrap();
    host.guests.restore(archive.path(), 101).await.unwrap();
    host.guests.start(101, &boot(101)).await.unwrap();
    assert_eq!(
        host.said("cat /root/file; test ! -e /usr/bin/tool; test ! -e /usr/bin/env; cat /etc/hostname").await,
        "after\nct101"
    );
    host.guests.start(104, &boot(104)).await.unwrap();
    let output = host
        .guests
        .command(104, &["cat".into(), "/root/file".into(), "/etc/hostname".into()])
        .unwrap()
        .output()
        .await
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "before\nct104\n");
    host.guests.create(101, &fresh(101)).await.unwrap_err();
}

#[tokio::test]
async fn a_full_disk_refuses_what_is_written_and_recovers() {
    let host = Host::new().await;
    host.said("echo kept > /root/file").await;
    host.guests.fill_disk(101, true).unwrap();
    let output = host.ct("cat /root/file; head -c 100000 /dev/zero > /root/new").await;
    assert!(!output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stdout), "kept\n", "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("No space left on device"), "{output:?}");
    host.guests.fill_disk(101, false).unwrap();
    host.said("echo more > /root/new").await;
}

#[tokio::test]
async fn a_dry_shell_runs_nothing() {
    let guests = Guests::open(None, Shell::Dry).await.unwrap();
    guests.create(101, &fresh(101)).await.unwrap();
    guests.start(101, &boot(101)).await.unwrap();
    assert!(guests.is_running(101));
    assert!(guests.command(101, &["true".into()]).is_err());
    guests.stop(101).await.unwrap();
    guests.destroy(101).await.unwrap();
}
