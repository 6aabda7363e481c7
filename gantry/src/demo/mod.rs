//! `gantry demo`: everything in one process, on nothing but this program: a simulated Proxmox cluster of two nodes,
//! SQLite, the API and the worker; and a container made from a real template before your eyes.

mod cluster;
mod register;
mod show;
mod templates;

use std::net::SocketAddr;
use std::path::Path;

use platform::{
    config::{Config, Sources},
    shutdown::Signals,
};
use tokio_util::sync::CancellationToken;

use crate::{
    client::Client,
    exit::{Exit, Outcome},
    output::{Colour, Output},
    process::{self, Listening, Parts},
    settings, signals,
};
use cluster::Cluster;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish {
    pub listen: SocketAddr,
    pub exit: bool,
    pub dry_shell: bool,
}

pub(crate) async fn run(wish: Wish, out: Output) -> Outcome {
    let dir = tempfile::Builder::new().prefix("gantry-demo-").tempdir()?;
    let cluster = Cluster::start(wish.dry_shell, out).await?;
    let ended = tokio::select! {
        // Ctrl-C at any moment ends everything, and leaves nothing behind.
        () = signals::asked_to_end() => {
            out.say("\nEnding.");
            Ok(if wish.exit { Exit::Cancelled } else { Exit::Done })
        }
        ended = show(wish, dir.path(), &cluster, out) => ended,
    };
    cluster.stop().await;
    ended
}

async fn show(wish: Wish, dir: &Path, cluster: &Cluster, out: Output) -> Outcome {
    let told = |text: &str| out.say(format!("{} {text}", out.paint(Colour::Good, "●")));
    told(&format!("a simulated Proxmox VE cluster: {}", cluster.in_words()));
    let config = config(dir, wish.listen)?;
    settings::connect(&config).await?.migrate(platform::clock::now()).await?;
    let telemetry = process::telemetry(&config)?;
    let parts = Parts::open(config).await?;
    let listening = Listening::quietly(&parts, &telemetry).await?;
    let (url, token) = (format!("http://{}", listening.address), listening.token.clone().unwrap_or_default());
    told(&format!("Gantry: its log in SQLite, its API at {url}, a worker"));
    register::cluster(&parts, cluster).await?;
    told("the cluster is registered, its credentials are sealed, its certificates and SSH keys are pinned");
    if out.is_json() {
        // A program has no terminal to read them from; what follows are the container's events.
        out.answer(&serde_json::json!({ "url": url, "docs": format!("{url}/docs/"), "token": token }), String::new);
    }

    let stop = parts.stop();
    let running = tokio::spawn(process::run(parts, telemetry, Some(listening), true, Signals::listen()?));
    let ended = async {
        let shown = show::create(&Client::new(&url, token.clone())?, &url, &token, wish.exit, out).await?;
        if !wish.exit && shown == Exit::Done {
            std::future::pending::<()>().await;
        }
        Ok(shown)
    };
    watched(ended, running, stop).await
}

/// The creation, or the end of the process below it, whichever is first.
async fn watched(
    shown: impl Future<Output = Outcome>,
    mut running: tokio::task::JoinHandle<Outcome<()>>,
    stop: CancellationToken,
) -> Outcome {
    let shown = tokio::select! {
        shown = shown => shown,
        ended = &mut running => return ended?.map(|()| Exit::Failed),
    };
    stop.cancel();
    running.await??;
    shown
}

/// Nothing of this machine's own settings: the demo is the same everywhere.
fn config(dir: &Path, listen: SocketAddr) -> Outcome<Config> {
    let root = dir.join("templates");
    templates::write(&root)?;
    let flags = [
        ("database.url", format!("sqlite:{}", dir.join("gantry.db").display())),
        ("api.listen", listen.to_string()),
        ("templates.root", root.display().to_string()),
        ("log.filter", "error".to_owned()),
    ];
    let flags = flags.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    Config::load(&Sources { file: None, environment: Vec::new(), flags }).map_err(settings::wrong)
}
