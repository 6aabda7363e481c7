//! A simulated Proxmox cluster of two nodes, and Gantry in front of it: SQLite, the API and a worker, all in this process
//! and in one directory. What the demo shows, and what templates are tried on.

mod cluster;
mod register;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use platform::{
    config::{Config, Sources},
    shutdown::Signals,
};
use tokio_util::sync::CancellationToken;
use worker::Tools;

use crate::{
    client::Client,
    exit::{Exit, Failure, Outcome},
    process::{self, Listening, Parts},
    settings,
};
pub(crate) use cluster::Cluster;

/// What is played on.
pub(crate) enum Hosted<'a> {
    Simulated(&'a Cluster),
    /// A real host, by the name under which this machine's own Gantry has it.
    Known {
        own: &'a Parts,
        name: &'a str,
    },
}

pub(crate) struct Stage {
    pub url: String,
    pub token: String,
    /// The worker's, to look into guests.
    pub tools: Arc<Tools>,
    running: tokio::task::JoinHandle<Outcome<()>>,
    stop: CancellationToken,
}

impl Stage {
    /// Gantry with its data and the templates in `dir`, and a host registered with it.
    pub(crate) async fn open(dir: &Path, templates: &Path, listen: SocketAddr, host: Hosted<'_>) -> Outcome<Self> {
        let config = config(dir, templates, listen)?;
        settings::connect(&config).await?.migrate(platform::clock::now()).await?;
        let telemetry = process::telemetry(&config)?;
        let parts = Parts::open(config).await?;
        let listening = Listening::quietly(&parts, &telemetry).await?;
        let (url, token) = (format!("http://{}", listening.address), listening.token.clone().unwrap_or_default());
        match host {
            Hosted::Simulated(cluster) => register::cluster(&parts, cluster).await?,
            Hosted::Known { own, name } => register::known(&parts, own, name).await?,
        }
        let (stop, tools) = (parts.stop(), parts.tools());
        let running = tokio::spawn(process::run(parts, telemetry, Some(listening), true, Signals::listen()?));
        Ok(Self { url, token, tools, running, stop })
    }

    /// Once the API answers: it does as soon as its threads run.
    pub(crate) async fn client(&self) -> Outcome<Client> {
        let client = Client::new(&self.url, self.token.clone())?;
        let mut looked = 0;
        while let Err(failure) = client.get("/readyz", &[]).await {
            looked += 1;
            if failure.exit != Exit::Unreachable || looked > 100 {
                return Err(failure);
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        Ok(client)
    }

    /// What is played on it, or the end of the stage itself, whichever is first; then it is taken down.
    pub(crate) async fn while_it_stands(mut self, played: impl Future<Output = Outcome>) -> Outcome {
        let played = tokio::select! {
            played = played => played,
            ended = &mut self.running => {
                return ended?.and(Err(Failure::new(Exit::Failed, "the servers ended by themselves")));
            }
        };
        self.stop.cancel();
        self.running.await??;
        played
    }
}

/// Nothing of this machine's own settings: it is the same everywhere.
fn config(dir: &Path, templates: &Path, listen: SocketAddr) -> Outcome<Config> {
    let flags = [
        ("database.url", format!("sqlite:{}", dir.join("gantry.db").display())),
        ("api.listen", listen.to_string()),
        ("templates.root", templates.display().to_string()),
        ("log.filter", "error".to_owned()),
    ];
    let flags = flags.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    Config::load(&Sources { file: None, environment: Vec::new(), flags }).map_err(settings::wrong)
}
