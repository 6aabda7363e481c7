//! The simulated cluster: what there is, and what happens to it.

pub(crate) mod access;
pub(crate) mod config;
pub(crate) mod guest;
pub(crate) mod roles;
pub(crate) mod run;
pub(crate) mod seen;
pub(crate) mod stats;
pub(crate) mod storage;
mod store;
pub(crate) mod task;
pub(crate) mod world;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use access::Access;
use guest::Guest;
use storage::{Storage, Volume};
use task::Task;

/// All that is kept of a cluster.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) nodes: BTreeMap<String, Node>,
    pub(crate) storages: BTreeMap<String, Storage>,
    pub(crate) volumes: Vec<Volume>,
    pub(crate) guests: BTreeMap<u32, Guest>,
    /// Oldest first.
    pub(crate) tasks: Vec<Task>,
    pub(crate) access: Access,
    pub(crate) pools: BTreeMap<String, Pool>,
    /// Signs tickets.
    pub(crate) secret: String,
    pub(crate) last_pid: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Node {
    pub(crate) online: bool,
    pub(crate) booted: f64,
    pub(crate) cpus: u32,
    pub(crate) memory: u64,
    pub(crate) bridges: Vec<String>,
    /// Its certificate and key, kept so that a pinned fingerprint stays right.
    pub(crate) certificate: String,
    pub(crate) key: String,
    pub(crate) fingerprint: String,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Pool {
    pub(crate) comment: Option<String>,
    pub(crate) guests: Vec<u32>,
    pub(crate) storages: Vec<String>,
}

impl State {
    pub(crate) fn pool_of(&self, vmid: u32) -> Option<&str> {
        self.pools.iter().find(|(_, pool)| pool.guests.contains(&vmid)).map(|(name, _)| name.as_str())
    }

    pub(crate) fn next_pid(&mut self) -> u32 {
        self.last_pid = if self.last_pid >= 4_000_000 { 1000 } else { self.last_pid + 1 };
        self.last_pid
    }

    /// The lowest id that no guest has.
    pub(crate) fn next_id(&self) -> u32 {
        (100..=999_999_999).find(|id| !self.guests.contains_key(id)).unwrap_or(100)
    }
}
