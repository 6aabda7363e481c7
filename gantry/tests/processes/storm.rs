//! Everything breaks, by a seed: two accounts ask for whatever can be asked for while processes are killed and frozen,
//! servers go away and come back, and Proxmox has its faults. Then the judge looks at what is left.
//!
//! `cargo xtask chaos` runs this for as long as one likes; the tests run it for a moment.

#![allow(clippy::print_stdout, reason = "whoever runs a storm wants to know its seed and how it goes")]

mod blows;
mod fleet;
mod load;
mod operator;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use domain::operation::Status;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::json;
use sim::{Effect, Rule, When};

use self::fleet::Fleet;
use self::load::{Load, PATIENCE};
use crate::caller::Caller;
use crate::check;
use crate::doctored;
use crate::evidence::{Evidence, Made};
use crate::ground::{Backend, Ground};
use crate::secrets;
use crate::watching::restless;

/// Without being told otherwise: enough to be hit by some of everything, and not more than a test may take.
const MOMENT: Duration = Duration::from_secs(15);

/// What Proxmox does now and again.
pub(crate) fn faults(sim: &sim::Sim) {
    let rule = |call: &str, chance: f64, effect: Effect| {
        sim.faults().add(Rule { when: When::Probability(chance), ..Rule::always(call, effect) });
    };
    let proxy = |done| Effect::Proxy { status: 596, reason: "Connection timed out".to_owned(), done };
    // What a task ends with that may be tried again.
    let locked = || "can't lock file '/run/lock/lxc/pve-config-999.lock' - got timeout".to_owned();
    rule("* /**", 0.05, Effect::LatencyMs(100));
    rule("GET /**", 0.01, Effect::ResetBefore);
    rule("GET /**", 0.01, proxy(false));
    for call in
        ["POST /nodes/*/lxc", "POST /nodes/*/lxc/*/status/*", "POST /nodes/*/lxc/*/snapshot", "POST /nodes/*/vzdump"]
    {
        rule(call, 0.04, Effect::ResetAfter);
        rule(call, 0.04, proxy(true));
        rule(call, 0.04, Effect::TaskFails(locked()));
    }
    rule("POST /nodes/*/lxc", 0.04, Effect::TaskFailsAfter(locked()));
    rule("POST /nodes/*/lxc/*/status/start", 0.05, Effect::TaskFailsAfter(locked()));
    rule("DELETE /nodes/*/lxc/*", 0.05, Effect::ResetAfter);
    rule("* /**", 0.01, Effect::LockTimeout);
    rule("* /**", 0.005, Effect::SshDrop { after_ms: 100 });
}

/// It works again.
async fn one_more(caller: &Caller) -> Made {
    let wish = json!({ "hostname": "after-the-storm", "template": "tiny" });
    let (status, told) = caller.post("/v1/containers", &wish).await;
    assert_eq!(status, 202, "{told}");
    let operation = told["id"].as_str().unwrap().parse().unwrap();
    let seen = vec![restless(caller.clone(), operation, 1).await];
    Made { operation, ends: &[Status::Succeeded], seen }
}

/// Of the tests, so that two runs differ by no more than the machine's own ways; `cargo xtask chaos` takes another each time.
const SEED: u64 = 4242;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Postgres and Redis: cargo xtask test"]
async fn a_storm_on_postgres_leaves_everything_as_it_should_be() {
    storm(Backend::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute: cargo xtask test"]
async fn a_storm_on_sqlite_leaves_everything_as_it_should_be() {
    storm(Backend::Sqlite).await;
}

#[allow(
    clippy::disallowed_methods,
    reason = "how long and by which seed is the storm's own, not a setting of the program"
)]
async fn storm(backend: Backend) {
    let told = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let seed = told("GANTRY_TEST_SEED").unwrap_or(SEED);
    let long = told("GANTRY_TEST_CHAOS_SECONDS").map_or(MOMENT, Duration::from_secs);
    println!("seed {seed}, {} s on {backend:?}", long.as_secs());
    let mut random = StdRng::seed_from_u64(seed);
    let durations: BTreeMap<_, _> =
        [("vzcreate", 300), ("vzstart", 150), ("vzdestroy", 100), ("vzdump", 300), ("vzrestore", 300)]
            .map(|(kind, millis)| (kind.to_owned(), Duration::from_millis(millis)))
            .into();
    let options = sim::Options { durations, jitter: 0.5, seed, criu: true, ..sim::Options::default() };
    let mut ground = Ground::on(backend, options.clone()).await;
    ground.another("other", sim::Options { seed: seed + 1, ..options }).await;
    ground.over_wires().await;
    let caller = Caller::new(String::new(), ground.token.clone());
    let mut fleet = Fleet::launch(&ground, caller.clone()).await;
    for cluster in &ground.clusters {
        let (status, told) = caller.post("/v1/hosts", &ground.host_of(cluster, 16)).await;
        assert_eq!(status, 201, "{told}");
    }
    let mut accounts = Vec::new();
    for name in ["north", "south"] {
        let (status, told) = caller.post("/v1/accounts", &json!({ "name": name, "quota": { "containers": 8 } })).await;
        assert_eq!(status, 201, "{told}");
        accounts.push(caller.of_account(told["id"].as_str().unwrap()));
    }
    let mut load = Load::begin(accounts, seed).await;
    ground.sims().for_each(faults);

    let began = Instant::now();
    load.go_on(began + long);
    let operator = tokio::spawn(operator::at_work(caller.clone()));
    let secrets = secrets::of(&ground);
    let mut listed = BTreeSet::new();
    let mut blows = BTreeMap::<&str, u32>::new();
    while began.elapsed() < long {
        let blow = blows::strike(&mut ground, &mut fleet, &mut random).await;
        *blows.entry(blow).or_default() += 1;
        let secrets = secrets.clone();
        listed.extend(tokio::task::spawn_blocking(move || secrets::in_process_list(&secrets)).await.unwrap());
        tokio::time::sleep(Duration::from_millis(random.random_range(100..900))).await;
    }
    ground.sims().for_each(|sim| sim.faults().clear());
    fleet.all_up(&ground).await;
    let (mut made, mut wrong) = load.end().await;
    match tokio::time::timeout(PATIENCE, one_more(&caller)).await {
        Ok(after) => made.push(after),
        Err(_) => wrong.push("a create after the storm does not end".to_owned()),
    }
    if tokio::time::timeout(PATIENCE, operator::all_quiet(&caller)).await.is_err() {
        wrong.push("something that nobody follows does not end".to_owned());
    }
    operator.abort();
    println!("{blows:?}; {} commands accepted; quiet after {} s", made.len(), began.elapsed().as_secs());
    wrong.extend(caller.amiss());
    wrong.extend(listed);
    let evidence = Evidence::gather(&ground, made).await;
    wrong.extend(check::judge(&evidence));
    wrong.extend(fleet.end());
    println!(
        "{} events judged after {} s: {:?}",
        evidence.events.len(),
        began.elapsed().as_secs(),
        check::tally(&evidence)
    );
    if wrong.is_empty() {
        wrong.extend(doctored::unnoticed(&evidence));
    }
    if !wrong.is_empty() {
        let kept = ground.keep();
        let list = kept.join("violations");
        std::fs::write(&list, wrong.join("\n")).unwrap();
        panic!(
            "seed {seed} on {backend:?}: {} violations, kept in {}:\n{}",
            wrong.len(),
            kept.display(),
            wrong.join("\n")
        );
    }
}
