//! API, worker and simulated host in this process, put together as `gantry serve` does.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use api::access::Access;
use api::live::LiveStates;
use domain::ContainerId;
use platform::{bootstrap, queue};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::seam::Asked;
use crate::seen::Seen;
use crate::support::World;

pub struct Whole {
    pub world: World,
    client: Client,
    pub url: String,
    pub token: String,
}

fn foresee(tools: Arc<worker::Tools>) -> api::Foresee {
    Arc::new(move |wish| {
        let tools = tools.clone();
        Box::pin(async move { worker::preview(&tools, wish).await.map_err(|error| error.to_string()) })
    })
}

impl Whole {
    pub async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let world = World::new().await;
        let db = world.log.db().clone();
        let settled = bootstrap::token(&db).await.unwrap();
        let app = api::App {
            log: world.log.clone(),
            coordination: world.coordination.clone(),
            queue: world.queue().clone(),
            queue_limit: 1000,
            vault: world.tools.vault.clone(),
            catalogue: world.tools.catalogue.clone(),
            access: Access::with_token_hash(settled.hash),
            live: LiveStates::default(),
            people: api::People::default(),
            copies: Arc::new(Asked(worker::Copies::new(world.tools.clone()))),
            guests: Arc::new(Seen(world.tools.clone(), worker::Sweep::new(world.tools.clone()))),
            foresee: foresee(world.tools.clone()),
            metrics: Arc::new(String::new),
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let settings = api::Settings { workers: 2, ..api::Settings::default() };
        tokio::spawn(api::serve(app, listener, settings, world.stop.clone()));
        let engine = world.engine("worker");
        tokio::spawn(async move { engine.work(&queue::Settings::default()).await });
        let client = Client::builder().no_proxy().build().unwrap();
        Self { world, client, url, token: settled.fresh.unwrap() }
    }

    pub async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.send(method, path, body, &[]).await
    }

    async fn send(&self, method: &str, path: &str, body: Value, headers: &[(&str, &str)]) -> (u16, Value) {
        let method: Method = method.parse().unwrap();
        let mut request = self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !body.is_null() {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }

    /// The operation as it ended.
    pub async fn ended(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, mut answer) = self.send(method, path, body, &[("prefer", "wait=50")]).await;
        assert!(status == 200 || status == 202, "{method} {path}: {status} {answer}");
        while answer["ended_at"].is_null() {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let own = answer["links"]["self"].as_str().unwrap().to_owned();
            answer = self.ask("GET", &own, Value::Null).await.1;
        }
        answer
    }

    pub async fn done(&self, method: &str, path: &str, body: Value) -> Value {
        let ended = self.ended(method, path, body).await;
        assert_eq!(ended["status"], "succeeded", "{method} {path}: {ended}");
        ended
    }

    pub async fn container(&self, hostname: &str) -> String {
        let wish = json!({ "hostname": hostname, "image": "debian-12", "cores": 1, "memory_mb": 256, "disk_gb": 1 });
        let ended = self.done("POST", "/v1/containers", wish).await;
        ended["summary"]["container"].as_str().unwrap().to_owned()
    }

    pub async fn vmid(&self, id: &str) -> u32 {
        let id: ContainerId = id.parse().unwrap();
        self.world.container(id).await.guest().unwrap().vmid.get()
    }

    pub async fn in_guest(&self, id: &str, script: &str) -> String {
        self.world.in_guest(self.vmid(id).await, script).await
    }

    /// A snapshot that somebody takes on Proxmox itself.
    pub async fn outside(&self, id: &str, name: &str) {
        let (api, guest) = self.world.api(id.parse().unwrap()).await;
        let upid = api.lxc(&guest.node, guest.vmid.get()).snapshot(name, None).await.unwrap();
        self.end_of(&api, &upid).await;
    }

    pub async fn end_of(&self, api: &proxmox::Client, upid: &proxmox::Upid) {
        let waiting = proxmox::Waiting { limit: Duration::from_secs(60), cancel: self.world.stop.clone() };
        assert!(matches!(api.wait_silently(upid, &waiting).await, Ok(proxmox::Finished::Done { .. })));
    }
}
