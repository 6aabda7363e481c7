//! Gantry's worker on a real log, against a simulated Proxmox host: what the tests of pipelines stand on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code,
    unreachable_pub,
    reason = "a test says what it expects by failing; not every test uses all of it"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::container::{Container, ContainerSpec, Source};
use domain::host::{Auth, Host, HostCommand, HostSettings, Limits, SshAccess, SshNode};
use domain::operation::Operation;
use domain::progress::{Progress, ProgressKind};
use domain::{Actor, Aggregate, ContainerId, Event as _, HostId, Meta, OperationId, SealedId, Version};
use platform::catalogue::Catalogue;
use platform::clock::{Clock, now};
use platform::coordination::Coordination;
use platform::db::{Db, Options};
use platform::log::{Append, Expected, Log, Rows};
use platform::queue;
use platform::series::records;
use platform::vault::{Keys, Vault};
use platform::views;
use sim::Sim;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use worker::engine::{Outcome, Turn};
use worker::hosts::Hosts;
use worker::{Engine, Settings, Tools};

use crate::servers;
use crate::trips::{Met, Trip, Trips, Tripwire};

pub struct World {
    pub trips: Arc<Trips>,
    ahead: Arc<AtomicI64>,
    pub sim: Sim,
    pub log: Log,
    pub coordination: Coordination,
    pub tools: Arc<Tools>,
    pub host: HostId,
    pub stop: CancellationToken,
    pub dir: tempfile::TempDir,
    queue: queue::Queue,
}

/// Where a world stands.
pub struct Ground {
    pub database: String,
    pub coordination: Coordination,
    pub sim: sim::Options,
    pub templates: PathBuf,
    pub limits: Limits,
    pub dir: tempfile::TempDir,
}

impl Ground {
    /// SQLite, no Redis, the template `tiny`, and as many at work at once as there are.
    pub fn local() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let database = format!("sqlite:{}", dir.path().join("gantry.db").display());
        Self {
            database,
            coordination: Coordination::in_process(),
            sim: sim::Options { criu: true, ..sim::Options::default() },
            templates: crate::tiny::write(dir.path()),
            limits: Limits { per_host: 1000, per_node: 1000, per_storage: 1000 },
            dir,
        }
    }

    /// A database of its own and a prefix of its own on the servers that xtask started.
    pub async fn on_servers() -> Self {
        let name = format!("worker_{}", Uuid::now_v7().simple());
        let database = servers::database(&name).await;
        let coordination = Coordination::connect(Some(&servers::redis()), &format!("{name}:")).await.unwrap();
        Self { database, coordination, ..Self::local() }
    }
}

impl World {
    pub async fn new() -> Self {
        Self::on(Ground::local()).await
    }

    pub async fn on(ground: Ground) -> Self {
        let Ground { database, coordination, sim: options, templates, limits, dir } = ground;
        let key = dir.path().join("key");
        let made =
            std::process::Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status();
        assert!(made.unwrap().success());
        let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
        let nodes = vec!["pve1".to_owned(), "pve2".to_owned()];
        let sim = sim::start(sim::Options { nodes, ssh_keys: vec![public], ..options }).await.unwrap();
        let db = Db::connect(&database, &Options::default()).await.unwrap();
        db.migrate(now()).await.unwrap();
        let (trips, ahead) = (Arc::new(Trips::default()), Arc::new(AtomicI64::new(0)));
        let clock = {
            let ahead = ahead.clone();
            Clock::from_fn(move || now() + TimeDelta::microseconds(ahead.load(Ordering::SeqCst)))
        };
        let mut all = views::all();
        all.push(Arc::new(Tripwire(trips.clone())));
        let log = Log::open(db.clone(), all, clock.clone()).await.unwrap();
        let vault = Vault::new(db.clone(), Keys::parse(&"ab".repeat(32)).unwrap(), clock);
        let tools = Arc::new(Tools::new(
            log.clone(),
            coordination.bus().clone(),
            coordination.locks().clone(),
            vault.clone(),
            Catalogue::new(templates, db),
            Hosts::new(log.clone(), vault),
            Settings {
                download_images: true,
                address_within: Duration::from_secs(20),
                healthy_within: Duration::from_secs(3),
                lease: Duration::from_secs(15),
            },
        ));
        let queue = coordination.queue("operations", 100_000);
        let world = Self {
            host: HostId::new(Uuid::now_v7()),
            trips,
            ahead,
            sim,
            log,
            coordination,
            tools,
            stop: CancellationToken::new(),
            dir,
            queue,
        };
        world.register(&std::fs::read(&key).unwrap(), limits).await;
        world
    }

