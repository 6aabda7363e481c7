//! `gantry demo`: everything in one process, on nothing but this program: a simulated Proxmox cluster of two nodes,
//! SQLite, the API and the worker; and a container made from a real template before your eyes.

mod show;
mod templates;

use std::net::SocketAddr;
use std::path::Path;

use crate::{
    exit::{Exit, Outcome},
    output::{Colour, Output},
    signals,
    stage::{Cluster, Hosted, Stage},
};

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
    let root = dir.join("templates");
    templates::write(&root)?;
    let stage = Stage::open(dir, &root, wish.listen, Hosted::Simulated(cluster)).await?;
    let (url, token) = (stage.url.clone(), stage.token.clone());
    told(&format!("Gantry: its log in SQLite, its API at {url}, a worker"));
    told("the cluster is registered, its credentials are sealed, its certificates and SSH keys are pinned");
    if out.is_json() {
        // A program has no terminal to read them from; what follows are the container's events.
        out.answer(&serde_json::json!({ "url": url, "docs": format!("{url}/docs/"), "token": token }), String::new);
    }
    let client = stage.client().await?;
    let played = async {
        let shown = if cluster.is_dry() {
            show::create_without_scripts(&client, &url, out).await?
        } else {
            show::create(&client, &url, out).await?
        };
        if !wish.exit && shown == Exit::Done {
            out.say(show::to_try(&url, &token, out));
            std::future::pending::<()>().await;
        }
        Ok(shown)
    };
    stage.while_it_stands(played).await
}
