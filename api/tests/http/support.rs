//! The server on a free port, with a directory of its own.

use std::net::TcpListener;
use std::sync::Arc;

use api::access::Access;
use api::live::LiveStates;
use api::{App, People, Settings};
use domain::operation::{Failure, FailureKind, Given, Operation, OperationCommand};
use domain::plan::{Next, plan};
use domain::{Meta, OperationId};
use platform::bootstrap;
use platform::catalogue::Catalogue;
use platform::clock::{self, Clock};
use platform::db::{Db, Options};
use platform::log::Log;
use platform::series::records;
use platform::vault::{Keys, Vault};
use platform::views;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::backend;
use no_hosts::NoHosts;

// By its path: benches have this file from elsewhere.
#[path = "no_hosts.rs"]
mod no_hosts;

pub(crate) const KEY: &str = "one:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// What is different from the usual.
#[derive(Clone)]
pub(crate) struct How {
    pub(crate) queue_limit: u64,
    pub(crate) access: fn(Access) -> Access,
    pub(crate) settings: Settings,
}

impl Default for How {
    fn default() -> Self {
        Self { queue_limit: 10_000, access: |access| access, settings: Settings { workers: 2, ..Settings::default() } }
    }
}

pub(crate) struct TestApp {
    pub(crate) app: App,
    pub(crate) url: String,
    pub(crate) token: String,
    pub(crate) client: Client,
    pub(crate) directory: Arc<tempfile::TempDir>,
    how: How,
    shutdown: CancellationToken,
    server: JoinHandle<std::io::Result<()>>,
}

impl TestApp {
    pub(crate) async fn start() -> Self {
        Self::how(How::default()).await
    }

    pub(crate) async fn with(queue_limit: u64) -> Self {
        Self::how(How { queue_limit, ..How::default() }).await
    }

    pub(crate) async fn how(how: How) -> Self {
        let directory = Arc::new(tempfile::tempdir().unwrap());
        let tree = directory.path().join("templates");
        write(
            &tree.join("web/template.conf"),
            "TEMPLATE_APP=Web\nTEMPLATE_CPU=2\nTEMPLATE_RAM=768\nTEMPLATE_DISK=5\nTEMPLATE_NESTING=1\n\
            TEMPLATE_INPUTS=\"SITE|string||40|Its name\nMODE|choice|a|a,b|\nADMIN|secret|||Password\"\n",
        );
        write(&tree.join("web/container-configs/scripts/10-base.sh"), "echo base\n");
        write(&tree.join("plain/template.conf"), "TEMPLATE_APP=Plain\n");
        write(&tree.join("plain/README.md"), "# Plain\n");
        write(&tree.join("broken/template.conf"), "TEMPLATE_APP=$(id)\n");
        Self::open(directory, None, how, People::default()).await
    }

    /// Where people come in as is said.
    pub(crate) async fn with_people(people: People) -> Self {
        Self::open(Arc::new(tempfile::tempdir().unwrap()), None, How::default(), people).await
    }

