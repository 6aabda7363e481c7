//! The servers: everything in one process, or the API and the workers each in theirs.

use std::net::SocketAddr;

use platform::{
    config::{Config, Role},
    shutdown::Signals,
};

use crate::{
    exit::{Exit, Outcome},
    output::Output,
    process::{self, Listening, Parts},
    settings::{self, From},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to answer; the setting api.listen.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
}

pub(crate) async fn serve(args: Args, from: &From, out: Output) -> Outcome {
    let config = listening(from.checked(Role::Serve)?, &args);
    // One process on a file of its own: nobody else is there to migrate it.
    if platform::config::sqlite_file(config.database.url.expose()).is_some() {
        settings::connect(&config).await?.migrate(platform::clock::now()).await?;
    }
    run(config, true, true, out).await
}

pub(crate) async fn api(args: Args, from: &From, out: Output) -> Outcome {
    run(listening(from.checked(Role::Api)?, &args), true, false, out).await
}

pub(crate) async fn worker(from: &From, out: Output) -> Outcome {
    run(from.checked(Role::Worker)?, false, true, out).await
}

fn listening(mut config: Config, args: &Args) -> Config {
    if let Some(listen) = args.listen {
        config.api.listen = listen;
    }
    config
}

async fn run(config: Config, api: bool, worker: bool, out: Output) -> Outcome {
    let mut signals = Signals::listen()?;
    let telemetry = process::telemetry(&config)?;
    let opening = async {
        let parts = Parts::open(config).await?;
        let listening = if api { Some(Listening::open(&parts, &telemetry, out).await?) } else { None };
        Outcome::Ok((parts, listening))
    };
    // Servers that don't answer are waited for: whoever wants to end need not.
    let (parts, listening) = tokio::select! {
        opened = opening => opened?,
        _ = signals.next() => return Ok(Exit::Done),
    };
    process::run(parts, telemetry, listening, worker, signals).await?;
    Ok(Exit::Done)
}
