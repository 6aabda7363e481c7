use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use rand::RngExt;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::access::{Access, User};
use super::storage::{GIB, Storage, Volume};
use super::{Node, State, store};
use crate::clock::Clock;
use crate::faults::Faults;
use crate::guest::Guests;
use crate::options::Options;

/// The simulated cluster, alive.
pub struct World {
    pub(crate) options: Options,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) guests: Guests,
    /// Where the files of backups are.
    pub(crate) dumps: std::path::PathBuf,
    /// Goes with the last handle, when nothing is to be kept.
    _temporary: Option<tempfile::TempDir>,
    state: Mutex<State>,
    changes: watch::Sender<u64>,
    /// The lock files of guests.
    locks: Mutex<HashMap<u32, Arc<tokio::sync::Mutex<()>>>>,
    /// Running tasks by UPID.
    pub(crate) running: Mutex<HashMap<String, CancellationToken>>,
    pub(crate) tracker: TaskTracker,
    pub(crate) end: CancellationToken,
    /// What `/cluster/resources` answers, and when it was made.
    pub(crate) cached: Mutex<(f64, Vec<serde_json::Value>)>,
    /// Tickets of consoles that wait for their websocket.
    pub(crate) consoles: Mutex<HashMap<String, Console>>,
}

/// A proxied console that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Console {
    pub(crate) user: String,
    pub(crate) path: String,
    pub(crate) ticket: String,
    pub(crate) at: f64,
    pub(crate) vnc: bool,
    pub(crate) used: CancellationToken,
}

impl World {
    pub(crate) fn open(options: Options, guests: Guests) -> std::io::Result<Arc<Self>> {
        let clock = Clock::default();
        let kept = match &options.data_dir {
            Some(dir) => {
                std::fs::create_dir_all(dir)?;
                store::load(dir)?
            }
            None => None,
        };
        let mut state = kept.unwrap_or_else(|| fresh(&options, clock.now()));
        for name in &options.nodes {
            state.nodes.entry(name.clone()).or_insert_with(|| node(clock.now()));
        }
        // A node that went down took its workers and guests along.
        for task in &mut state.tasks {
            if task.exit.is_none() {
                task.exit = Some("unexpected status".to_owned());
                task.end = Some(clock.seconds());
            }
        }
        for guest in state.guests.values_mut() {
            guest.status = super::guest::Status::Stopped;
        }
        let faults = Faults::new(options.seed);
        let (dumps, temporary) = match &options.data_dir {
            Some(dir) => (dir.join("dump"), None),
            None => {
                let made = tempfile::Builder::new().prefix("gantry-sim-dump-").tempdir()?;
                (made.path().to_path_buf(), Some(made))
            }
        };
        std::fs::create_dir_all(&dumps)?;
        Ok(Arc::new(Self {
            options,
            clock,
            faults,
            guests,
            dumps,
            _temporary: temporary,
            state: Mutex::new(state),
            changes: watch::Sender::new(0),
            locks: Mutex::default(),
            running: Mutex::default(),
            tracker: TaskTracker::new(),
            end: CancellationToken::new(),
            cached: Mutex::default(),
            consoles: Mutex::default(),
        }))
    }

