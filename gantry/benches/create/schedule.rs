//! What creates take beyond what Proxmox's tasks and the scripts take themselves.

use std::ops::Range;
use std::time::Duration;

use serde_json::{Value, json};
use xtask::bench::{Aim, Figure, median};

use crate::ground::Ground;
use crate::setup::{Done, Setup, seconds};

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

/// As many on the one node as on the other.
fn wishes(numbers: Range<usize>) -> impl Iterator<Item = (String, Value)> {
    numbers.map(|number| {
        let node = ["pve1", "pve2"][number % 2];
        let wish = json!({ "hostname": format!("c{number}"), "template": "timed", "host": "sim", "node": node });
        ("/v1/containers".to_owned(), wish)
    })
}

pub(crate) async fn measure() {
    let durations = [("vzcreate".to_owned(), CREATE), ("vzstart".to_owned(), START)].into();
    let setup = Setup::start(sim::Options { durations, ..sim::Options::default() }, PER_NODE, 1).await;
    timed(&setup.ground);

    let mut took = Vec::new();
    for number in 0..ALONE {
        took.extend(setup.all(wishes(number..number + 1)).await.iter().map(Done::seconds));
    }
    Figure::new("create", "one create, against its tasks' and scripts' own time", median(&took), "s")
        .limit(OWN)
        .aim(Aim::RatioAtMost(1.05))
        .print();

    let name = format!("{MANY} creates, {PER_NODE} at once on each of 2 nodes");
    let rounds = (MANY / 2).div_ceil(PER_NODE.into());
    Figure::new("create", name, seconds(&setup.all(wishes(ALONE..ALONE + MANY)).await), "s")
        .limit(rounds as f64 * OWN)
        .aim(Aim::RatioAtMost(1.15))
        .print();
}
