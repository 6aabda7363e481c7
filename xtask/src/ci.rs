use std::{process::Command, time::Instant};

use anyhow::{Context as _, Result};

use crate::{group, test};

/// From the cheapest to the dearest, so that a slip is told early. Generated files are held current by tests.
pub(crate) fn run() -> Result<()> {
    stage("format", || cargo(&["fmt", "--all", "--check"]))?;
    stage("lints", || cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    stage("docs", || {
        let mut doc = Command::new("cargo");
        group::run(doc.args(["doc", "--workspace", "--no-deps", "--quiet"]).env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    stage("tests", test::everything)
}

fn stage(name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    println!("── {name}");
    let started = Instant::now();
    let done = work();
    println!("── {name}: {} s", started.elapsed().as_secs());
    done.with_context(|| format!("stage {name}"))
}

fn cargo(arguments: &[&str]) -> Result<()> {
    group::run(Command::new("cargo").args(arguments))
}
