use std::time::Duration;

use crate::caller::{As, Caller, dry};

#[tokio::test]
async fn a_container_from_its_creation_to_its_end() {
    let host = Caller::new(dry()).await;
    assert_eq!(host.get("/version").await.data()["version"], "9.1.7");
    assert_eq!(host.get("/cluster/nextid").await.data(), "100");
    host.container(100, "local-btrfs", "web").await;
    host.done("POST", "/nodes/pve1/lxc/100/status/start", &[]).await;
    assert_eq!(host.call("POST", "/nodes/pve1/lxc/100/status/start", &[]).await.line(), "500 CT 100 already running");
    let addresses = host.get("/nodes/pve1/lxc/100/interfaces").await.data();
    assert_eq!(addresses[1]["inet"], "192.168.177.9/24");
    host.done("POST", "/nodes/pve1/lxc/100/snapshot", &[("snapname", "before")]).await;
    host.done("PUT", "/nodes/pve1/lxc/100/resize", &[("disk", "rootfs"), ("size", "+1G")]).await;
    assert!(host.get("/nodes/pve1/lxc/100/config").await.data()["rootfs"].as_str().unwrap().ends_with("size=2G"));
    host.done("POST", "/nodes/pve1/lxc/100/status/shutdown", &[]).await;
    host.done("POST", "/nodes/pve1/vzdump", &[("vmid", "100"), ("storage", "local"), ("compress", "zstd")]).await;
    let backups = host.get("/nodes/pve1/storage/local/content?content=backup").await.data();
    let archive = backups[0]["volid"].as_str().unwrap().to_owned();
    host.done(
        "POST",
        "/nodes/pve1/lxc",
        &[
            ("vmid", "101"),
            ("restore", "1"),
            ("ostemplate", &archive),
            ("storage", "local-btrfs"),
            ("hostname", "again"),
        ],
    )
    .await;
    assert_eq!(host.get("/nodes/pve1/lxc/101/config").await.data()["hostname"], "again");
    host.done("DELETE", "/nodes/pve1/lxc/100", &[]).await;
    assert_eq!(
        host.get("/nodes/pve1/lxc/100/config").await.line(),
        "500 Configuration file 'nodes/pve1/lxc/100.conf' does not exist"
    );
    host.sim.stop().await;
}

#[tokio::test]
async fn what_is_kept_in_a_directory_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let options = || sim::Options { data_dir: Some(dir.path().to_path_buf()), ..dry() };
    let host = Caller::new(options()).await;
    host.container(100, "local-btrfs", "kept").await;
    let fingerprint = host.sim.fingerprint();
    host.sim.stop().await;
    let host = Caller::new(options()).await;
    assert_eq!(host.get("/nodes/pve1/lxc/100/config").await.data()["hostname"], "kept");
    assert_eq!(host.sim.fingerprint(), fingerprint);
    host.sim.stop().await;
}

#[tokio::test]
async fn a_ticket_expires_and_a_write_needs_its_second_header() {
    let host = Caller::new(dry()).await;
    let log_in = host
        .request(&As::Nobody, "POST", &host.url("/access/ticket"))
        .form(&[("username", "root@pam"), ("password", "gantry-sim")]);
    let got = host.send(log_in).await.data();
    let (ticket, csrf) = (got["ticket"].as_str().unwrap(), got["CSRFPreventionToken"].as_str().unwrap());
    let get = |csrf: &'static str| host.request(&As::Ticket(ticket, csrf), "GET", &host.url("/version"));
    assert_eq!(host.send(get("")).await.status, 200);
    let pool =
        |csrf: &str| host.request(&As::Ticket(ticket, csrf), "POST", &host.url("/pools")).form(&[("poolid", "p1")]);
    assert_eq!(host.send(pool("nonsense")).await.line(), "401 Permission denied - invalid csrf token");
    assert_eq!(host.send(pool(csrf)).await.status, 200);
    host.sim.world().advance(Duration::from_secs(7300));
    let late = host.send(get("")).await;
    assert_eq!((late.status, late.body.as_str()), (401, ""));
    assert_eq!(host.send(host.request(&As::Nobody, "GET", &host.url("/version"))).await.line(), "401 No ticket");
    host.sim.stop().await;
}

#[tokio::test]
async fn a_node_that_leaves_is_not_reached_through_another_and_comes_back() {
    let host = Caller::new(sim::Options { nodes: vec!["pve1".into(), "pve2".into()], ..dry() }).await;
    host.sim.world().set_online("pve2", false);
    let got = host.get("/nodes/pve2/status").await;
    assert_eq!((got.line().as_str(), got.body.as_str()), ("595 No route to host", ""));
    host.sim.world().set_online("pve2", true);
    assert_eq!(host.get("/nodes/pve2/status").await.status, 200);
    host.sim.stop().await;
}
