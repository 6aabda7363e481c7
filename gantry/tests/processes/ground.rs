//! What the processes stand on: private servers, a simulated cluster in this process, and the template `tiny`.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use platform::clock::Clock;
use platform::coordination::Coordination;
use platform::db::{Db, Options};
use platform::log::Log;
use platform::views;
use serde_json::{Value, json};
use sim::Sim;
use xtask::servers::{Postgres, Redis};

const KEYS: &str = "one:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
/// A worker that was killed is replaced after this many seconds; the least that the settings allow.
const LEASE_S: u32 = 2;

pub(crate) struct Ground {
    pub(crate) sim: Sim,
    pub(crate) redis: Redis,
    pub(crate) lease_s: u32,
    database: String,
    pub(crate) token: String,
    dir: Option<tempfile::TempDir>,
    _postgres: Postgres,
}

impl Ground {
    pub(crate) async fn new(sim: sim::Options) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let dir = tempfile::tempdir().unwrap();
        let templates = crate::tiny::write(dir.path());
        broken(&templates);
        let key = dir.path().join("key");
        let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status();
        assert!(made.unwrap().success());
        let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
        let nodes = vec!["pve1".to_owned(), "pve2".to_owned()];
        let sim = sim::start(sim::Options { nodes, ssh_keys: vec![public], ..sim }).await.unwrap();
        let servers = tokio::task::spawn_blocking(|| {
            (Postgres::start_with(&[("fsync", "off")]).unwrap(), Redis::start().unwrap())
        });
        let (postgres, redis) = servers.await.unwrap();
        let database = postgres.url();
        let token = tokio::task::block_in_place(|| crate::run::token(&database));
        Self { sim, redis, lease_s: LEASE_S, database, token, dir: Some(dir), _postgres: postgres }
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.as_ref().unwrap().path()
    }

    /// The program with this ground's settings.
    pub(crate) fn program(&self, arguments: &[&str]) -> crate::run::Call {
        crate::run::gantry(arguments)
            .dir(self.dir())
            .database(&self.database)
            .env("REDIS_URL", &self.redis.url())
            .env("GANTRY_VAULT_KEYS", KEYS)
            .env("GANTRY_WORKER__LEASE_S", &self.lease_s.to_string())
            .env("GANTRY_TEMPLATES__ROOT", &self.dir().join("templates").display().to_string())
            .env("GANTRY_LOG__FILTER", "info")
    }

    /// The cluster as its owner registers it.
    pub(crate) fn host(&self, per_node: u16) -> Value {
        let nodes = self.sim.nodes();
        let pins: serde_json::Map<String, Value> =
            nodes.iter().map(|node| (node.api.to_string(), json!(node.fingerprint))).collect();
        let ssh: serde_json::Map<String, Value> = nodes
            .iter()
            .map(|node| {
                let host_key = format!("ssh-ed25519 {}", node.ssh_fingerprint);
                (node.name.clone(), json!({ "address": node.ssh.to_string(), "host_key": host_key }))
            })
            .collect();
        json!({
            "name": "sim",
            "addresses": nodes.iter().map(|node| node.api.to_string()).collect::<Vec<_>>(),
            "token": { "id": "root@pam!gantry", "secret": self.sim.token("root@pam", "gantry") },
            "fingerprint": nodes[0].fingerprint,
            "pins": pins,
            "ssh": { "private_key": std::fs::read_to_string(self.dir().join("key")).unwrap(), "nodes": ssh },
            "limits": { "per_host": 1000, "per_node": per_node, "per_storage": 1000 },
        })
    }

    /// The log, to look at.
    pub(crate) async fn log(&self) -> Log {
        let db = Db::connect(&self.database, &Options::default()).await.unwrap();
        Log::open(db, views::all(), Clock::system()).await.unwrap()
    }

    pub(crate) async fn coordination(&self) -> Coordination {
        let prefix = "gantry";
        Coordination::connect(Some(&self.redis.url()), prefix).await.unwrap()
    }

    /// All that Redis held is gone.
    pub(crate) async fn flush_redis(&self) {
        let port = self.redis.port();
        let program = xtask::servers::find("redis-cli").unwrap();
        let flushed = tokio::process::Command::new(program).args(["-p", &port.to_string(), "FLUSHALL"]).status();
        assert!(flushed.await.unwrap().success());
    }

    /// Redis is away for that long and comes back empty.
    pub(crate) async fn restart_redis(&mut self, away: Duration) {
        tokio::task::block_in_place(|| self.redis.stop());
        tokio::time::sleep(away).await;
        tokio::task::block_in_place(|| self.redis.restart()).unwrap();
    }
}

impl Drop for Ground {
    #[allow(clippy::print_stderr, reason = "whoever reads of a failed test wants to know where the rest is")]
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(dir) = self.dir.take()
        {
            eprintln!("what the processes said is kept in {}", dir.keep().display());
        }
    }
}

/// The same as `tiny` with a script that fails.
fn broken(templates: &Path) {
    let scripts = "container-configs/scripts";
    std::fs::create_dir_all(templates.join("broken").join(scripts)).unwrap();
    let conf = templates.join("tiny/template.conf");
    std::fs::copy(conf, templates.join("broken/template.conf")).unwrap();
    std::fs::write(templates.join("broken").join(scripts).join("10-fail.sh"), "echo no\nexit 3\n").unwrap();
}