    async fn register(&self, key: &[u8], limits: Limits) {
        let (token, token_row) = self.seal("token", self.sim.token("root@pam", "gantry").as_bytes());
        let (ssh, ssh_row) = self.seal("ssh", key);
        let first = &self.sim.nodes()[0];
        let nodes = self.sim.nodes().iter().map(|node| {
            let host_key = format!("ssh-ed25519 {}", node.ssh_fingerprint);
            (node.name.clone(), SshNode { address: node.ssh.to_string(), host_key })
        });
        let settings = HostSettings {
            name: "sim".into(),
            addresses: vec![first.api.to_string()],
            auth: Auth::Token { id: "root@pam!gantry".into(), sealed: token },
            fingerprint: Some(first.fingerprint.clone()),
            pins: BTreeMap::new(),
            ssh: Some(SshAccess { user: "root".into(), port: 22, key: ssh, host_key: None, nodes: nodes.collect() }),
            limits,
        };
        let events = Host::default().decide(HostCommand::Register(settings), &()).unwrap();
        let encoded = events.iter().map(|e| e.encode().unwrap()).collect();
        let append = Append::new(meta()).stream(Host::stream(self.host), Expected::New, encoded);
        self.log.append(append.with(token_row).with(ssh_row)).await.unwrap();
    }

    pub fn seal(&self, what: &str, content: &[u8]) -> (SealedId, Arc<dyn Rows>) {
        self.tools.vault.seal(&format!("test/{what}"), content.to_vec().into()).unwrap()
    }

    pub fn queue(&self) -> &queue::Queue {
        &self.queue
    }

    pub fn engine(&self, name: &str) -> Engine {
        Engine::new(self.tools.clone(), self.queue.clone(), name, self.stop.clone())
    }

    /// How many events its stream has.
    pub async fn versions(&self, id: OperationId) -> i64 {
        self.log.stream(&Operation::stream(id), Version(0)).await.unwrap().last().unwrap().version.0
    }

    pub async fn operation(&self, id: OperationId) -> Operation {
        self.log.load::<Operation>(id).await.unwrap().state
    }

    pub async fn container(&self, id: ContainerId) -> Container {
        self.log.load::<Container>(id).await.unwrap().state
    }

    pub async fn progress(&self, id: OperationId) -> Vec<Progress> {
        let all = records::read(self.log.db(), &records::of_operation(id), 0, 100_000).await.unwrap();
        let numbers: Vec<_> = all.iter().map(|record| record.seq).collect();
        assert!(numbers.iter().enumerate().all(|(at, seq)| *seq == at as i64 + 1), "gapless: {numbers:?}");
        let all: Vec<Progress> = all.into_iter().map(|r| serde_json::from_value(r.body).unwrap()).collect();
        let percents: Vec<_> = all.iter().filter_map(percent_of).collect();
        assert!(percents.is_sorted(), "the percentage never falls: {percents:?}");
        all
    }

    /// Drives an operation until it ends; where it would wait for a time, the time comes at once.
    pub async fn drive(&self, id: OperationId) -> Operation {
        loop {
            match self.engine("driver").drive(id, &turn(&unique("driver"))).await {
                Ok(Outcome::Ended) => return self.operation(id).await,
                Ok(Outcome::Later(Some(at))) => self.skip_to(at),
                other => panic!("{other:?}"),
            }
        }
    }

    pub fn skip_to(&self, at: DateTime<Utc>) {
        let by = (at - now()).num_microseconds().unwrap() + 1;
        self.ahead.fetch_max(by, Ordering::SeqCst);
    }

    /// Runs a turn until the tripwire is met, as if the process had been killed there.
    pub async fn until_killed(&self, id: OperationId, trip: Trip) -> Met {
        self.trips.set(id, trip);
        let met = loop {
            let mut head = self.log.head();
            let name = unique("killed");
            let (engine, turn) = (self.engine(&name), turn(&name));
            let driving = engine.drive(id, &turn);
            tokio::pin!(driving);
            let ended = loop {
                tokio::select! {
                    biased;
                    // The head moves before whoever appended hears of it.
                    _ = head.changed(), if matches!(trip, Trip::After(_)) => if self.trips.is_met(id) { break None },
                    ended = &mut driving => break Some(ended),
                }
            };
            match ended {
                Some(Ok(Outcome::Later(Some(at)))) => self.skip_to(at),
                Some(Ok(Outcome::Ended)) if !self.trips.is_met(id) => break Met::Ended,
                None | Some(Err(_)) if self.trips.is_met(id) => break Met::Tripped,
                other => panic!("{other:?}"),
            }
        };
        self.trips.clear(id);
        met
    }
}

fn percent_of(progress: &Progress) -> Option<u8> {
    match progress.kind {
        ProgressKind::Step { percent, .. } => percent,
        _ => None,
    }
}

pub fn unique(name: &str) -> String {
    format!("{name}/{}", Uuid::now_v7())
}

pub fn turn(name: &str) -> Turn {
    Turn { name: name.to_owned(), lost: CancellationToken::new() }
}

pub fn meta() -> Meta {
    Meta::by(Actor::Bootstrap)
}

pub fn spec(hostname: &str, source: Source) -> ContainerSpec {
    serde_json::from_value(serde_json::json!({
        "hostname": hostname,
        "source": source,
        "cores": 1,
        "memory_mb": 512,
        "swap_mb": 0,
        "disk_gb": 4,
    }))
    .unwrap()
}

/// A name that no other container has.
pub fn hostname() -> String {
    format!("c-{}", Uuid::new_v4().simple())
}