    async fn open(directory: Arc<tempfile::TempDir>, token: Option<String>, how: How, people: People) -> Self {
        let queue_limit = how.queue_limit;
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url = backend::database(directory.path()).await;
        let db = Db::connect(&url, &Options::default()).await.unwrap();
        db.migrate(clock::now()).await.unwrap();
        let log = Log::open(db.clone(), views::all(), Clock::system()).await.unwrap();
        let settled = bootstrap::token(&db).await.unwrap();
        let coordination = backend::coordination(directory.path()).await;
        let app = App {
            queue: coordination.queue("operations", queue_limit),
            queue_limit,
            vault: Vault::new(db.clone(), Keys::parse(KEY).unwrap(), Clock::system()),
            catalogue: Catalogue::new(directory.path().join("templates"), db.clone()),
            access: (how.access)(Access::with_token_hash(settled.hash)),
            live: LiveStates::default(),
            people,
            copies: Arc::new(NoHosts),
            guests: Arc::new(NoHosts),
            foresee: foresee(worker::Tools::new(
                log.clone(),
                coordination.bus().clone(),
                coordination.locks().clone(),
                Vault::new(db.clone(), Keys::parse(KEY).unwrap(), Clock::system()),
                Catalogue::new(directory.path().join("templates"), db.clone()),
                worker::hosts::Hosts::new(
                    log.clone(),
                    Vault::new(db.clone(), Keys::parse(KEY).unwrap(), Clock::system()),
                ),
                worker::Settings {
                    download_images: false,
                    address_within: std::time::Duration::from_secs(1),
                    healthy_within: std::time::Duration::from_secs(1),
                    lease: std::time::Duration::from_secs(15),
                },
            )),
            metrics: Arc::new(|| "# here would be measurements\n".to_owned()),
            coordination,
            log,
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let scheme = if how.settings.tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let shutdown = CancellationToken::new();
        let server = tokio::spawn(api::serve(app.clone(), listener, how.settings.clone(), shutdown.clone()));
        let token = settled.fresh.or(token).unwrap();
        let client = Client::builder().no_proxy().build().unwrap();
        Self { app, url, token, client, directory, how, shutdown, server }
    }

    /// Ends this server as a deploy does, and starts another on the same database and another port.
    pub(crate) async fn restart(self) -> Self {
        let (directory, token, how) = (self.directory.clone(), self.token.clone(), self.how.clone());
        let people = self.app.people.clone();
        self.shutdown.cancel();
        self.server.await.unwrap().unwrap();
        self.app.log.close().await;
        Self::open(directory, Some(token), how, people).await
    }

    pub(crate) fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        answer(self.ask(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        answer(self.ask(Method::POST, path).json(body)).await
    }

    /// A container's id and its operation's.
    pub(crate) async fn create(&self, hostname: &str) -> (String, OperationId) {
        let (status, body) = self.post("/v1/containers", &json!({ "hostname": hostname, "template": "plain" })).await;
        assert_eq!(status, 202, "{body}");
        (body["container"].as_str().unwrap().to_owned(), operation(&body))
    }

    pub(crate) async fn tell(&self, id: OperationId, command: OperationCommand) {
        let given = Given { now: clock::now() };
        self.app.log.execute::<Operation>(id, command, &given, Meta::system("test")).await.unwrap();
        self.publish(id).await;
    }

    /// As the worker says it when a create ends as failed.
    pub(crate) async fn fail_container(&self, id: &str) {
        let failure = Failure::new("storage-full", "Full", "free some");
        let command = domain::container::ContainerCommand::FailCreate(failure);
        let id = id.parse().unwrap();
        let meta = Meta::system("worker");
        self.app.log.execute::<domain::container::Container>(id, command, &(), meta).await.unwrap();
    }

    /// A container that was made, as the worker leaves it.
    pub(crate) async fn ready(&self, hostname: &str) -> String {
        let (container, create) = self.create(hostname).await;
        self.make_ready(&container, create).await;
        container
    }

    pub(crate) async fn make_ready(&self, container: &str, create: OperationId) {
        use domain::container::{Container, ContainerCommand as C};
        self.work(create, false).await;
        let (id, vmid) = (container.parse().unwrap(), domain::vmid::Vmid::try_from(101).unwrap());
        let guest = C::RecordGuest { host: domain::HostId::new(uuid::Uuid::nil()), node: "pve1".into(), vmid };
        for command in [guest, C::RecordStarted, C::BecomeReady { summary: Value::Null, credentials: vec![] }] {
            self.app.log.execute::<Container>(id, command, &(), Meta::system("worker")).await.unwrap();
        }
    }

    pub(crate) async fn publish(&self, id: OperationId) {
        let last = records::last(self.app.log.db(), &records::of_operation(id)).await.unwrap();
        self.app.coordination.bus().publish(&format!("operation:{id}"), last.unsigned_abs()).await;
    }

    /// Lines as a script says them.
    pub(crate) async fn say(&self, id: OperationId, lines: &[Value]) {
        let series = records::of_operation(id);
        records::append(self.app.log.db(), &series, None, lines, clock::now()).await.unwrap();
        self.publish(id).await;
    }

    /// Does what a worker would, up to and including the end.
    pub(crate) async fn work(&self, id: OperationId, failing: bool) {
        use OperationCommand as C;
        self.tell(id, C::Claim { worker: "test".into() }).await;
        loop {
            let state = self.app.log.load::<Operation>(id).await.unwrap().state;
            match plan(state.pipeline().unwrap(), &state, clock::now()) {
                Next::Run(step) => {
                    self.tell(id, C::StartStep { step, intent: Value::Null }).await;
                    if failing {
                        let failure = Failure::new("storage-full", "The storage is full", "make room")
                            .because("cause-for-the-log");
                        self.tell(id, C::FailStep { step, kind: FailureKind::Final, failure }).await;
                    } else {
                        self.tell(id, C::SucceedStep { step, fact: Value::Null }).await;
                    }
                }
                Next::Undo(step) => {
                    self.tell(id, C::StartUndo { step }).await;
                    self.tell(id, C::FinishUndo { step }).await;
                }
                Next::Succeeded => self.tell(id, C::Succeed { summary: json!({ "url": "http://x" }) }).await,
                Next::Failed(_) => self.tell(id, C::Fail).await,
                Next::Cancelled => self.tell(id, C::FinishCancel).await,
                Next::Done => return,
                other => panic!("{other:?}"),
            }
        }
    }
}

fn foresee(tools: worker::Tools) -> api::Foresee {
    let tools = Arc::new(tools);
    Arc::new(move |wish| {
        let tools = tools.clone();
        Box::pin(async move { worker::preview(&tools, wish).await.map_err(|error| error.to_string()) })
    })
}

pub(crate) async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

pub(crate) fn operation(body: &Value) -> OperationId {
    body["id"].as_str().unwrap().parse().unwrap()
}

/// The fields that a problem names.
pub(crate) fn fields(problem: &Value) -> Vec<String> {
    let errors = problem["errors"].as_array().cloned().unwrap_or_default();
    let mut fields: Vec<String> = errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect();
    fields.sort();
    fields
}

pub(crate) fn write(path: &std::path::Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}
