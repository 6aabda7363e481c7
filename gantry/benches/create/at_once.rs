//! How it goes when more and more is under way at once. What is done is a start, which is Gantry's own work and a task
//! of Proxmox's; a create's scripts would run on this machine too, and be what is measured.

use std::time::Duration;

use domain::ContainerId;
use futures_util::{StreamExt as _, stream};
use proxmox::{Address, Auth, Client, Endpoint, LxcCreate, Waiting};
use serde_json::{Value, json};
use xtask::bench::{Aim, Figure, percentile};

use crate::setup::{Done, Setup, seconds};

const MOST: usize = 1_000;
const SIZES: [usize; 4] = [1, 10, 100, MOST];
const START: Duration = Duration::from_secs(2);
const FIRST: u32 = 1_000;

pub(crate) async fn measure() {
    let durations = [("vzstart".to_owned(), START)].into();
    let options = sim::Options { durations, dry_shell: true, ..sim::Options::default() };
    // Nothing waits for a slot.
    let setup = Setup::start(options, 1_000, 2).await;
    let containers = containers(&setup, MOST).await;
    let mut before = 0.0;
    for size in SIZES {
        let act = |action: &'static str| {
            let some = containers[..size].iter();
            some.map(move |id| (format!("/v1/containers/{id}/actions/{action}"), Value::Null))
        };
        let started = setup.all(act("start")).await;
        let beyond: Vec<f64> = started.iter().map(|one| Done::seconds(one) - START.as_secs_f64()).collect();
        for percent in [50.0, 99.0] {
            let name = format!("starts at once, beyond their task's own time, p{percent}");
            Figure::new("create", name, percentile(&beyond, percent), "s").at(size as f64).print();
        }
        let a_second = size as f64 / (seconds(&started) - START.as_secs_f64());
        let figure = Figure::new("create", "starts at once, through in a second", a_second, "/s").at(size as f64);
        // Ten times as many at once are done as fast as before, when the machine has nothing left to give.
        let figure = if size == MOST { figure.limit(before).aim(Aim::RatioAtLeast(0.8)) } else { figure };
        figure.print();
        before = a_second;
        setup.all(act("stop")).await;
    }
}

/// Guests that rest, made on Proxmox and adopted.
async fn containers(setup: &Setup, count: usize) -> Vec<ContainerId> {
    let client = client(setup);
    let numbers = FIRST..FIRST + u32::try_from(count).unwrap();
    let made = stream::iter(numbers.clone()).map(|vmid| guest(&client, vmid));
    made.buffer_unordered(16).collect::<Vec<_>>().await;
    let host = setup.host["id"].as_str().unwrap();
    let adopt = |vmid| (format!("/v1/hosts/{host}/guests/{vmid}/adopt"), json!({}));
    setup.all(numbers.map(adopt)).await.into_iter().map(|one| one.container).collect()
}

fn client(setup: &Setup) -> Client {
    let sim = setup.ground.sim();
    let node = &sim.nodes()[0];
    let fingerprint = node.fingerprint.parse().unwrap();
    let address = Address { host: node.api.ip().to_string(), port: node.api.port(), fingerprint };
    let auth = Auth::Token { id: "root@pam!bench".into(), secret: sim.token("root@pam", "bench").into() };
    Client::new(Endpoint { name: "bench".into(), addresses: vec![address], auth, limits: proxmox::Limits::default() })
        .unwrap()
}

async fn guest(client: &Client, vmid: u32) {
    let create = LxcCreate {
        vmid,
        template: "local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst".into(),
        rootfs: "local:1".into(),
        hostname: Some(format!("c{vmid}")),
        networks: vec!["name=eth0,bridge=vmbr0,ip=dhcp".into()],
        unprivileged: true,
        ..LxcCreate::default()
    };
    let node = if vmid.is_multiple_of(2) { "pve1" } else { "pve2" };
    let upid = client.create_lxc(node, &create).await.unwrap();
    let waiting = Waiting { limit: Duration::from_mins(1), cancel: tokio_util::sync::CancellationToken::new() };
    let finished = client.wait_silently(&upid, &waiting).await.unwrap();
    assert!(matches!(finished, proxmox::Finished::Done { .. }));
}
