//! The parts of the API's answers that are shown. What an older API leaves out is empty.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::operation::Status;
use serde::Deserialize;
use uuid::Uuid;

#[derive(Debug, Deserialize)]
pub(crate) struct Operation {
    pub id: Uuid,
    pub kind: String,
    pub status: Status,
    pub phase: Option<String>,
    pub percent: u8,
    pub waiting: Option<Waiting>,
    pub stalled: Option<Stalled>,
    pub error: Option<Trouble>,
    pub created_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    #[serde(default)]
    pub steps: Vec<Step>,
    pub links: OperationLinks,
}

#[derive(Debug, Deserialize)]
pub(crate) struct OperationLinks {
    pub container: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Waiting {
    pub message: String,
    pub since: Option<DateTime<Utc>>,
    pub line: Option<u64>,
    #[serde(default)]
    pub holders: Vec<Holder>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Holder {
    pub what: String,
    pub age_seconds: f64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Stalled {
    pub message: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Trouble {
    pub title: String,
    pub detail: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Step {
    pub title: String,
    pub phase: String,
    pub state: String,
    pub attempts: u32,
    pub started_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
    pub error: Option<Trouble>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Container {
    pub id: Uuid,
    pub hostname: String,
    pub lifecycle: String,
    pub template: Option<String>,
    pub image: Option<String>,
    pub node: Option<String>,
    pub vmid: Option<u32>,
    /// Why it is where it is.
    pub placement: Option<serde_json::Value>,
    #[serde(default)]
    pub addresses: Vec<String>,
    pub cores: u32,
    pub memory_mb: u32,
    pub swap_mb: u32,
    pub disk_gb: u32,
    pub description: Option<String>,
    #[serde(default)]
    pub tags: Vec<String>,
    pub live: Live,
    pub drift: Option<Drift>,
    pub error: Option<Trouble>,
    pub delete_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Live {
    pub power: String,
    pub source: String,
    pub age_seconds: f64,
    pub cpu: Option<f64>,
    pub memory_bytes: Option<u64>,
    pub uptime_seconds: Option<u64>,
    pub lock: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Host {
    pub id: Uuid,
    pub name: String,
    pub addresses: Vec<String>,
    pub user: String,
    pub fingerprint: Option<String>,
    #[serde(default)]
    pub pins: BTreeMap<String, String>,
    pub ssh: Option<Ssh>,
    pub in_maintenance: bool,
    #[serde(default)]
    pub nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Ssh {
    pub user: String,
    pub port: u16,
    pub host_key: Option<String>,
    #[serde(default)]
    pub nodes: BTreeMap<String, SshNode>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct SshNode {
    pub address: String,
    pub host_key: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Node {
    pub name: String,
    pub online: bool,
    pub address: Option<String>,
    pub version: Option<String>,
    #[serde(default)]
    pub in_maintenance: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Template {
    pub name: String,
    pub usable: bool,
    pub app: String,
    pub description: String,
    pub defaults: Option<Defaults>,
    #[serde(default)]
    pub ports: Vec<u16>,
    #[serde(default)]
    pub findings: Vec<Finding>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Defaults {
    pub cores: u32,
    pub memory_mb: u32,
    pub disk_gb: u32,
    pub os: String,
    pub version: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Finding {
    pub severity: String,
    pub file: String,
    pub line: usize,
    pub problem: String,
    pub fix: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Snapshot {
    pub name: String,
    pub description: Option<String>,
    pub parent: Option<String>,
    pub taken_at: Option<DateTime<Utc>>,
    pub taken_by: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Backup {
    pub name: String,
    pub storage: String,
    pub size_bytes: u64,
    pub made_at: Option<DateTime<Utc>>,
    pub notes: Option<String>,
    pub protected: bool,
    pub made_by: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Schedule {
    pub name: String,
    pub every: String,
    pub at: String,
    pub weekday: Option<String>,
    pub day: Option<u32>,
    pub keep: serde_json::Value,
    pub storage: Option<String>,
    pub next: DateTime<Utc>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Drift {
    pub container: Uuid,
    pub hostname: Option<String>,
    pub differences: Vec<Difference>,
    pub found_at: DateTime<Utc>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Difference {
    pub what: String,
    #[serde(default)]
    pub recorded: serde_json::Value,
    #[serde(default)]
    pub found: serde_json::Value,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Orphans {
    pub items: Vec<Orphan>,
    pub containers: Vec<Drift>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Orphan {
    pub id: String,
    pub hostname: String,
    pub node: String,
    pub vmid: u32,
    pub message: String,
}
