//! Gantry's worker on a real log, against a simulated Proxmox host: what the tests of pipelines stand on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code,
    unreachable_pub,
    reason = "a test says what it expects by failing; not every test uses all of it"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::container::{Container, ContainerCommand, ContainerSpec, Request, Source};
use domain::host::{Auth, Host, HostCommand, HostSettings, Limits, SshAccess, SshNode};
use domain::operation::{Accepted, Command, Given, Operation, OperationCommand};
use domain::progress::Progress;
use domain::{Actor, Aggregate, ContainerId, Event as _, HostId, Meta, OperationId};
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
use worker::engine::Turn;
use worker::hosts::Hosts;
use worker::{Engine, Settings, Tools};

pub struct World {
    pub sim: Sim,
    pub log: Log,
    pub coordination: Coordination,
    pub tools: Arc<Tools>,
    pub host: HostId,
    pub stop: CancellationToken,
    pub dir: tempfile::TempDir,
    queue: queue::Queue,
}

impl World {
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let database = format!("sqlite:{}", dir.path().join("gantry.db").display());
        Self::on(dir, &database, Coordination::in_process(), sim::Options::default()).await
    }

    pub async fn on(dir: tempfile::TempDir, database: &str, coordination: Coordination, options: sim::Options) -> Self {
        let key = dir.path().join("key");
        let made =
            std::process::Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status();
        assert!(made.unwrap().success());
        let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
        let nodes = vec!["pve1".to_owned(), "pve2".to_owned()];
        let sim = sim::start(sim::Options { nodes, ssh_keys: vec![public], ..options }).await.unwrap();
        let db = Db::connect(database, &Options::default()).await.unwrap();
        db.migrate(now()).await.unwrap();
        let log = Log::open(db.clone(), views::all(), Clock::system()).await.unwrap();
        let vault = Vault::new(db.clone(), Keys::parse(&"ab".repeat(32)).unwrap(), Clock::system());
        let templates = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/lxc/templates");
        let tools = Arc::new(Tools::new(
            log.clone(),
            coordination.bus().clone(),
            coordination.locks().clone(),
            vault.clone(),
            Catalogue::new(templates, db),
            Hosts::new(log.clone(), vault),
            Settings { download_images: true, address_within: Duration::from_secs(20) },
        ));
        let queue = coordination.queue("operations", 100_000);
        let world = Self {
            host: HostId::new(Uuid::now_v7()),
            sim,
            log,
            coordination,
            tools,
            stop: CancellationToken::new(),
            dir,
            queue,
        };
        world.register(&std::fs::read(&key).unwrap()).await;
        world
    }

    async fn register(&self, key: &[u8]) {
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
            limits: Limits::default(),
        };
        let events = Host::default().decide(HostCommand::Register(settings), &()).unwrap();
        let encoded = events.iter().map(|e| e.encode().unwrap()).collect();
        let append = Append::new(meta()).stream(Host::stream(self.host), Expected::New, encoded);
        self.log.append(append.with(token_row).with(ssh_row)).await.unwrap();
    }

    pub fn seal(&self, what: &str, content: &[u8]) -> (domain::SealedId, Arc<dyn Rows>) {
        self.tools.vault.seal(&format!("test/{what}"), content.to_vec().into()).unwrap()
    }

    pub fn engine(&self, name: &str) -> Engine {
        Engine::new(self.tools.clone(), self.queue.clone(), name, self.stop.clone())
    }

    /// Accepts a create as the API does: one append.
    pub async fn request(&self, spec: ContainerSpec) -> (ContainerId, OperationId) {
        let (container, operation) = (ContainerId::new(Uuid::now_v7()), OperationId::new(Uuid::now_v7()));
        let mut append = Append::new(meta());
        let mut template = None;
        if let Source::Template(name) = &spec.source {
            let found = self.tools.catalogue.find(name).await.unwrap().unwrap();
            let hash = found.version.clone().unwrap();
            template = Some(hash);
            append.rows.extend(self.tools.catalogue.keep(&found));
        }
        let (password, row) = self.seal("password", b"correct horse battery");
        append = append.with(row);
        let request = Request {
            spec,
            operation,
            account: None,
            placement: None,
            template,
            root_password: Some(password),
            inputs: None,
        };
        let events = Container::default().decide(ContainerCommand::Request(Box::new(request)), &()).unwrap();
        let command = Command::CreateContainer { container, keep_on_failure: false };
        let accept = OperationCommand::Accept(Accepted::new(command, None, None));
        let accepted = Operation::default().decide(accept, &Given { now: now() }).unwrap();
        let append = append
            .stream(Container::stream(container), Expected::New, events.iter().map(|e| e.encode().unwrap()).collect())
            .stream(
                Operation::stream(operation),
                Expected::New,
                accepted.iter().map(|e| e.encode().unwrap()).collect(),
            );
        self.log.append(append).await.unwrap();
        (container, operation)
    }

    pub async fn accept(&self, command: Command) -> OperationId {
        let operation = OperationId::new(Uuid::now_v7());
        let accept = OperationCommand::Accept(Accepted::new(command, None, None));
        self.ask(operation, accept).await;
        operation
    }

    pub async fn ask(&self, id: OperationId, command: OperationCommand) {
        self.log.execute::<Operation>(id, command, &Given { now: now() }, meta()).await.unwrap();
        self.coordination.bus().publish(&worker::progress::command_topic(id), 1).await;
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
        all.into_iter().map(|record| serde_json::from_value(record.body).unwrap()).collect()
    }
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
