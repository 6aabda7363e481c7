//! What creates take beyond what Proxmox's tasks and the scripts take themselves.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::operation::{Operation, Status};
use domain::{Aggregate as _, OperationId, Version};
use futures_util::future::join_all;
use platform::log::Log;
use serde_json::json;
use xtask::bench::{Aim, Figure, median};

use crate::caller::Caller;
use crate::ground::Ground;
use crate::processes::Process;

const CREATE: Duration = Duration::from_secs(3);
const START: Duration = Duration::from_secs(1);
/// Of each of two.
const SCRIPT_S: u64 = 3;
const OWN: f64 = 10.0;
const ALONE: usize = 3;
const MANY: usize = 100;
const PER_NODE: u16 = 8;

/// A template whose scripts take their time and nothing else.
fn timed(ground: &Ground) {
    let scripts = ground.dir().join("templates/timed/container-configs/scripts");
    std::fs::create_dir_all(&scripts).unwrap();
    std::fs::write(
        ground.dir().join("templates/timed/template.conf"),
        "TEMPLATE_APP=timed\nTEMPLATE_OS=debian\nTEMPLATE_VERSION=12\n",
    )
    .unwrap();
    for name in ["10-first.sh", "20-second.sh"] {
        std::fs::write(scripts.join(name), format!("sleep {SCRIPT_S}\n")).unwrap();
    }
}

async fn create(caller: &Caller, hostname: String, node: &str) -> OperationId {
    let wish = json!({ "hostname": hostname, "template": "timed", "host": "sim", "node": node });
    let (status, told) = caller.post("/v1/containers", &wish).await;
    assert_eq!(status, 202, "{told}");
    told["id"].as_str().unwrap().parse().unwrap()
}

/// When it was accepted and when it had succeeded.
async fn ended(log: &Log, id: OperationId) -> (DateTime<Utc>, DateTime<Utc>) {
    loop {
        let operation = log.load::<Operation>(id).await.unwrap().state;
        if operation.has_ended() {
            assert_eq!(operation.status(), Some(Status::Succeeded), "{:?}", operation.end());
            let events = log.stream(&Operation::stream(id), Version(0)).await.unwrap();
            return (events[0].recorded_at, events[events.len() - 1].recorded_at);
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

fn seconds(from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
    (to - from).as_seconds_f64()
}

pub(crate) async fn measure() {
    let durations = [("vzcreate".to_owned(), CREATE), ("vzstart".to_owned(), START)].into();
    let mut ground = Ground::new(sim::Options { durations, ..sim::Options::default() }).await;
    ground.lease_s = 30;
    timed(&ground);
    let (_api, url) = Process::api(&ground).await;
    let caller = Caller::new(url, ground.token.clone());
    let (status, told) = caller.post("/v1/hosts", &ground.host(PER_NODE)).await;
    assert_eq!(status, 201, "{told}");
    let _worker = Process::worker(&ground);
    let log = ground.log().await;

    let mut took = Vec::new();
    for number in 0..ALONE {
        let id = create(&caller, format!("alone{number}"), "pve1").await;
        let (from, to) = ended(&log, id).await;
        took.push(seconds(from, to));
    }
    Figure::new("create", "one create, against its tasks' and scripts' own time", median(&took), "s")
        .limit(OWN)
        .aim(Aim::RatioAtMost(1.05))
        .print();

    let asked = (0..MANY).map(|number| create(&caller, format!("c{number}"), ["pve1", "pve2"][number % 2]));
    let all = join_all(join_all(asked).await.into_iter().map(|id| ended(&log, id))).await;
    let (first, last) = (all.iter().map(|(from, _)| *from).min(), all.iter().map(|(_, to)| *to).max());
    let rounds = (MANY / 2).div_ceil(PER_NODE.into());
    Figure::new(
        "create",
        format!("{MANY} creates, {PER_NODE} at once on each of 2 nodes"),
        seconds(first.unwrap(), last.unwrap()),
        "s",
    )
    .limit(rounds as f64 * OWN)
    .aim(Aim::RatioAtMost(1.15))
    .print();
}
