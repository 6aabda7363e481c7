//! Making a container from another one.

use serde_json::json;

use super::following;
use super::snapshot::{Follow, Of};
use crate::{exit::Outcome, output::Output};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    of: Of,
    /// The name of the clone.
    hostname: String,
    /// As the original was at this snapshot; as it is now when not said.
    #[arg(long)]
    snapshot: Option<String>,
    /// Linked to the original, which has to be a template: fast, and takes next to no room.
    #[arg(long)]
    linked: bool,
    #[command(flatten)]
    follow: Follow,
}

pub(crate) async fn run(args: Args, out: Output) -> Outcome {
    let (client, path) = args.of.path("clone").await?;
    let wish = json!({ "hostname": args.hostname, "snapshot": args.snapshot, "full": !args.linked });
    let answer = client.post(&path, &wish).await?;
    following::accepted(&client, &answer, &args.hostname, args.follow.detach, out).await
}
