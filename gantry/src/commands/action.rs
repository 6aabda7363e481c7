//! What is done with a container that is there: each an operation that is followed.

use super::following;
use crate::{client::Api, exit::Outcome, output::Output};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    api: Api,
    /// Its name or id.
    container: String,
    /// Do not follow it.
    #[arg(long, short)]
    detach: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Patient {
    #[command(flatten)]
    args: Args,
    /// How long it may take to shut itself down; then it is stopped.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=3600))]
    timeout: u32,
}

pub(crate) async fn run(name: &str, args: Args, out: Output) -> Outcome {
    act(name, &args, &[], out).await
}

pub(crate) async fn patient(name: &str, args: Patient, out: Output) -> Outcome {
    act(name, &args.args, &[("timeout_seconds", &args.timeout.to_string())], out).await
}

async fn act(name: &str, args: &Args, query: &[(&str, &str)], out: Output) -> Outcome {
    let client = args.api.client()?;
    let id = client.container(&args.container).await?;
    let answer = client.act(&format!("/v1/containers/{id}/actions/{name}"), query).await?;
    following::accepted(&client, &answer, &args.container, args.detach, out).await
}
