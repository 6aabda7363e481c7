//! Bringing containers to the newest version of their template: one, or many in waves.

use std::time::Duration;

use domain::operation::Status;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{create, following, plan};
use crate::{
    client::{Api, Client, read, shape},
    exit::{Exit, Failure, Outcome},
    output::{Colour, Output},
};

/// Between two looks at a wave.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    api: Api,
    /// Its name or id; otherwise say --template.
    #[arg(required_unless_present = "template")]
    container: Option<String>,
    /// All containers of this template that are behind, in waves; the first that fails ends it.
    #[arg(long, value_name = "NAME", conflicts_with = "container")]
    template: Option<String>,
    /// How many at once.
    #[arg(long, value_name = "COUNT", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=500))]
    wave: u32,
    /// The hash of a version; the newest when not said.
    #[arg(long, value_name = "VERSION", conflicts_with = "template")]
    to: Option<String>,
    /// What stays where a file was changed on both sides: `theirs`, the template's, or `ours`, the container's; for all
    /// files, or for one as PATH=SIDE. May be repeated.
    #[arg(long, value_name = "[PATH=]SIDE")]
    take: Vec<String>,
    /// The answer to a question of the new version, as NAME=VALUE. May be repeated.
    #[arg(long, value_name = "NAME=VALUE")]
    input: Vec<String>,
    /// Without a snapshot to go back to when it fails; for storages that keep none.
    #[arg(long)]
    no_snapshot: bool,
    /// Only say what would become of each file.
    #[arg(long)]
    dry_run: bool,
    /// Do not follow it.
    #[arg(long, short, conflicts_with = "template")]
    detach: bool,
}

pub(crate) async fn run(args: Args, out: Output) -> Outcome {
    let take = args.take.iter().map(|text| taken(text)).collect::<Outcome<Map<String, Value>>>()?;
    let inputs = args.input.iter().map(|text| create::input(text)).collect::<Outcome<Map<_, _>>>()?;
    let wish = json!({ "version": args.to, "take": take, "inputs": inputs, "snapshot": !args.no_snapshot });
    let client = args.api.client()?;
    if let Some(template) = &args.template {
        return many(&client, template, &args, &wish, out).await;
    }
    let named = args.container.as_deref().unwrap_or_default();
    let path = path(client.container(named).await?);
    if args.dry_run {
        return plan::show(&client.post(&format!("{path}?dry_run=true"), &wish).await?, named, out);
    }
    following::accepted(&client, &client.post(&path, &wish).await?, named, args.detach, out).await
}

fn path(id: Uuid) -> String {
    format!("/v1/containers/{id}/update")
}

/// `theirs`, or `/etc/app.conf=ours`.
fn taken(text: &str) -> Outcome<(String, Value)> {
    let (path, side) = text.rsplit_once('=').unwrap_or(("*", text));
    if !["theirs", "ours"].contains(&side) {
        return Err(Failure::new(Exit::Usage, format!("{side:?} is neither theirs nor ours"))
            .next("write --take theirs, or --take /etc/app.conf=ours"));
    }
    Ok((path.to_owned(), json!(side)))
}

async fn many(client: &Client, template: &str, args: &Args, wish: &Value, out: Output) -> Outcome {
    let asked = [("template", template), ("behind", "true"), ("lifecycle", "ready")];
    let (items, _) = client.list("/v1/containers", &asked, 100_000).await?;
    let behind: Vec<shape::Container> = items.iter().map(read).collect::<Outcome<_>>()?;
    let mut told = Vec::new();
    let mut failed = 0;
    for wave in behind.chunks(args.wave as usize) {
        if args.dry_run {
            for container in wave {
                let plan = client.post(&format!("{}?dry_run=true", path(container.id)), wish).await;
                told.push(planned(&container.hostname, plan));
            }
            continue;
        }
        let mut under_way = Vec::new();
        for container in wave {
            match client.post(&path(container.id), wish).await {
                Ok(accepted) => under_way.push((container.hostname.clone(), read::<shape::Operation>(&accepted)?.id)),
                Err(failure) => told.push(line(&container.hostname, "refused", failure.error.to_string())),
            }
        }
        for (hostname, id) in under_way {
            told.push(ended(client, &hostname, id).await?);
            let last = told.last().map(|one| format!("{}: {}", one["container"], one["what"]));
            out.say(last.unwrap_or_default().replace('"', ""));
        }
        failed = told.iter().filter(|one| one["what"] != "updated").count();
        if failed > 0 {
            break;
        }
    }
    let all = behind.len();
    out.answer(&json!({ "behind": all, "containers": told, "left": all - told.len() }), || {
        in_words(&told, template, out)
    });
    if failed == 0 {
        return Ok(Exit::Done);
    }
    Err(Failure::new(
        Exit::OperationFailed,
        format!("{failed} failed, {} of {all} are left as they were", all - told.len()),
    )
    .next("see to those, then ask again: who is up to date already is left out"))
}

fn line(hostname: &str, what: &str, why: impl Into<String>) -> Value {
    json!({ "container": hostname, "what": what, "why": why.into() })
}

fn planned(hostname: &str, plan: Outcome<Value>) -> Value {
    match plan {
        Ok(plan) if plan["possible"] == true => line(hostname, "can be updated", ""),
        Ok(plan) => {
            let conflicts = plan["conflicts"].as_array().into_iter().flatten();
            let told = conflicts.map(|one| format!("{}: {}", one["field"], one["problem"]).replace('"', ""));
            line(hostname, "in conflict", told.collect::<Vec<_>>().join("; "))
        }
        Err(failure) => line(hostname, "refused", failure.error.to_string()),
    }
}

/// Waits for the operation's end.
async fn ended(client: &Client, hostname: &str, id: Uuid) -> Outcome<Value> {
    loop {
        let operation: shape::Operation = read(&client.get(&format!("/v1/operations/{id}"), &[]).await?)?;
        let why = operation.error.map(|error| format!("{}: {}", error.title, error.detail)).unwrap_or_default();
        match operation.status {
            Status::Succeeded => return Ok(line(hostname, "updated", "")),
            Status::Queued | Status::Running => tokio::time::sleep(LOOK).await,
            Status::Cancelled => return Ok(line(hostname, "cancelled", why)),
            Status::Failed | Status::Stuck => return Ok(line(hostname, "failed", why)),
        }
    }
}

fn in_words(told: &[Value], template: &str, out: Output) -> String {
    let mut table = out.table(["container", "what", "why"]);
    for one in told {
        let word = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
        let good = ["updated", "can be updated"].contains(&word("what").as_str());
        let colour = if good { Colour::Good } else { Colour::Bad };
        table.row([(word("container"), None), (word("what"), Some(colour)), (word("why"), None)]);
    }
    table.or_else(&format!("No container of {template} is behind."))
}
