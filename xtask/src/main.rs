//! `cargo xtask test|bench|chaos|fuzz|ci`: what contributors and CI run.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command for people at a terminal")]

mod benches;
mod chaos;
mod ci;
mod fuzz;
mod group;
mod install;
mod plot;
mod test;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "What contributors and CI run")]
enum Task {
    /// Runs all tests on every backend, with private servers; installs those that are missing.
    Test(test::Args),
    /// Measures, each figure against its limit from the same run.
    Bench(benches::Args),
    /// Breaks everything, by a seed, and judges what is left.
    Chaos(chaos::Args),
    /// Feeds the template reader what nobody would write, for as long as told.
    Fuzz(fuzz::Args),
    /// All that must hold before a change is merged: format, lints, docs, tests.
    Ci,
}

fn main() -> ExitCode {
    let done: Result<()> = match Task::parse() {
        Task::Test(args) => test::run(&args),
        Task::Bench(args) => benches::run(&args),
        Task::Chaos(args) => chaos::run(&args),
        Task::Fuzz(args) => fuzz::run(&args),
        Task::Ci => ci::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
