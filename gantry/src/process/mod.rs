//! What a process of Gantry is made of, put together. Nobody else wires the API and the worker.

mod api;
mod copies;
mod guests;
mod run;
mod telemetry;

use std::{sync::Arc, time::Duration};

use platform::{
    bootstrap::{self, Bootstrap},
    catalogue::Catalogue,
    clock::Clock,
    config::Config,
    coordination::Coordination,
    log::Log,
    queue::Queue,
    shutdown::Shutdown,
    vault::Vault,
    views,
};
use tokio_util::sync::CancellationToken;
use worker::{Engine, Tools, hosts::Hosts};

pub(crate) use api::Listening;
pub(crate) use run::run;
pub(crate) use telemetry::{Telemetry, telemetry};

use crate::{exit::Outcome, settings};

/// Operations wait here for a worker. More are refused by the API before anything is written.
const QUEUE: &str = "operations";
const MOST_WAITING: u64 = 100_000;

pub(crate) struct Parts {
    pub config: Config,
    pub log: Log,
    pub coordination: Coordination,
    pub queue: Queue,
    pub vault: Vault,
    pub catalogue: Catalogue,
    pub shutdown: Shutdown,
    tools: Arc<Tools>,
    name: String,
}

/// Looking for drift, and how often.
struct Sweeping {
    sweep: worker::Sweep,
    every: Duration,
}

impl Parts {
    /// Connects to everything and sees that it fits: nothing is found missing only in the middle of an operation.
    pub(crate) async fn open(config: Config) -> Outcome<Self> {
        let keys = config.keys().map_err(settings::wrong)?;
        let db = settings::present(&config).await?;
        let vault = Vault::new(db.clone(), keys, Clock::system());
        vault.check().await.map_err(settings::wrong)?;
        let redis = config.redis.url.as_ref().map(platform::vault::SecretText::expose);
        let coordination = Coordination::connect(redis, &config.redis.prefix).await?;
        let log = Log::open(db.clone(), views::all(), Clock::system()).await?;
        let catalogue = Catalogue::new(&config.templates.root, db);
        let tools = Tools::new(
            log.clone(),
            coordination.bus().clone(),
            coordination.locks().clone(),
            vault.clone(),
            catalogue.clone(),
            Hosts::new(log.clone(), vault.clone()),
            worker::Settings {
                download_images: config.worker.download_images,
                address_within: Duration::from_secs(config.worker.address_within_s),
                healthy_within: Duration::from_secs(config.worker.healthy_within_s),
                lease: Duration::from_secs(config.worker.lease_s),
            },
        );
        Ok(Self {
            queue: coordination.queue(QUEUE, MOST_WAITING),
            shutdown: Shutdown::new(),
            tools: Arc::new(tools),
            name: platform::instance::name(),
            config,
            log,
            coordination,
            vault,
            catalogue,
        })
    }

    /// Looks at the hosts now and again, and hands what it saw of our containers to `show`.
    fn nodes(&self, show: impl Fn(Vec<worker::nodes::Seen>) + Send + Sync + 'static) -> worker::Nodes {
        worker::Nodes::new(self.tools.clone(), worker::nodes::EVERY, show)
    }

    /// What the API says of things that are not asked for yet is found out by the worker's own choices.
    fn foresee(&self) -> ::api::Foresee {
        let tools = self.tools.clone();
        Arc::new(move |wish| {
            let tools = tools.clone();
            Box::pin(async move { worker::preview(&tools, wish).await.map_err(|error| error.to_string()) })
        })
    }

    /// What the worker works with, for those who look at the same guests.
    pub(crate) fn tools(&self) -> Arc<Tools> {
        self.tools.clone()
    }

    pub(crate) fn hosts(&self) -> &Hosts {
        &self.tools.hosts
    }

    /// The token that callers need; made by the first start of all.
    pub(crate) async fn bootstrap(&self) -> Outcome<Bootstrap> {
        Ok(bootstrap::token(self.log.db()).await?)
    }

    /// Cancelled when the process is to end.
    pub(crate) fn stop(&self) -> CancellationToken {
        self.shutdown.accept.token()
    }

    fn sweeping(&self) -> Sweeping {
        let every = Duration::from_secs(self.config.worker.drift_every_s);
        Sweeping { sweep: worker::Sweep::new(self.tools.clone()), every }
    }

    fn engine(&self) -> Engine {
        Engine::new(self.tools.clone(), self.queue.clone(), &self.name, self.stop())
    }

    fn work(&self) -> platform::queue::Settings {
        platform::queue::Settings {
            name: self.name.clone(),
            slots: self.config.worker.slots,
            lease: Duration::from_secs(self.config.worker.lease_s),
            drain: Duration::from_secs(self.config.worker.drain_s),
            ..platform::queue::Settings::default()
        }
    }
}
