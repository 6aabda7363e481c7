//! A container's snapshots.

use serde_json::json;

use super::{following, plan};
use crate::{
    client::{Api, read, shape},
    exit::{Exit, Outcome},
    output::{self, Colour, Output, words},
};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Snapshot {
    /// Takes a snapshot of the files and the settings, while the container runs.
    Create {
        #[command(flatten)]
        of: Of,
        /// A letter, then letters, digits, - and _.
        name: String,
        /// What it is good for, in one line.
        #[arg(long, short = 'm')]
        description: Option<String>,
        /// Tell what would happen and what is left of the quota; nothing is done.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        follow: Follow,
    },
    /// Lists a container's snapshots, those made outside of Gantry too.
    #[command(visible_alias = "ls")]
    List {
        #[command(flatten)]
        of: Of,
    },
    /// Goes back to a snapshot: what the container held since then is lost.
    Rollback {
        #[command(flatten)]
        of: Of,
        /// The snapshot's name.
        name: String,
        /// Whether it runs afterwards; as before when not said.
        #[arg(long, value_name = "BOOL")]
        start: Option<bool>,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
        #[command(flatten)]
        follow: Follow,
    },
    /// Deletes a snapshot; the container stays as it is.
    Delete {
        #[command(flatten)]
        of: Of,
        /// The snapshot's name.
        name: String,
        #[command(flatten)]
        follow: Follow,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Of {
    #[command(flatten)]
    pub(super) api: Api,
    /// The container's name or id.
    pub(super) container: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Follow {
    /// Do not follow it.
    #[arg(long, short)]
    pub(super) detach: bool,
}

impl Snapshot {
    pub(crate) async fn run(self, out: Output) -> Outcome {
        match self {
            Self::Create { of, name, description, dry_run, follow } => {
                let (client, path) = of.path("snapshots").await?;
                let wish = json!({ "name": name, "description": description });
                if dry_run {
                    return plan::show(&client.post(&format!("{path}?dry_run=true"), &wish).await?, &of.container, out);
                }
                let answer = client.post(&path, &wish).await?;
                following::accepted(&client, &answer, &of.container, follow.detach, out).await
            }
            Self::List { of } => list(&of, out).await,
            Self::Rollback { of, name, start, yes, follow } => {
                let (client, path) = of.path("snapshots").await?;
                if !yes {
                    let question = format!("Go back to {name}, and lose what {} held since then?", of.container);
                    output::confirm(&question, "--yes")?;
                }
                let start = start.map(|start| start.to_string());
                let start: Vec<_> = start.iter().map(|start| ("start", start.as_str())).collect();
                let answer = client.act(&format!("{path}/{name}/rollback"), &start).await?;
                following::accepted(&client, &answer, &of.container, follow.detach, out).await
            }
            Self::Delete { of, name, follow } => {
                let (client, path) = of.path("snapshots").await?;
                let answer = client.delete(&format!("{path}/{name}"), &[]).await?;
                following::accepted(&client, &answer, &of.container, follow.detach, out).await
            }
        }
    }
}

impl Of {
    pub(super) async fn path(&self, of: &str) -> Outcome<(crate::client::Client, String)> {
        let client = self.api.client()?;
        let id = client.container(&self.container).await?;
        Ok((client, format!("/v1/containers/{id}/{of}")))
    }
}

async fn list(of: &Of, out: Output) -> Outcome {
    let (client, path) = of.path("snapshots").await?;
    let (items, more) = client.list(&path, &[], 1000).await?;
    let snapshots: Vec<shape::Snapshot> = items.iter().map(read).collect::<Outcome<_>>()?;
    out.answer(&following::items(&items, more), || {
        let mut table = out.table(["snapshot", "taken", "after", "by", "what"]);
        for snapshot in snapshots {
            table.row([
                (snapshot.name, Some(Colour::Strong)),
                (snapshot.taken_at.map(|at| format!("{} ago", words::ago(at))).unwrap_or_default(), None),
                (snapshot.parent.unwrap_or_default(), None),
                (if snapshot.taken_by.is_some() { "gantry" } else { "others" }.to_owned(), None),
                (snapshot.description.unwrap_or_default(), None),
            ]);
        }
        table.or_else("There are no snapshots yet. `gantry snapshot create CONTAINER NAME` takes one.")
    });
    Ok(Exit::Done)
}
