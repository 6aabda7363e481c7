//! A container's backups.

use serde_json::json;

use super::snapshot::{Follow, Of};
use super::{following, plan, schedule};
use crate::{
    client::{read, shape},
    exit::{Exit, Outcome},
    output::{self, Colour, Output, words},
};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Backup {
    /// Makes a backup now.
    Create {
        #[command(flatten)]
        of: Of,
        /// Where it goes; the node's storage with the most room when not said.
        #[arg(long)]
        storage: Option<String>,
        /// What becomes of the container meanwhile: snapshot (it runs on), suspend or stop.
        #[arg(long, value_parser = ["snapshot", "suspend", "stop"])]
        mode: Option<String>,
        /// What it is good for, in one line.
        #[arg(long, short = 'm')]
        notes: Option<String>,
        /// Nobody deletes it before the protection is taken away on Proxmox.
        #[arg(long)]
        protected: bool,
        /// Tell what would happen and what is left of the quota; nothing is done.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        follow: Follow,
    },
    /// Lists a container's backups, those made outside of Gantry too.
    #[command(visible_alias = "ls")]
    List {
        #[command(flatten)]
        of: Of,
    },
    /// Restores a backup over the container, where what it held since then is lost; or to a new one.
    Restore {
        #[command(flatten)]
        of: Of,
        /// The backup's name, as the list shows it.
        backup: String,
        /// To a new container of this name; the old one stays as it is.
        #[arg(long, value_name = "HOSTNAME", conflicts_with = "start")]
        to: Option<String>,
        /// Whether it runs afterwards; as before when not said.
        #[arg(long, value_name = "BOOL")]
        start: Option<bool>,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
        #[command(flatten)]
        follow: Follow,
    },
    /// Shows when a container is backed up by itself; sets or removes a schedule when one is named.
    Schedule(schedule::Args),
    /// Deletes a backup.
    Delete {
        #[command(flatten)]
        of: Of,
        /// The backup's name, as the list shows it.
        backup: String,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
        #[command(flatten)]
        follow: Follow,
    },
}

impl Backup {
    pub(crate) async fn run(self, out: Output) -> Outcome {
        match self {
            Self::Create { of, storage, mode, notes, protected, dry_run, follow } => {
                let (client, path) = of.path("backups").await?;
                let wish = json!({ "storage": storage, "mode": mode, "notes": notes, "protected": protected });
                if dry_run {
                    return plan::show(&client.post(&format!("{path}?dry_run=true"), &wish).await?, &of.container, out);
                }
                let answer = client.post(&path, &wish).await?;
                following::accepted(&client, &answer, &of.container, follow.detach, out).await
            }
            Self::List { of } => list(&of, out).await,
            Self::Schedule(args) => schedule::run(args, out).await,
            Self::Restore { of, backup, to: Some(hostname), follow, .. } => {
                let (client, path) = of.path("backups").await?;
                let wish = json!({ "hostname": hostname });
                let answer = client.post(&format!("{path}/{backup}/containers"), &wish).await?;
                following::accepted(&client, &answer, &hostname, follow.detach, out).await
            }
            Self::Restore { of, backup, to: None, start, yes, follow } => {
                let (client, path) = of.path("backups").await?;
                if !yes {
                    let question = format!("Restore {backup}, and lose what {} held since then?", of.container);
                    output::confirm(&question, "--yes")?;
                }
                let start = start.map(|start| start.to_string());
                let start: Vec<_> = start.iter().map(|start| ("start", start.as_str())).collect();
                let answer = client.act(&format!("{path}/{backup}/restore"), &start).await?;
                following::accepted(&client, &answer, &of.container, follow.detach, out).await
            }
            Self::Delete { of, backup, yes, follow } => {
                let (client, path) = of.path("backups").await?;
                if !yes {
                    output::confirm(&format!("Delete {backup}?"), "--yes")?;
                }
                let answer = client.delete(&format!("{path}/{backup}"), &[]).await?;
                following::accepted(&client, &answer, &of.container, follow.detach, out).await
            }
        }
    }
}

async fn list(of: &Of, out: Output) -> Outcome {
    let (client, path) = of.path("backups").await?;
    let (items, more) = client.list(&path, &[], 1000).await?;
    let backups: Vec<shape::Backup> = items.iter().map(read).collect::<Outcome<_>>()?;
    out.answer(&following::items(&items, more), || {
        let mut table = out.table(["backup", "storage", "made", "size", "by", "what"]);
        for backup in backups {
            let kept = if backup.protected { "protected; " } else { "" };
            table.row([
                (backup.name, Some(Colour::Strong)),
                (backup.storage, None),
                (backup.made_at.map(|at| format!("{} ago", words::ago(at))).unwrap_or_default(), None),
                (words::bytes(backup.size_bytes), None),
                (if backup.made_by.is_some() { "gantry" } else { "others" }.to_owned(), None),
                (format!("{kept}{}", backup.notes.unwrap_or_default()), None),
            ]);
        }
        table.or_else("There are no backups yet. `gantry backup create CONTAINER` makes one.")
    });
    Ok(Exit::Done)
}
