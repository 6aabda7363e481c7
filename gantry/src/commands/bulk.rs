//! The same for many containers.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    client::Api,
    exit::{Exit, Outcome},
    output::{self, Colour, Output},
};

const LOOK: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    api: Api,
    /// What is to be done with each.
    action: Action,
    /// Their names or ids; otherwise say which by --tag, --template, --node or --all.
    containers: Vec<String>,
    /// Those with this tag.
    #[arg(long, conflicts_with = "containers")]
    tag: Option<String>,
    /// Those made from this template.
    #[arg(long, conflicts_with = "containers")]
    template: Option<String>,
    /// Those on this node.
    #[arg(long, conflicts_with = "containers")]
    node: Option<String>,
    /// Really all.
    #[arg(long, conflicts_with = "containers")]
    all: bool,
    /// How long each may take to shut itself down.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=3600))]
    timeout: Option<u32>,
    /// For rebuild: each from its template as that is now, and not as it was made.
    #[arg(long)]
    current: bool,
    /// For rebuild: back each up before it goes.
    #[arg(long)]
    backup_first: bool,
    /// Do not ask before deleting or rebuilding.
    #[arg(long, short)]
    yes: bool,
    /// Do not follow them.
    #[arg(long, short)]
    detach: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Action {
    Start,
    Stop,
    Shutdown,
    Reboot,
    Rebuild,
    Delete,
}

impl Action {
    const fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Shutdown => "shutdown",
            Self::Reboot => "reboot",
            Self::Rebuild => "rebuild",
            Self::Delete => "delete",
        }
    }
}

pub(crate) async fn run(args: Args, out: Output) -> Outcome {
    let client = args.api.client()?;
    let mut wish = json!({ "action": args.action.word() });
    if let Some(seconds) = args.timeout {
        wish["timeout_seconds"] = seconds.into();
    }
    if args.current {
        wish["version"] = "current".into();
    }
    if args.backup_first {
        wish["backup_first"] = true.into();
    }
    if args.containers.is_empty() {
        wish["filter"] = json!({ "tag": args.tag, "template": args.template, "node": args.node, "all": args.all });
    } else {
        let mut ids = Vec::new();
        for named in &args.containers {
            ids.push(client.container(named).await?);
        }
        wish["ids"] = json!(ids);
    }
    match args.action {
        Action::Delete if !args.yes => output::confirm("Delete all of them and all that is in them?", "--yes")?,
        Action::Rebuild if !args.yes => output::confirm("Make all of them anew, without what is in them?", "--yes")?,
        _ => {}
    }
    let mut bulk = client.post("/v1/bulk", &wish).await?;
    let path = format!("/v1/bulk/{}", bulk["id"].as_str().unwrap_or_default());
    let mut said = String::new();
    while !args.detach && !bulk["ended"].as_bool().unwrap_or(true) {
        let now = counts(&bulk);
        if now != said {
            out.say(&now);
            said = now;
        }
        tokio::time::sleep(LOOK).await;
        bulk = client.get(&path, &[]).await?;
    }
    out.answer(&bulk, || words(&bulk, out));
    let number = |name: &str| bulk["counts"][name].as_u64().unwrap_or_default();
    Ok(match (number("failed"), number("refused"), number("cancelled")) {
        (0, 0, 0) => Exit::Done,
        (0, 0, _) => Exit::Cancelled,
        (0, _, _) => Exit::Refused,
        _ => Exit::OperationFailed,
    })
}

fn counts(bulk: &Value) -> String {
    let names = ["queued", "running", "succeeded", "failed", "cancelled", "refused"];
    let number = |name: &str| bulk["counts"][name].as_u64().unwrap_or_default();
    let told: Vec<String> =
        names.iter().filter(|name| number(name) > 0).map(|name| format!("{} {name}", number(name))).collect();
    format!("{} of {}: {}", bulk["action"].as_str().unwrap_or_default(), number("total"), told.join(", "))
}

fn words(bulk: &Value, out: Output) -> String {
    let mut table = out.table(["container", "what", "why"]);
    let row = |one: &Value, what: &str, why: &str| {
        [
            (one["container"].as_str().unwrap_or_default().to_owned(), None),
            (what.to_owned(), Some(Colour::Bad)),
            (why.to_owned(), None),
        ]
    };
    for one in bulk["refused"].as_array().into_iter().flatten() {
        table.row(row(one, "refused", one["detail"].as_str().unwrap_or_default()));
    }
    for one in bulk["failed"].as_array().into_iter().flatten() {
        table.row(row(one, "failed", one["error"]["detail"].as_str().unwrap_or_default()));
    }
    format!("{}\n{}", counts(bulk), table.or_else(""))
}
