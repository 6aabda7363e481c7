//! Every call that there is, with values at their limits.

use proxmox::{
    Backup, Client, Compress, Download, Error, Feature, LxcChange, LxcClone, LxcCreate, LxcDelete, Mode, Restore,
    Screen, TaskList, Timeframe, Upid,
};

use crate::host::{Reply, Seen, data};

const UPID: &str = "UPID:pve1:000013EC:00037937:6B0094BE:vzstart:201:root@pam!t1:";

pub fn answer(seen: &Seen) -> Reply {
    let path = seen.path.as_str();
    data(&match (seen.method.as_str(), path) {
        ("GET", "/version") => r#"{"version":"9.1.7"}"#.into(),
        ("GET", "/cluster/nextid") => r#""100""#.into(),
        ("POST", "/access/ticket") => r#"{"ticket":"PVE:x","CSRFPreventionToken":"y"}"#.into(),
        ("GET", _) if path.ends_with("/log") => "[]".into(),
        ("GET", _) if path.contains("/tasks/") => r#"{"status":"stopped","exitstatus":"OK"}"#.into(),
        ("GET", _) if path.ends_with("/current") => r#"{"vmid":101,"status":"running"}"#.into(),
        ("GET", _) if path.ends_with("/config") || path.ends_with("/feature") || path.ends_with("get-interfaces") => {
            "{}".into()
        }
        ("GET", "/nodes/pve1/status") => "{}".into(),
        ("GET", "/nodes/pve1/time") => r#"{"time":1}"#.into(),
        ("GET", _) if path.starts_with("/pools/") => r#"{"poolid":"p1"}"#.into(),
        ("GET", _) => "null".into(),
        ("POST", _) if path.contains("/token/") => r#"{"full-tokenid":"a@pve!b","value":"v"}"#.into(),
        ("POST", _) if path.ends_with("proxy") => {
            format!(r#"{{"port":"5900","ticket":"PVEVNC:1::x","user":"root@pam","upid":"{UPID}"}}"#)
        }
        ("POST", _) if path.starts_with("/pools") || path.ends_with("/ping") => "null".into(),
        _ => format!("\"{UPID}\""),
    })
}

fn biggest() -> LxcCreate {
    LxcCreate {
        vmid: 999_999_999,
        template: "local:vztmpl/debian-12.tar.zst".into(),
        rootfs: "local-zfs:8".into(),
        hostname: Some("a.b-c".into()),
        password: Some("fünf &+= %".into()),
        ssh_keys: Some("ssh-ed25519 AAAA+/= me@here\n".into()),
        cores: Some(8192),
        cpu_limit: Some(8192.0),
        cpu_units: Some(500_000),
        memory: Some(1 << 40),
        swap: Some(0),
        networks: vec!["name=eth0,bridge=vmbr0,ip=dhcp,type=veth".into(), "name=eth1,bridge=vmbr1,tag=4094".into()],
        mounts: vec!["local-zfs:8,mp=/data".into()],
        features: Some("nesting=1".into()),
        unprivileged: true,
        onboot: Some(true),
        start: true,
        protection: Some(false),
        tags: vec!["gantry".into(), "web".into()],
        description: Some("x".repeat(8192)),
        pool: Some("p1".into()),
        nameserver: Some("1.1.1.1".into()),
        searchdomain: Some("example.org".into()),
        timezone: Some("host".into()),
        ostype: Some("debian".into()),
        startup: Some("order=1".into()),
    }
}

fn smallest() -> LxcCreate {
    LxcCreate {
        vmid: 100,
        template: "local:vztmpl/x.tar.gz".into(),
        rootfs: "s1:1".into(),
        cores: Some(1),
        cpu_limit: Some(0.0),
        cpu_units: Some(0),
        memory: Some(16),
        ..LxcCreate::default()
    }
}

pub async fn containers(client: &Client) -> Result<(), Error> {
    client.create_lxc("pve1", &biggest()).await?;
    client.create_lxc("pve1", &smallest()).await?;
    let archive = "local:backup/vzdump-lxc-101.tar.zst".to_owned();
    let whole = Restore {
        unprivileged: Some(true),
        storage: Some("local-zfs".into()),
        hostname: Some("x".into()),
        pool: Some("p1".into()),
        bandwidth_kib: Some(0),
        ..Restore::default()
    };
    client
        .restore_lxc(
            "pve1",
            &Restore { vmid: 101, archive: archive.clone(), force: true, unique: true, start: true, ..whole },
        )
        .await?;
    client.restore_lxc("pve1", &Restore { vmid: 101, archive, ..Restore::default() }).await?;
    client.lxcs("pve1").await?;
    let guest = client.lxc("pve1", 101);
    guest.status().await?;
    guest.config().await?;
    guest.pending().await?;
    assert!(guest.interfaces().await?.is_empty());
    for timeframe in [Timeframe::Hour, Timeframe::Day, Timeframe::Week, Timeframe::Month, Timeframe::Year] {
        guest.metrics(timeframe).await?;
        client.node_metrics("pve1", timeframe).await?;
    }
    for feature in [Feature::Snapshot, Feature::Clone, Feature::Copy] {
        guest.has(feature).await?;
    }
    let change = LxcChange {
        hostname: Some("y".into()),
        cores: Some(8192),
        cpu_limit: Some(0.5),
        cpu_units: Some(500_000),
        memory: Some(16),
        swap: Some(0),
        onboot: Some(false),
        protection: Some(true),
        description: Some("ä\n".into()),
        tags: Some(vec!["a".into()]),
        nameserver: Some("1.1.1.1".into()),
        searchdomain: Some("example.org".into()),
        features: Some("nesting=1,keyctl=1".into()),
        startup: Some("order=1".into()),
        networks: [(31, "name=eth0,bridge=vmbr0".into())].into(),
        mounts: [(255, "local-zfs:8,mp=/x".into())].into(),
        delete: vec!["net1".into(), "mp0".into()],
        digest: Some("0".repeat(40)),
    };
    guest.configure(&change).await?;
    guest.configure(&LxcChange::default()).await?;
    guest.resize("rootfs", "+1G").await?;
    guest.resize("mp255", "0.5T").await?;
    guest.start().await?;
    guest.stop().await?;
    guest.shutdown(0, true).await?;
    guest.reboot(u32::MAX).await?;
    guest.suspend().await?;
    guest.resume().await?;
    guest.snapshots().await?;
    guest.snapshot("ab", Some("before + after")).await?;
    guest.snapshot("a-long_name", None).await?;
    guest.rollback("ab", true).await?;
    guest.delete_snapshot("ab", true).await?;
    guest.clone_to(&LxcClone { newid: 100, ..LxcClone::default() }).await?;
    guest
        .clone_to(&LxcClone {
            newid: 999_999_999,
            hostname: Some("z".into()),
            full: true,
            snapshot: Some("ab".into()),
            storage: Some("local-zfs".into()),
            target: Some("pve2".into()),
            pool: Some("p1".into()),
            description: Some("d".into()),
        })
        .await?;
    guest.delete(LxcDelete { force: true, purge: true, unreferenced_disks: true }).await?;
    for screen in [Screen::Vnc, Screen::Terminal] {
        let ticket = guest.console(screen).await?;
        client.open(&ticket).await.unwrap_err();
    }
    Ok(())
}

pub async fn the_rest(client: &Client) -> Result<(), Error> {
    let guest = client.qemu("pve1", 120);
    client.qemus("pve1").await?;
    guest.status().await?;
    guest.config().await?;
    guest.ping().await?;
    guest.interfaces().await?;
    guest.start().await?;
    guest.stop().await?;
    guest.shutdown(60, false).await?;
    guest.reboot(0).await?;
    guest.reset().await?;
    for screen in [Screen::Vnc, Screen::Terminal] {
        let ticket = guest.console(screen).await?;
        client.open(&ticket).await.unwrap_err();
    }
    client.version().await?;
    for kind in [None, Some("vm"), Some("storage"), Some("node")] {
        client.resources(kind).await?;
    }
    client.members().await?;
    client.next_id().await?;
    client.check_id(100).await?;
    client.nodes().await?;
    client.node_status("pve1").await?;
    client.node_time("pve1").await?;
    client.storages("pve1", Some("rootdir")).await?;
    client.storages("pve1", None).await?;
    client.storage_content("pve1", "local", Some("vztmpl"), None).await?;
    client.backups("pve1", "local", Some(100)).await?;
    client.describe_volume("pve1", "local", "local:backup/x.tar.zst", Some("n"), Some(true)).await?;
    client.delete_volume("pve1", "local", "local:backup/x.tar.zst").await?;
    client.templates("pve1").await?;
    client.download_template("pve1", "local", "debian-12.tar.zst").await?;
    for checksum in [None, Some(("sha256".into(), "0".repeat(64)))] {
        let from = Download {
            url: "https://example.org/x?a=b&c".into(),
            filename: "x.tar.zst".into(),
            content: "vztmpl".into(),
            checksum,
        };
        client.download_url("pve1", "local", &from).await?;
    }
    for (mode, compress) in [
        (Mode::Snapshot, Compress::Zstd),
        (Mode::Suspend, Compress::Gzip),
        (Mode::Stop, Compress::Lzo),
        (Mode::Stop, Compress::None),
    ] {
        let wanted = Backup {
            vmid: 101,
            storage: "local".into(),
            mode,
            compress,
            notes: Some("{{guestname}}".into()),
            protected: true,
            bandwidth_kib: Some(0),
        };
        client.backup("pve1", &wanted).await?;
    }
    client.pools().await?;
    client.create_pool("p1", Some("c")).await?;
    client.pool("p1").await?;
    client.change_pool("p1", &[100, 999_999_999], false).await?;
    client.change_pool("p1", &[100], true).await?;
    client.delete_pool("p1").await?;
    client.permissions().await?;
    client.permissions_on("/vms/101").await?;
    client.create_token("gantry@pve", "t1", true, Some("c")).await?;
    client.delete_token("gantry@pve", "t1").await?;
    let upid: Upid = UPID.parse().unwrap();
    client.task_status(&upid).await?;
    client.task_log(&upid, 0, 0).await?;
    client.stop_task(&upid).await?;
    client.tasks("pve1", &TaskList::default()).await?;
    client
        .tasks(
            "pve1",
            &TaskList {
                vmid: Some(100),
                kind: Some("vzstart".into()),
                since: Some(0),
                until: Some(u64::MAX / 4),
                errors_only: true,
                with_active: true,
                start: Some(0),
                limit: Some(0),
            },
        )
        .await?;
    Ok(())
}
