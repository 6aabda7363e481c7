use std::process::Command;

use anyhow::Result;
use xtask::servers::{Postgres, Redis};

use crate::{group, install};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only these packages.
    #[arg(short, long)]
    package: Vec<String>,
    /// Only tests whose name contains this.
    filter: Option<String>,
    /// For the test programs, after `--`.
    #[arg(last = true)]
    rest: Vec<String>,
}

pub(crate) fn everything() -> Result<()> {
    run(&Args { package: Vec::new(), filter: None, rest: Vec::new() })
}

pub(crate) fn run(args: &Args) -> Result<()> {
    install::missing()?;
    // Tests make and drop many databases; what must survive a crash starts its own server, with fsync.
    let (postgres, redis) = (Postgres::start_with(&[("fsync", "off")])?, Redis::start()?);
    println!("private servers: {} and {}", postgres.url(), redis.url());
    let mut cargo = Command::new("cargo");
    cargo.arg("test").env("GANTRY_TEST_POSTGRES_URL", postgres.url()).env("GANTRY_TEST_REDIS_URL", redis.url());
    if args.package.is_empty() {
        cargo.arg("--workspace");
    }
    for package in &args.package {
        cargo.args(["--package", package]);
    }
    cargo.arg("--no-fail-fast").args(&args.filter).args(["--", "--include-ignored"]).args(&args.rest);
    group::run(&mut cargo)
}
