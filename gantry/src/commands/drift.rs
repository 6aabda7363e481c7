//! Containers that differ from their records, and guests that nobody has.

use serde_json::{Value, json};

use super::following;
use crate::{
    client::{Api, read, shape},
    exit::{Exit, Outcome},
    output::{self, Colour, Output, words},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Drift {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Lists the containers that differ from their records.
    List(List),
    /// Looks at all hosts now, and lists what differs.
    Look(List),
    /// Takes over what Proxmox has into the record.
    Accept(Accept),
    /// Sets on Proxmox again what is recorded.
    PutBack(PutBack),
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    #[command(flatten)]
    api: Api,
    /// How many at most.
    #[arg(long, default_value_t = 100)]
    limit: usize,
}

#[derive(Debug, clap::Args)]
struct Accept {
    #[command(flatten)]
    api: Api,
    /// Its name or id.
    container: String,
}

#[derive(Debug, clap::Args)]
struct PutBack {
    #[command(flatten)]
    api: Api,
    /// Its name or id.
    container: String,
    /// Do not follow it.
    #[arg(long, short)]
    detach: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Orphans {
    #[command(flatten)]
    list: List,
    /// Destroy this guest: its id as the list has it.
    #[arg(long, value_name = "ID")]
    remove: Option<String>,
    /// Do not ask.
    #[arg(long, short, requires = "remove")]
    yes: bool,
    /// Do not follow it.
    #[arg(long, short, requires = "remove")]
    detach: bool,
}

pub(crate) async fn run(args: Drift, out: Output) -> Outcome {
    match args.what {
        None => list(args.list, out).await,
        Some(What::List(args)) => list(args, out).await,
        Some(What::Look(args)) => {
            let looked = args.api.client()?.post("/v1/drift/look", &json!({})).await?;
            for away in looked["away"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                out.say(format!("could not be looked at: {away}"));
            }
            list(args, out).await
        }
        Some(What::Accept(args)) => {
            let client = args.api.client()?;
            let id = client.container(&args.container).await?;
            let now = client.act(&format!("/v1/containers/{id}/drift/accept"), &[]).await?;
            out.answer(&now, || format!("The record of {} is now what Proxmox has.", args.container));
            Ok(Exit::Done)
        }
        Some(What::PutBack(args)) => {
            let client = args.api.client()?;
            let id = client.container(&args.container).await?;
            let answer = client.act(&format!("/v1/containers/{id}/drift/put-back"), &[]).await?;
            following::accepted(&client, &answer, &args.container, args.detach, out).await
        }
    }
}

async fn list(args: List, out: Output) -> Outcome {
    let (items, more) = args.api.client()?.list("/v1/drift", &[], args.limit).await?;
    let drifted: Vec<shape::Drift> = items.iter().map(read).collect::<Outcome<_>>()?;
    out.answer(&following::items(&items, more), || {
        let mut table = out.table(["container", "what", "recorded", "on Proxmox", "since"]);
        for one in drifted {
            let name = one.hostname.unwrap_or_else(|| one.container.to_string());
            for difference in one.differences {
                table.row([
                    (name.clone(), Some(Colour::Strong)),
                    (difference.what, None),
                    (value(&difference.recorded), None),
                    (value(&difference.found), Some(Colour::Busy)),
                    (format!("{} ago", words::ago(one.found_at)), None),
                ]);
            }
        }
        table.or_else("Every container is on Proxmox as it is recorded.")
    });
    Ok(Exit::Done)
}

pub(crate) async fn orphans(args: Orphans, out: Output) -> Outcome {
    let client = args.list.api.client()?;
    if let Some(id) = &args.remove {
        if !args.yes {
            output::confirm(&format!("Destroy the guest {id} and all that is in it?"), "--yes")?;
        }
        let answer = client.act(&format!("/v1/orphans/{id}/remove"), &[]).await?;
        return following::accepted(&client, &answer, id, args.detach, out).await;
    }
    let raw = client.get("/v1/orphans", &[("limit", &args.list.limit.clamp(1, 500).to_string())]).await?;
    let found: shape::Orphans = read(&raw)?;
    out.answer(&raw, || {
        let mut table = out.table(["id", "name", "node", "vmid", "why"]);
        for one in found.items {
            table.row([
                (one.id, Some(Colour::Strong)),
                (one.hostname, None),
                (one.node, None),
                (one.vmid.to_string(), None),
                (one.message, None),
            ]);
        }
        for one in found.containers {
            let name = one.hostname.unwrap_or_else(|| one.container.to_string());
            let at = one.differences.iter().find(|one| one.what == "guest").map(|one| value(&one.recorded));
            let at = at.unwrap_or_default();
            let (node, vmid) = at.split_once('/').unwrap_or((&at, ""));
            let why = "its guest is gone from Proxmox: delete the container, or restore a backup".to_owned();
            table.row([
                (one.container.to_string(), Some(Colour::Strong)),
                (name, None),
                (node.to_owned(), None),
                (vmid.to_owned(), None),
                (why, None),
            ]);
        }
        table.or_else("Every guest with Gantry's marker has its container, and every container its guest.")
    });
    Ok(Exit::Done)
}

fn value(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(self::value).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}
