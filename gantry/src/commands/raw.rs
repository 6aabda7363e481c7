//! Everything else that the API knows, as it is: `gantry api get /v1/…`.

use reqwest::Method;
use serde_json::Value;

use super::serve;
use crate::{
    client::Api,
    exit::{Exit, Failure, Outcome, While as _},
    output::Output,
    settings::From,
};

#[derive(Debug, clap::Args)]
pub(crate) struct ServeOrAsk {
    #[command(flatten)]
    serve: serve::Args,
    #[command(flatten)]
    api: Api,
    /// Ask instead of serving: get, post, put, patch or delete.
    #[arg(requires = "path")]
    method: Option<String>,
    /// The path, with its query: /v1/containers?limit=5.
    path: Option<String>,
    /// The body: JSON, or - for standard input.
    body: Option<String>,
}

pub(crate) async fn run(args: ServeOrAsk, from: &From, out: Output) -> Outcome {
    let (Some(method), Some(path)) = (&args.method, &args.path) else {
        return serve::api(args.serve, from, out).await;
    };
    let method: Method = method.to_uppercase().parse().map_err(|_| {
        Failure::new(Exit::Usage, format!("{method:?} is no method")).next("get, post, put, patch or delete")
    })?;
    let body = match args.body.as_deref() {
        Some("-") => Some(std::io::read_to_string(std::io::stdin()).during("reading the body")?),
        other => other.map(str::to_owned),
    };
    let body: Option<Value> = body.map(|text| serde_json::from_str(&text)).transpose().during("reading the body")?;
    let path = format!("/{}", path.trim_start_matches('/'));
    let answer = args.api.client()?.ask(method, &path, &[], body.as_ref()).await?;
    out.answer(&answer, || serde_json::to_string_pretty(&answer).unwrap_or_default());
    Ok(Exit::Done)
}
