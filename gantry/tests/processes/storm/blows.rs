//! What the storm does, one blow after the other.

use std::time::Duration;

use rand::{RngExt as _, rngs::StdRng};

use super::fleet::Fleet;
use crate::ground::{Backend, Ground};
use crate::wire::Wire;

/// One blow, by chance; its name is for the count at the end. What was broken works again afterwards, or soon.
pub(super) async fn strike(ground: &mut Ground, fleet: &mut Fleet, random: &mut StdRng) -> &'static str {
    let one = fleet.any(random);
    let millis = |random: &mut StdRng, range| Duration::from_millis(random.random_range(range));
    let least = if ground.backend == Backend::Sqlite { 48 } else { 0 };
    match random.random_range(least..100) {
        0..10 => {
            ground.flush_redis();
            "Redis flushed"
        }
        10..18 => {
            ground.restart_redis(millis(random, 100..2500)).await;
            "Redis away"
        }
        18..26 => {
            let (away, hard) = (millis(random, 100..2500), random.random_bool(0.5));
            ground.restart_postgres(away, hard).await;
            if hard { "Postgres killed" } else { "Postgres away" }
        }
        26..32 => {
            // Both at once: whoever takes over finds no database.
            fleet.process(one).kill();
            ground.restart_postgres(millis(random, 100..1500), true).await;
            fleet.all_up(ground).await;
            "process and Postgres killed"
        }
        32..40 => {
            ground.wires().iter().for_each(Wire::cut);
            "connections cut"
        }
        // Longer than a lease, sometimes.
        40..45 => {
            let [postgres, redis] = ground.wires();
            let (one, other) = (millis(random, 0..6000), millis(random, 0..6000));
            tokio::join!(postgres.silent_for(one), redis.silent_for(other));
            "servers silent"
        }
        45..48 => {
            ground.wires().iter().for_each(Wire::forget);
            "connections forgotten"
        }
        48..51 => {
            let first = random.random_range(0..2);
            tokio::task::block_in_place(|| ground.rotate_keys(first));
            "keys rotated"
        }
        51..55 => {
            ground.change_template(random.random());
            "template changed"
        }
        55..76 => {
            fleet.process(one).kill();
            // Sometimes it is away for longer.
            tokio::time::sleep(millis(random, 0..1500)).await;
            fleet.all_up(ground).await;
            "process killed"
        }
        76..84 => {
            // Longer than its lease, sometimes: others take over what it then believes to have.
            fleet.process(one).signal("-STOP");
            tokio::time::sleep(millis(random, 200..5000)).await;
            fleet.process(one).signal("-CONT");
            "process frozen"
        }
        84..90 => {
            fleet.process(one).ask_to_end();
            fleet.process(one).ended();
            fleet.all_up(ground).await;
            "process replaced"
        }
        90..96 => {
            let of = random.random_range(0..ground.clusters.len());
            let world = ground.clusters[of].sim.world();
            // One of them, or the whole cluster.
            let lost = [&["pve1"][..], &["pve2"], &["pve1", "pve2"]][random.random_range(0..3)];
            lost.iter().for_each(|node| world.set_online(node, false));
            tokio::time::sleep(millis(random, 200..3000)).await;
            lost.iter().for_each(|node| world.set_online(node, true));
            if lost.len() == 2 { "cluster lost" } else { "node lost" }
        }
        _ => {
            tokio::time::sleep(millis(random, 200..2000)).await;
            "calm"
        }
    }
}
