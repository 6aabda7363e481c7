//! The commands, one file each.

mod log;
mod migrate;
mod sim;

use clap::{Parser, Subcommand};

use crate::{exit::Outcome, output::Output};

const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 failed; 2 the command line or the settings are wrong; 3 the operation failed;
4 it was cancelled; 5 the API does not answer; 6 the API refused.";

/// The control plane in front of Proxmox VE.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub(crate) struct Gantry {
    /// Answer in JSON, for scripts.
    #[arg(long, global = true)]
    pub json: bool,
    /// No colours, also at a terminal (like NO_COLOR=1).
    #[arg(long, global = true)]
    pub no_color: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs a simulated Proxmox VE cluster to develop against.
    Sim(sim::Args),
    /// Brings the database's schema up to this program's.
    Migrate(migrate::Args),
    /// Looks after the event log: verify, export, import, replay.
    #[command(subcommand)]
    Log(log::Log),
}

impl Gantry {
    pub(crate) async fn run(self, out: &Output) -> Outcome {
        match self.command {
            Command::Sim(args) => sim::run(args, *out).await,
            Command::Migrate(args) => migrate::run(&args, *out).await,
            Command::Log(log) => log.run(*out).await,
        }
    }
}
