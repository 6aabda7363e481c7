use std::{process::Command, time::SystemTime};

use anyhow::{Result, bail};
use clap::ValueEnum as _;

use crate::{group, install};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// How long it lasts; afterwards it waits until all is quiet.
    #[arg(long, default_value_t = 5)]
    minutes: u64,
    /// The same seed makes the same storm; another one each time when it is left out.
    #[arg(long)]
    seed: Option<u64>,
    /// Where the log is; one after the other when it is left out.
    #[arg(long)]
    backend: Option<Backend>,
    /// A safeguard of the program that is switched off: the judge has to notice.
    #[arg(long)]
    without: Option<Safeguard>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Safeguard {
    Fencing,
    IdempotentStep,
    Sweep,
    GapFreeResume,
    Reservation,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Backend {
    /// Two APIs and three workers, with Redis.
    Postgres,
    /// One process.
    Sqlite,
}

impl Backend {
    const fn test(self) -> &'static str {
        match self {
            Self::Postgres => "storm::a_storm_on_postgres_leaves_everything_as_it_should_be",
            Self::Sqlite => "storm::a_storm_on_sqlite_leaves_everything_as_it_should_be",
        }
    }
}

/// The storm is one of the tests, which last for a moment: here it is as long as one likes.
pub(crate) fn run(args: &Args) -> Result<()> {
    install::missing()?;
    let now = || SystemTime::UNIX_EPOCH.elapsed().map_or(1, |since| since.as_secs());
    let seed = args.seed.unwrap_or_else(now);
    let backends = args.backend.map_or_else(|| vec![Backend::Postgres, Backend::Sqlite], |one| vec![one]);
    for backend in backends {
        let mut cargo = Command::new("cargo");
        cargo.args(["test", "--quiet", "--package", "gantry", "--test", "processes"]);
        if let Some(safeguard) = args.without.and_then(|one| one.to_possible_value()) {
            cargo.args(["--features", "sabotage"]).env("SABOTAGE", safeguard.get_name());
            // A program that can't be built is not one that the judge has looked at.
            let mut build = Command::new("cargo");
            group::run(build.args(cargo.get_args()).arg("--no-run"))?;
        }
        cargo.args(["--", "--include-ignored", "--nocapture", "--exact", backend.test()]);
        cargo.env("GANTRY_TEST_SEED", seed.to_string());
        cargo.env("GANTRY_TEST_CHAOS_SECONDS", (args.minutes * 60).to_string());
        match (group::run(&mut cargo), args.without) {
            (Ok(()), Some(_)) => bail!("the judge did not notice; storm longer, or by another seed"),
            (Err(_), Some(_)) => println!("the judge noticed"),
            (went, None) => went?,
        }
    }
    Ok(())
}
