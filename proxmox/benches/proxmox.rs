//! What waiting for a task's end adds to it, and how many requests it takes, with a history of such tasks. The
//! simulator's tasks take 10 % more or less than the last; when one ends, the simulator itself tells.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench fails by panicking")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use proxmox::shell::Secret;
use proxmox::{
    Address, Auth, Backup, Client, Compress, Endpoint, Finished, Limits, LxcCreate, Mode, Result, Upid, Waiting,
};
use sim::{Effect, Options, Rule, Sim};
use tokio_util::sync::CancellationToken;
use xtask::bench::{Aim, Figure, median};

const NODE: &str = "pve1";

/// Tasks of one length.
struct Course {
    name: &'static str,
    vmid: u32,
    kind: &'static str,
    takes: Duration,
    /// Runs that fill the history, and runs that count.
    runs: (u32, u32),
    /// Milliseconds added, and requests.
    aims: (f64, f64),
}

const COURSES: [Course; 3] = [
    Course {
        name: "0.3 s",
        vmid: 101,
        kind: "vzstart",
        takes: Duration::from_millis(300),
        runs: (10, 40),
        aims: (45.0, 4.0),
    },
    Course {
        name: "2 s",
        vmid: 102,
        kind: "vzsnapshot",
        takes: Duration::from_secs(2),
        runs: (8, 20),
        aims: (46.0, 10.0),
    },
    Course {
        name: "30 s",
        vmid: 103,
        kind: "vzdump",
        takes: Duration::from_secs(30),
        runs: (2, 4),
        aims: (180.0, 32.0),
    },
];

#[tokio::main]
async fn main() {
    let _already = rustls::crypto::ring::default_provider().install_default();
    // One simulator each: they count requests, and run side by side.
    futures_util::future::join_all(COURSES.map(|course| tokio::spawn(run(course)))).await.into_iter().for_each(
        |done| {
            for figure in done.unwrap() {
                figure.print();
            }
        },
    );
}

async fn run(course: Course) -> Vec<Figure> {
    let durations = BTreeMap::from([(course.kind.to_owned(), course.takes)]);
    let sim = sim::start(Options { dry_shell: true, durations, jitter: 0.1, ..Options::default() }).await.unwrap();
    let client = client(&sim);
    let new = LxcCreate {
        vmid: course.vmid,
        template: "local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst".into(),
        rootfs: "local-btrfs:4".into(),
        unprivileged: true,
        ..LxcCreate::default()
    };
    done(&client, client.create_lxc(NODE, &new).await).await;
    let looks = Rule::always("GET /nodes/*/tasks/*/status", Effect::LatencyMs(0));
    let (mut added, mut asked) = (Vec::new(), Vec::new());
    for n in 0..course.runs.0 + course.runs.1 {
        let upid = begin(&client, &course).await.unwrap();
        let counter = sim.faults().add(looks.clone());
        let world = sim.world().clone();
        let name = upid.to_string();
        let end = tokio::spawn(async move {
            world.ended(&name).await;
            Instant::now()
        });
        assert_eq!(client.wait_silently(&upid, &waiting()).await.unwrap(), Finished::Done { warnings: Vec::new() });
        let seen = Instant::now();
        if n >= course.runs.0 {
            added.push(seen.duration_since(end.await.unwrap()).as_secs_f64() * 1000.0);
            asked.push(f64::from(sim.faults().hits(counter)));
        }
        sim.faults().remove(counter);
        undo(&client, &course).await;
    }
    // The best there is: to ask at the very moment.
    let mut trips = Vec::new();
    for _ in 0..30 {
        let started = Instant::now();
        client.version().await.unwrap();
        trips.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    sim.stop().await;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / f64::from(course.runs.1);
    let name = course.name;
    vec![
        Figure::new("proxmox", format!("added to a task of {name}, mean"), mean(&added), "ms")
            .limit(median(&trips))
            .aim(Aim::AtMost(course.aims.0)),
        Figure::new("proxmox", format!("requests for a task of {name}, mean"), mean(&asked), "requests")
            .limit(1.0)
            .aim(Aim::AtMost(course.aims.1)),
    ]
}

fn client(sim: &Sim) -> Client {
    let node = &sim.nodes()[0];
    let address = Address {
        host: node.api.ip().to_string(),
        port: node.api.port(),
        fingerprint: node.fingerprint.parse().unwrap(),
    };
    let auth = Auth::Token { id: "root@pam!bench".into(), secret: Secret::new(sim.token("root@pam", "bench")) };
    Client::new(Endpoint { name: "bench".into(), addresses: vec![address], auth, limits: Limits::default() }).unwrap()
}

fn waiting() -> Waiting {
    Waiting { limit: Duration::from_secs(300), cancel: CancellationToken::new() }
}

async fn begin(client: &Client, course: &Course) -> Result<Upid> {
    let ct = client.lxc(NODE, course.vmid);
    match course.kind {
        "vzstart" => ct.start().await,
        "vzsnapshot" => ct.snapshot("bench", None).await,
        _ => {
            let backup = Backup {
                vmid: course.vmid,
                storage: "local".into(),
                mode: Mode::Snapshot,
                compress: Compress::Zstd,
                notes: None,
                protected: false,
                bandwidth_kib: None,
            };
            client.backup(NODE, &backup).await
        }
    }
}

async fn undo(client: &Client, course: &Course) {
    let ct = client.lxc(NODE, course.vmid);
    match course.kind {
        "vzstart" => done(client, ct.stop().await).await,
        "vzsnapshot" => done(client, ct.delete_snapshot("bench", false).await).await,
        _ => {}
    }
}

async fn done(client: &Client, task: Result<Upid>) {
    assert!(matches!(client.wait_silently(&task.unwrap(), &waiting()).await.unwrap(), Finished::Done { .. }));
}
