//! What somebody may want next.

use std::sync::{Arc, Mutex};

use rand::{RngExt as _, rngs::StdRng};
use reqwest::Method;
use serde_json::{Value, json};

use crate::secrets::CANARY;

pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Option<Value>,
    /// It goes well, whatever happens around it.
    pub(super) certain: bool,
    /// It can't go well.
    pub(super) hopeless: bool,
}

impl Ask {
    fn new(method: Method, path: String, body: Option<Value>) -> Self {
        Self { method, path, body, certain: false, hopeless: false }
    }
}

pub(super) struct Wishes {
    number: u64,
    asked: u64,
    pub(super) random: StdRng,
    /// Those of the account.
    containers: Arc<Mutex<Vec<String>>>,
    /// The last that was seen: of which container, and its name.
    backup: Option<(String, String)>,
    looked_at: String,
}

/// So many containers are enough; then somebody asks for one more only to be refused.
const ENOUGH: usize = 7;
const ACTIONS: [&str; 6] = ["start", "stop", "shutdown", "reboot", "suspend", "resume"];

impl Wishes {
    pub(super) fn new(number: u64, random: StdRng, containers: Arc<Mutex<Vec<String>>>) -> Self {
        Self { number, asked: 0, random, containers, backup: None, looked_at: String::new() }
    }

    pub(super) fn next(&mut self) -> Ask {
        self.asked += 1;
        let name = format!("p{}-{}", self.number, self.asked);
        let there = self.containers.lock().unwrap().clone();
        let chance = if there.len() < ENOUGH { 0.15 } else { 0.05 };
        if self.asked == 1 && there.len() < 3 || there.is_empty() || self.random.random_bool(chance) {
            return self.create(&name);
        }
        let id = there[self.random.random_range(0..there.len())].clone();
        let path = |rest: &str| format!("/v1/containers/{id}{rest}");
        let post = |rest: &str, body: Option<Value>| Ask::new(Method::POST, path(rest), body);
        let snapshot = ["one", "two", "three"][self.random.random_range(0..3)];
        match self.random.random_range(0..100) {
            0..26 => post(&format!("/actions/{}", ACTIONS[self.random.random_range(0..ACTIONS.len())]), None),
            26..34 => {
                let memory = 256 * self.random.random_range(1..5_u32);
                post("/actions/resize", Some(json!({ "memory_mb": memory, "cores": self.random.random_range(1..4) })))
            }
            34..38 => post("/actions/resize", Some(json!({ "disk_gb": self.random.random_range(8..16) }))),
            38..43 => Ask::new(Method::PATCH, path(""), Some(json!({ "hostname": name, "tags": ["eu"] }))),
            43..48 => {
                let password = format!("{CANARY}{name}");
                Ask::new(Method::PUT, path("/root-password"), Some(json!({ "root_password": password })))
            }
            48..55 => post("/snapshots", Some(json!({ "name": snapshot }))),
            55..58 => post(&format!("/snapshots/{snapshot}/rollback"), None),
            58..61 => Ask::new(Method::DELETE, path(&format!("/snapshots/{snapshot}")), None),
            61..67 => post("/backups", Some(json!({ "notes": "before the storm" }))),
            67..75 => self.of_a_backup(&id, &name),
            75..79 => post("/clone", Some(json!({ "hostname": name }))),
            79..82 => {
                post("/rebuild", Some(json!({ "version": "current", "backup_first": self.random.random_bool(0.3) })))
            }
            82..85 => post("/update", Some(json!({}))),
            85..87 => post("/actions/apply", None),
            87..90 => {
                let action = ["start", "stop", "reboot"][self.random.random_range(0..3)];
                Ask::new(Method::POST, "/v1/bulk".to_owned(), Some(json!({ "action": action, "ids": there })))
            }
            _ => {
                self.containers.lock().unwrap().retain(|other| *other != id);
                Ask::new(Method::DELETE, path(""), None)
            }
        }
    }

    fn create(&mut self, name: &str) -> Ask {
        let hopeless = self.random.random_bool(0.08);
        let template = if hopeless { "broken" } else { "tiny" };
        let body = json!({ "hostname": name, "template": template, "root_password": format!("{CANARY}{name}") });
        let ask = Ask::new(Method::POST, "/v1/containers".to_owned(), Some(body));
        Ask { certain: !hopeless, hopeless, ..ask }
    }

    /// First a look which there are, then something with one of them.
    fn of_a_backup(&mut self, id: &str, name: &str) -> Ask {
        let Some((of, backup)) = self.backup.take() else {
            id.clone_into(&mut self.looked_at);
            return Ask::new(Method::GET, format!("/v1/containers/{id}/backups"), None);
        };
        let path = format!("/v1/containers/{of}/backups/{backup}");
        match self.random.random_range(0..3) {
            0 => Ask::new(Method::POST, format!("{path}/restore"), None),
            1 => Ask::new(Method::POST, format!("{path}/containers"), Some(json!({ "hostname": name }))),
            _ => Ask::new(Method::DELETE, path, None),
        }
    }

    /// Of a list of backups.
    pub(super) fn look(&mut self, told: &Value) {
        let names: Vec<&str> =
            told["items"].as_array().into_iter().flatten().filter_map(|one| one["name"].as_str()).collect();
        if !names.is_empty() {
            let name = names[self.random.random_range(0..names.len())].to_owned();
            self.backup = Some((self.looked_at.clone(), name));
        }
    }

    /// A container that is new is everybody's of the account.
    pub(super) fn learn(&mut self, ask: &Ask, told: &Value) {
        if let Some(id) = told["container"].as_str().filter(|_| ask.method == Method::POST) {
            let mut there = self.containers.lock().unwrap();
            if !there.iter().any(|other| other == id) {
                there.push(id.to_owned());
            }
        }
    }

    /// What is not there any more is not asked for again; what could not be deleted now is still there.
    pub(super) fn refused(&mut self, ask: &Ask, status: u16) {
        let Some(rest) = ask.path.strip_prefix("/v1/containers/") else { return };
        let id = rest.split('/').next().unwrap_or_default().to_owned();
        let mut there = self.containers.lock().unwrap();
        match (status, &ask.method) {
            (409, method) if *method == Method::DELETE && rest == id => there.push(id),
            _ => {}
        }
    }
}
