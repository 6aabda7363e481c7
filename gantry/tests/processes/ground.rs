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

/// The first seals, both open.
const KEYS: [&str; 2] = [
    "one:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    "two:202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
];
/// A worker that was killed is replaced after this many seconds; the least that the settings allow.
const LEASE_S: u32 = 2;

/// Where the log is, and what comes with that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    /// With Redis, for any number of processes.
    Postgres,
    /// For one process.
    Sqlite,
}

pub(crate) struct Ground {
    pub(crate) sim: Sim,
    pub(crate) backend: Backend,
    pub(crate) lease_s: u32,
    database: String,
    pub(crate) token: String,
    dir: Option<tempfile::TempDir>,
    /// The secret of the token that Proxmox gave us.
    of_proxmox: String,
    redis: Option<Redis>,
    postgres: Option<Postgres>,
}

impl Ground {
    pub(crate) async fn new(sim: sim::Options) -> Self {
        Self::on(Backend::Postgres, sim).await
    }

    pub(crate) async fn on(backend: Backend, sim: sim::Options) -> Self {
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
        let (postgres, redis) = match backend {
            Backend::Sqlite => (None, None),
            Backend::Postgres => {
                let servers = tokio::task::spawn_blocking(|| {
                    let postgres = Postgres::start_with(&[("fsync", "off")]).unwrap();
                    // What it holds is searched for secrets, which compression would hide.
                    (Some(postgres), Some(Redis::start_with(&[("rdbcompression", "no")]).unwrap()))
                });
                servers.await.unwrap()
            }
        };
        let sqlite = || crate::run::sqlite(dir.path(), "gantry.db");
        let database = postgres.as_ref().map_or_else(sqlite, Postgres::url);
        let token = tokio::task::block_in_place(|| crate::run::token(&database));
        let of_proxmox = sim.token("root@pam", "gantry");
        Self { of_proxmox, sim, backend, lease_s: LEASE_S, database, token, dir: Some(dir), redis, postgres }
    }

    pub(crate) fn redis(&mut self) -> &mut Redis {
        self.redis.as_mut().unwrap()
    }

    pub(crate) fn postgres(&mut self) -> &mut Postgres {
        self.postgres.as_mut().unwrap()
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.as_ref().unwrap().path()
    }

    /// The program with this ground's settings.
    pub(crate) fn program(&self, arguments: &[&str]) -> crate::run::Call {
        crate::run::gantry(arguments)
            .dir(self.dir())
            .database(&self.database)
            .env("REDIS_URL", &self.redis.as_ref().map_or_else(String::new, Redis::url))
            .env("GANTRY_VAULT_KEYS", &KEYS.join(","))
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
            "token": { "id": "root@pam!gantry", "secret": self.of_proxmox },
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

    /// What the processes share.
    pub(crate) async fn coordination(&self) -> Coordination {
        Coordination::connect(Some(&self.redis.as_ref().unwrap().url()), "gantry").await.unwrap()
    }

    /// What Redis answers to a command.
    fn ask_redis(&self, words: &[&str]) -> String {
        let port = self.redis.as_ref().unwrap().port().to_string();
        let program = xtask::servers::find("redis-cli").unwrap();
        let answered = Command::new(program).args(["-p", &port]).args(words).output().unwrap();
        assert!(answered.status.success(), "{answered:?}");
        String::from_utf8(answered.stdout).unwrap()
    }

    /// All that Redis held is gone.
    pub(crate) fn flush_redis(&self) {
        tokio::task::block_in_place(|| self.ask_redis(&["FLUSHALL"]));
    }

    /// Redis is away for that long and comes back empty.
    pub(crate) async fn restart_redis(&mut self, away: Duration) {
        tokio::task::block_in_place(|| self.redis().stop());
        tokio::time::sleep(away).await;
        tokio::task::block_in_place(|| self.redis().restart()).unwrap();
    }

    /// Postgres is away for that long; `hard` is without a word to anybody.
    pub(crate) async fn restart_postgres(&mut self, away: Duration, hard: bool) {
        tokio::task::block_in_place(|| if hard { self.postgres().kill() } else { self.postgres().stop() });
        tokio::time::sleep(away).await;
        tokio::task::block_in_place(|| self.postgres().restart()).unwrap();
    }

    /// Every connection to the servers is cut; the servers stay.
    pub(crate) fn cut_connections(&self) {
        self.ask_redis(&["CLIENT", "KILL", "TYPE", "normal"]);
        self.ask_redis(&["CLIENT", "KILL", "TYPE", "pubsub"]);
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
        let program = xtask::servers::find("psql").unwrap();
        let done = Command::new(program).args(["--quiet", "--command", cut, &self.database]).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    /// Every secret is sealed with the other key, under the feet of those that use them.
    pub(crate) fn rotate_keys(&self, first: usize) {
        let keys = [KEYS[first], KEYS[1 - first]].join(",");
        let rotated = self.program(&["keys", "rotate"]).env("GANTRY_VAULT_KEYS", &keys).run();
        assert_eq!(rotated.code, 0, "{}", rotated.stderr);
    }

    /// Another version of a template, in place.
    pub(crate) fn change_template(&self, answer: u32) {
        let file = self.dir().join("templates/tiny/container-configs/files/conf");
        std::fs::write(file, format!("answer={answer}\n")).unwrap();
    }

    /// Everything that is written down anywhere, piece by piece, with where it is.
    pub(crate) fn written(&self) -> Vec<(String, Vec<u8>)> {
        let mut written = Vec::new();
        for file in std::fs::read_dir(self.dir()).unwrap().map(|file| file.unwrap().path()) {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            if name.ends_with(".log") || name.starts_with("gantry.db") {
                written.push((name, std::fs::read(file).unwrap()));
            }
        }
        if self.redis.is_some() {
            written.push(self.in_redis());
        }
        if self.postgres.is_some() {
            let program = xtask::servers::find("pg_dump").unwrap();
            let dump = Command::new(program).arg(format!("--dbname={}", self.database)).output().unwrap();
            assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
            written.push(("the database".to_owned(), dump.stdout));
        }
        written
    }

    pub(crate) fn in_redis(&self) -> (String, Vec<u8>) {
        self.ask_redis(&["SAVE"]);
        let dir = self.ask_redis(&["CONFIG", "GET", "dir"]);
        let file = Path::new(dir.lines().nth(1).unwrap()).join("dump.rdb");
        ("Redis".to_owned(), std::fs::read(file).unwrap())
    }

    /// Its own secrets, which nobody may find anywhere.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let key = std::fs::read_to_string(self.dir().join("key")).unwrap();
        let line = key.lines().nth(2).unwrap().to_owned();
        let of_vault = KEYS.map(|key| key.split_once(':').unwrap().1.to_owned());
        [self.token.clone(), line, self.of_proxmox.clone()].into_iter().chain(of_vault).collect()
    }

    /// The directory stays, for whoever wants to know what happened.
    pub(crate) fn keep(&mut self) -> std::path::PathBuf {
        self.dir.take().unwrap().keep()
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