    /// Looks at the state. Never hold it over an await.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state; it is kept soon after.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let done = change(&mut self.state());
        self.changes.send_modify(|count| *count += 1);
        done
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Keeps every change until the end; several that come close together are kept at once.
    pub(crate) async fn keep(self: Arc<Self>) {
        let Some(dir) = self.options.data_dir.clone() else { return };
        let mut changes = self.changes.subscribe();
        loop {
            let ended = tokio::select! {
                changed = changes.changed() => changed.is_err(),
                () = self.end.cancelled() => true,
            };
            if !ended {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            self.save(&dir).await;
            if ended {
                return;
            }
        }
    }

    async fn save(&self, dir: &std::path::Path) {
        let (state, dir) = (self.state().clone(), dir.to_path_buf());
        let saved = tokio::task::spawn_blocking(move || store::save(&dir, &state)).await;
        if let Ok(Err(error)) = saved {
            tracing::error!(%error, "the simulator could not keep its state");
        }
    }

    /// A guest's lock file.
    pub(crate) fn lock_file(&self, vmid: u32) -> Arc<tokio::sync::Mutex<()>> {
        self.locks.lock().unwrap_or_else(PoisonError::into_inner).entry(vmid).or_default().clone()
    }

    /// How long a pause of the real one is here.
    pub(crate) async fn pause(&self, real: Duration) {
        let pause = real.mul_f64(self.options.pauses);
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }

    /// Moves the cluster's time on: tickets expire, counters grow.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// A node leaves the cluster or comes back.
    pub fn set_online(&self, name: &str, online: bool) {
        self.change(|state| {
            if let Some(node) = state.nodes.get_mut(name) {
                node.online = online;
            }
        });
    }

    /// Makes a token with full rights of its user and answers its secret.
    pub fn add_token(&self, user: &str, name: &str) -> String {
        let secret = new_secret();
        let token = super::access::Token { secret: secret.clone(), privsep: false, expire: 0, comment: None };
        self.change(|state| {
            state.access.users.entry(user.to_owned()).or_default().tokens.insert(name.to_owned(), token)
        });
        secret
    }

    /// Locks a guest as something that works on it does: `backup`, `snapshot`, `migrate`.
    pub fn lock(&self, vmid: u32, lock: &str) {
        self.change(|state| {
            if let Some(guest) = state.guests.get_mut(&vmid) {
                guest.config.insert("lock".to_owned(), lock.into());
            }
        });
    }

    /// Takes the lock off a guest, as `pct unlock` does.
    pub fn unlock(&self, vmid: u32) {
        self.change(|state| state.guests.get_mut(&vmid).and_then(|guest| guest.config.remove("lock")));
    }

    /// Fills a storage up to its last byte, or frees it again.
    pub fn fill_storage(&self, storage: &str, full: bool) {
        self.change(|state| {
            if let Some(storage) = state.storages.get_mut(storage) {
                storage.base = if full { storage.total } else { 2 * GIB };
            }
        });
    }

    /// The ids of all guests.
    #[must_use]
    pub fn vmids(&self) -> Vec<u32> {
        self.state().guests.keys().copied().collect()
    }

    #[must_use]
    pub fn is_running(&self, vmid: u32) -> bool {
        self.state().guests.get(&vmid).is_some_and(super::guest::Guest::running)
    }
}

pub(crate) fn new_secret() -> String {
    let bytes: [u8; 16] = rand::rng().random();
    let hex = hex::encode(bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn node(now: f64) -> Node {
    Node {
        online: true,
        booted: now - 86_400.0,
        cpus: 8,
        memory: 32 * GIB,
        bridges: vec!["vmbr0".to_owned(), "vmbr1".to_owned()],
        certificate: String::new(),
        key: String::new(),
        fingerprint: String::new(),
    }
}

fn fresh(options: &Options, now: f64) -> State {
    let bytes: [u8; 32] = rand::rng().random();
    let mut state =
        State { secret: base64::engine::general_purpose::STANDARD.encode(bytes), last_pid: 4000, ..State::default() };
    for (name, kind, content, total) in [
        ("local", "dir", "vztmpl,iso,backup,snippets,images,rootdir,import", 252 * GIB),
        ("local-btrfs", "btrfs", "images,rootdir", 252 * GIB),
        ("local-lvm", "lvmthin", "images,rootdir", 500 * GIB),
    ] {
        let content = content.split(',').map(str::to_owned).collect();
        state
            .storages
            .insert(name.to_owned(), Storage { kind: kind.to_owned(), content, shared: false, total, base: 2 * GIB });
    }
    for node in &options.nodes {
        for (file, size) in crate::tasks::images::PRESENT {
            state.volumes.push(Volume {
                storage: "local".to_owned(),
                node: Some(node.clone()),
                id: format!("local:vztmpl/{file}"),
                content: "vztmpl".to_owned(),
                format: if file.ends_with("zst") { "tzst" } else { "tgz" }.to_owned(),
                size: *size,
                used: *size,
                vmid: None,
                #[allow(clippy::cast_possible_truncation, reason = "seconds since 1970 fit")]
                ctime: now as i64,
                notes: None,
                protected: false,
            });
        }
    }
    let user = |password: &str| User { password: Some(password.to_owned()), enable: true, ..User::default() };
    let mut access = Access::default();
    access.users.insert("root@pam".to_owned(), user(&options.root_password));
    for (name, password) in &options.users {
        access.users.insert(name.clone(), user(password));
    }
    state.access = access;
    state
}
