//! Operations: the list of them, following one, cancelling it, trying it again.

use serde_json::json;

use super::following;
use crate::{
    client::{Api, Event, read, shape},
    exit::{Exit, Outcome},
    output::{Colour, Output, words},
};
use domain::{operation::Status, progress::ProgressKind};

#[derive(Debug, clap::Args)]
pub(crate) struct Named {
    #[command(flatten)]
    api: Api,
    /// The operation's id, or a container's name or id: then its newest operation.
    operation: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Retry {
    #[command(flatten)]
    named: Named,
    /// Do not follow it.
    #[arg(long, short)]
    detach: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    #[command(flatten)]
    api: Api,
    /// Only this container's, by name or id.
    #[arg(long)]
    container: Option<String>,
    /// Only these: queued, running, succeeded, failed, cancelled, stuck, with commas between.
    #[arg(long)]
    status: Option<String>,
    /// In this order: status or created_at; with a minus before it the other way round.
    #[arg(long, value_name = "FIELD", allow_hyphen_values = true)]
    sort: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 50)]
    limit: usize,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Watching {
    #[command(flatten)]
    named: Named,
    /// Begin after the event with this id.
    #[arg(long, default_value_t = 0, value_name = "EVENT")]
    after: i64,
}

pub(crate) async fn watch(args: Watching, out: Output) -> Outcome {
    let client = args.named.api.client()?;
    let id = client.operation(&args.named.operation).await?;
    following::to_the_end(&client, id, &args.named.operation, args.after, out).await
}

/// What its scripts and tasks said so far.
pub(crate) async fn logs(args: Named, out: Output) -> Outcome {
    let client = args.api.client()?;
    let id = client.operation(&args.operation).await?;
    let (mut watch, mut last, mut seen) = (client.watch(id, 0), 0, 0);
    while let Some(event) = watch.next().await? {
        match event {
            Event::Snapshot { last: until, .. } => last = until,
            Event::Lost { .. } => {}
            Event::Progress { id, raw, progress } => {
                seen = id;
                if out.is_json() {
                    out.answer(&raw, String::new);
                } else if let ProgressKind::Log { source, message, .. } = progress.kind {
                    out.say(format!("{}  {message}", out.paint(Colour::Faint, &source)));
                }
            }
        }
        if seen >= last {
            break;
        }
    }
    Ok(Exit::Done)
}

pub(crate) async fn cancel(args: Named, out: Output) -> Outcome {
    let client = args.api.client()?;
    let id = client.operation(&args.operation).await?;
    let answer = client.post(&format!("/v1/operations/{id}/cancel"), &json!({})).await?;
    out.answer(&answer, || format!("It is being cancelled, and taken down again. `gantry watch {id}` follows that."));
    Ok(Exit::Done)
}

pub(crate) async fn retry(args: Retry, out: Output) -> Outcome {
    let client = args.named.api.client()?;
    let id = client.operation(&args.named.operation).await?;
    // What was told of the attempts before is not told again.
    let before = last_event(&client, id).await?;
    let answer = client.post(&format!("/v1/operations/{id}/retry"), &json!({})).await?;
    if args.detach {
        return following::accepted(&client, &answer, &args.named.operation, true, out).await;
    }
    following::to_the_end(&client, id, &args.named.operation, before, out).await
}

async fn last_event(client: &crate::client::Client, id: uuid::Uuid) -> Outcome<i64> {
    match client.watch(id, 0).next().await? {
        Some(Event::Snapshot { last, .. }) => Ok(last),
        _ => Ok(0),
    }
}

pub(crate) async fn list(args: List, out: Output) -> Outcome {
    let client = args.api.client()?;
    let container = match &args.container {
        Some(named) => Some(client.container(named).await?.to_string()),
        None => None,
    };
    let asked =
        [("container", container.as_deref()), ("status", args.status.as_deref()), ("sort", args.sort.as_deref())];
    let query: Vec<_> = asked.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let (items, more) = client.list("/v1/operations", &query, args.limit).await?;
    let operations: Vec<shape::Operation> = items.iter().map(read).collect::<Outcome<_>>()?;
    out.answer(&following::items(&items, more), || {
        let mut table = out.table(["operation", "what", "status", "phase", "%", "began", "because"]);
        for operation in operations {
            let trouble = operation.error.map(|error| error.title);
            let because = trouble.or(operation.waiting.map(|waiting| waiting.message)).unwrap_or_default();
            table.row([
                (operation.id.to_string(), Some(Colour::Faint)),
                (operation.kind, None),
                (operation.status.to_string(), Some(colour(operation.status))),
                (operation.phase.unwrap_or_default(), None),
                (operation.percent.to_string(), None),
                (format!("{} ago", words::ago(operation.created_at)), None),
                (because, None),
            ]);
        }
        let more = if more { "\nThere are more: --limit shows them." } else { "" };
        format!("{}{more}", table.or_else("There are no operations yet."))
    });
    Ok(Exit::Done)
}

pub(super) fn colour(status: Status) -> Colour {
    match status {
        Status::Queued => Colour::Faint,
        Status::Running => Colour::Busy,
        Status::Succeeded => Colour::Good,
        Status::Failed | Status::Cancelled | Status::Stuck => Colour::Bad,
    }
}
