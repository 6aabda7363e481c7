//! Taking a host or a node out of what new containers are placed on.

use serde_json::json;

use crate::{
    client::Api,
    exit::{Exit, Outcome},
    output::Output,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    api: Api,
    /// The host's name or id.
    host: String,
    /// `on` or `off`.
    state: State,
    /// Only this node of it.
    #[arg(long)]
    node: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum State {
    On,
    Off,
}

pub(super) async fn run(args: Args, out: Output) -> Outcome {
    let client = args.api.client()?;
    let host = super::find(&client, &args.host).await?;
    let on = args.state == State::On;
    let wish = json!({ "in_maintenance": on, "node": args.node });
    let answer = client.put(&format!("/v1/hosts/{}/maintenance", host.id), &wish).await?;
    let what = args.node.map_or_else(|| args.host.clone(), |node| format!("{node} of {}", args.host));
    out.answer(&answer, || match on {
        true => format!("{what} is in maintenance: nothing new is placed there"),
        false => format!("{what} takes new containers again"),
    });
    Ok(Exit::Done)
}
