//! What the processes stand on: private servers, a simulated cluster in this process, and the template `tiny`.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use platform::clock::Clock;
use platform::coordination::Coordination;
use platform::db::{Db, Options};
use platform::log::Log;
use platform::views;
use serde_json::Value;
use sim::Sim;
use xtask::servers::{Postgres, Redis};

use crate::cluster::Cluster;
use crate::wire::Wire;

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
    pub(crate) clusters: Vec<Cluster>,
    pub(crate) backend: Backend,
    pub(crate) lease_s: u32,
    database: String,
    pub(crate) token: String,
    dir: Option<tempfile::TempDir>,
    redis: Option<Redis>,
    postgres: Option<Postgres>,
    /// To Postgres and to Redis; without them the processes are right at the servers.
    wires: Option<[Wire; 2]>,
}

impl Ground {
    pub(crate) async fn new(sim: sim::Options) -> Self {
        Self::on(Backend::Postgres, sim).await
    }

    pub(crate) async fn on(backend: Backend, sim: sim::Options) -> Self {
        Self::with(backend, &[("fsync", "off")], sim).await
    }

    /// With settings of Postgres'; without any it has every commit on disk before it answers, as in production.
    pub(crate) async fn with(
        backend: Backend,
        postgres: &'static [(&'static str, &'static str)],
        sim: sim::Options,
    ) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let dir = tempfile::tempdir().unwrap();
        let templates = crate::tiny::write(dir.path());
        broken(&templates);
        let key = dir.path().join("key");
        let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status();
        assert!(made.unwrap().success());
        let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
        let clusters = vec![Cluster::start("sim", public, sim).await];
        let (postgres, redis) = match backend {
            Backend::Sqlite => (None, None),
            Backend::Postgres => {
                let servers = tokio::task::spawn_blocking(|| {
                    let postgres = Postgres::start_with(postgres).unwrap();
                    // What it holds is searched for secrets, which compression would hide.
                    (Some(postgres), Some(Redis::start_with(&[("rdbcompression", "no")]).unwrap()))
                });
                servers.await.unwrap()
            }
        };
        let sqlite = || crate::run::sqlite(dir.path(), "gantry.db");
        let database = postgres.as_ref().map_or_else(sqlite, Postgres::url);
        let token = tokio::task::block_in_place(|| crate::run::token(&database));
        Self { clusters, backend, lease_s: LEASE_S, database, token, dir: Some(dir), redis, postgres, wires: None }
    }

    /// From now on the processes that are started reach the servers over wires.
    pub(crate) async fn over_wires(&mut self) {
        if let (Some(postgres), Some(redis)) = (&self.postgres, &self.redis) {
            self.wires = Some([Wire::to(postgres.port()).await, Wire::to(redis.port()).await]);
        }
    }

    pub(crate) fn wires(&self) -> &[Wire; 2] {
        self.wires.as_ref().unwrap()
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

    /// The database as the processes reach it.
    pub(crate) fn database(&self) -> String {
        match (&self.wires, &self.postgres) {
            (Some([wire, _]), Some(server)) => over(&self.database, server.port(), wire),
            _ => self.database.clone(),
        }
    }

    /// The program with this ground's settings.
    pub(crate) fn program(&self, arguments: &[&str]) -> crate::run::Call {
        let redis = match (&self.wires, &self.redis) {
            (Some([_, wire]), Some(server)) => over(&server.url(), server.port(), wire),
            (_, server) => server.as_ref().map_or_else(String::new, Redis::url),
        };
        crate::run::gantry(arguments)
            .dir(self.dir())
            .database(&self.database())
            .env("REDIS_URL", &redis)
            .env("GANTRY_VAULT_KEYS", &KEYS.join(","))
            .env("GANTRY_WORKER__LEASE_S", &self.lease_s.to_string())
            .env("GANTRY_TEMPLATES__ROOT", &self.dir().join("templates").display().to_string())
            .env("GANTRY_LOG__FILTER", "info")
    }

    /// The first cluster, which most are content with.
    pub(crate) fn sim(&self) -> &Sim {
        &self.clusters[0].sim
    }

    pub(crate) fn sims(&self) -> impl Iterator<Item = &Sim> {
        self.clusters.iter().map(|cluster| &cluster.sim)
    }

    /// From now on there is one more.
    pub(crate) async fn another(&mut self, name: &'static str, sim: sim::Options) {
        let public = std::fs::read_to_string(self.dir().join("key.pub")).unwrap();
        self.clusters.push(Cluster::start(name, public, sim).await);
    }

    /// The first cluster as its owner registers it.
    pub(crate) fn host(&self, per_node: u16) -> Value {
        self.host_of(&self.clusters[0], per_node)
    }

    pub(crate) fn host_of(&self, cluster: &Cluster, per_node: u16) -> Value {
        cluster.host(&self.dir().join("key"), per_node)
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
        let of_proxmox = self.clusters.iter().map(|cluster| cluster.secret().to_owned());
        [self.token.clone(), line].into_iter().chain(of_proxmox).chain(of_vault).collect()
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

fn over(url: &str, port: u16, wire: &Wire) -> String {
    url.replace(&format!(":{port}/"), &format!(":{}/", wire.port))
}

/// The same as `tiny` with a script that fails.
fn broken(templates: &Path) {
    let scripts = "container-configs/scripts";
    std::fs::create_dir_all(templates.join("broken").join(scripts)).unwrap();
    let conf = templates.join("tiny/template.conf");
    std::fs::copy(conf, templates.join("broken/template.conf")).unwrap();
    std::fs::write(templates.join("broken").join(scripts).join("10-fail.sh"), "echo no\nexit 3\n").unwrap();
}
