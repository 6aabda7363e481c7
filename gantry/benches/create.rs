//! Creates through real processes: what is accepted in a second, what one takes beyond its own work, how well a hundred
//! fill the slots of two nodes, and how a thousand operations at once get on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_precision_loss,
    dead_code,
    reason = "a bench fails by panicking, its counts fit, and it stands on a part of what the tests stand on"
)]

#[path = "create/accepted.rs"]
mod accepted;
#[path = "create/at_once.rs"]
mod at_once;
#[path = "../tests/processes/caller.rs"]
mod caller;
#[path = "../tests/processes/cluster.rs"]
mod cluster;
#[path = "../tests/processes/ground.rs"]
mod ground;
#[path = "../tests/processes/processes.rs"]
mod processes;
#[path = "../tests/run/mod.rs"]
mod run;
#[path = "create/schedule.rs"]
mod schedule;
#[path = "create/setup.rs"]
mod setup;
#[path = "../../worker/tests/pipeline/tiny.rs"]
mod tiny;
#[path = "../tests/processes/wire.rs"]
mod wire;

#[tokio::main]
async fn main() {
    accepted::measure().await;
    schedule::measure().await;
    at_once::measure().await;
}
