use std::{process::Command, time::SystemTime};

use anyhow::Result;

use crate::group;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// How many templates.
    #[arg(long, default_value_t = 20_000)]
    cases: u64,
    /// The same seed makes the same templates; another one each time when it is left out.
    #[arg(long)]
    seed: Option<u64>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let now = || SystemTime::UNIX_EPOCH.elapsed().map_or(1, |since| since.as_secs());
    let seed = args.seed.unwrap_or_else(now);
    println!("seed {seed}, {} cases", args.cases);
    let mut cargo = Command::new("cargo");
    cargo.args(["test", "--quiet", "--package", "platform", "--lib", "catalogue::fuzz"]);
    cargo.env("GANTRY_TEST_FUZZ_SEED", seed.to_string()).env("GANTRY_TEST_FUZZ_CASES", args.cases.to_string());
    group::run(&mut cargo)
}
