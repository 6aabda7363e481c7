//! Containers: the list of them, one with all that is known of it, taking one down.

use super::{following, plan, show};
use crate::{
    client::{Api, read, shape},
    exit::{Exit, Outcome},
    output::{self, Colour, Output, words},
};

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    #[command(flatten)]
    api: Api,
    /// Those that were removed, too.
    #[arg(long)]
    all: bool,
    /// Only those made from this template.
    #[arg(long)]
    template: Option<String>,
    /// Only those on this node.
    #[arg(long)]
    node: Option<String>,
    /// In this order: hostname, lifecycle, updated_at or created_at; with a minus before it the other way round.
    #[arg(long, value_name = "FIELD", allow_hyphen_values = true)]
    sort: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 100)]
    limit: usize,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    #[command(flatten)]
    api: Api,
    /// A container's name or id, or an operation's id.
    what: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    api: Api,
    /// Its name or id.
    container: String,
    /// Take it out of Proxmox's backup and replication jobs too.
    #[arg(long)]
    purge: bool,
    /// Leave the disks with its number that its settings do not name.
    #[arg(long)]
    keep_unreferenced_disks: bool,
    /// Not now, but after that time: 90s, 30m, 24h, 7d. `gantry undelete` takes it back until then.
    #[arg(long, value_name = "TIME")]
    delay: Option<String>,
    /// Only show what would happen.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
    /// Do not follow it.
    #[arg(long, short)]
    detach: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Undelete {
    #[command(flatten)]
    api: Api,
    /// Its name or id.
    container: String,
}

pub(crate) async fn list(args: List, out: Output) -> Outcome {
    let client = args.api.client()?;
    let lifecycle = args.all.then_some("creating,ready,failed,removed");
    let asked = [
        ("lifecycle", lifecycle),
        ("template", args.template.as_deref()),
        ("node", args.node.as_deref()),
        ("sort", args.sort.as_deref()),
    ];
    let query: Vec<_> = asked.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let (items, more) = client.list("/v1/containers", &query, args.limit).await?;
    let containers: Vec<shape::Container> = items.iter().map(read).collect::<Outcome<_>>()?;
    out.answer(&following::items(&items, more), || {
        let mut table = out.table(["container", "state", "power", "template", "node", "vmid", "address", "made"]);
        for container in containers {
            table.row([
                (container.hostname.clone(), Some(Colour::Strong)),
                state(&container),
                power(&container),
                (container.template.or(container.image).unwrap_or_default(), None),
                (container.node.unwrap_or_default(), None),
                (container.vmid.map(|id| id.to_string()).unwrap_or_default(), None),
                (container.addresses.join(" "), None),
                (format!("{} ago", words::ago(container.created_at)), None),
            ]);
        }
        let more = if more { "\nThere are more: --limit shows them." } else { "" };
        let none = "There are no containers yet. `gantry create NAME --template nginx` makes one.";
        format!("{}{more}", table.or_else(none))
    });
    Ok(Exit::Done)
}

pub(crate) async fn show(args: Show, out: Output) -> Outcome {
    let client = args.api.client()?;
    if let Ok(id) = args.what.parse::<uuid::Uuid>() {
        match client.get(&format!("/v1/operations/{id}"), &[]).await {
            Ok(raw) => return show::operation(&raw, out),
            Err(failure) if failure.exit != Exit::Refused => return Err(failure),
            Err(_) => {}
        }
    }
    let id = client.container(&args.what).await?;
    show::container(&client.get(&format!("/v1/containers/{id}"), &[]).await?, out)
}

pub(crate) async fn delete(args: Delete, out: Output) -> Outcome {
    let client = args.api.client()?;
    let id = client.container(&args.container).await?;
    let said = [
        ("purge", args.purge.then_some("true")),
        ("destroy_unreferenced_disks", args.keep_unreferenced_disks.then_some("false")),
        ("delay", args.delay.as_deref()),
        ("dry_run", args.dry_run.then_some("true")),
    ];
    let asked: Vec<_> = said.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let path = format!("/v1/containers/{id}");
    if args.dry_run {
        return plan::show(&client.delete(&path, &asked).await?, &args.container, out);
    }
    if !args.yes {
        let later = args.delay.as_ref().map(|delay| format!(" in {delay}")).unwrap_or_default();
        output::confirm(&format!("Delete {} and all that is in it{later}?", args.container), "--yes")?;
    }
    let answer = client.delete(&path, &asked).await?;
    if args.delay.is_some() {
        return told(&answer, out);
    }
    following::accepted(&client, &answer, &args.container, args.detach, out).await
}

pub(crate) async fn undelete(args: Undelete, out: Output) -> Outcome {
    let client = args.api.client()?;
    let id = client.container(&args.container).await?;
    told(&client.act(&format!("/v1/containers/{id}/undelete"), &[]).await?, out)
}

/// When it will be deleted, or that it will not.
fn told(answer: &serde_json::Value, out: Output) -> Outcome {
    let it: shape::Container = read(answer)?;
    out.answer(answer, || match it.delete_at {
        Some(at) => format!(
            "{} will be deleted at {}, in {}.\n`gantry undelete {}` takes that back.",
            it.hostname,
            at.format("%Y-%m-%d %H:%M:%S UTC"),
            words::until(at),
            it.hostname
        ),
        None => format!("{} stays.", it.hostname),
    });
    Ok(Exit::Done)
}

pub(super) fn colour(lifecycle: &str) -> Colour {
    match lifecycle {
        "ready" => Colour::Good,
        "failed" => Colour::Bad,
        "creating" => Colour::Busy,
        _ => Colour::Faint,
    }
}

/// Whether it is whole, and how long it will be there.
fn state(container: &shape::Container) -> (String, Option<Colour>) {
    match container.delete_at {
        Some(at) => (format!("{}, deleted in {}", container.lifecycle, words::until(at)), Some(Colour::Bad)),
        None => (container.lifecycle.clone(), Some(colour(&container.lifecycle))),
    }
}

/// What Proxmox said last, with its age when that is old.
pub(super) fn power(container: &shape::Container) -> (String, Option<Colour>) {
    let live = &container.live;
    let age = live.age_seconds.max(0.0) as u64;
    let old = live.source == "proxmox" && age > 120;
    let text = if old { format!("{} ({} ago)", live.power, words::seconds(age)) } else { live.power.clone() };
    let colour = match live.power.as_str() {
        _ if old => Colour::Faint,
        "running" => Colour::Good,
        _ => Colour::Faint,
    };
    (text, Some(colour))
}
