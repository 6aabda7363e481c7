//! The commands, one file each.

mod container;
mod create;
mod following;
mod host;
mod log;
mod migrate;
mod operation;
mod show;
mod sim;
mod template;

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
    /// Makes a container and follows it until it is ready.
    Create(Box<create::Args>),
    /// Lists the containers.
    #[command(visible_alias = "list")]
    Ls(container::List),
    /// Shows a container or an operation with all that is known of it.
    Show(container::Show),
    /// Follows an operation to its end.
    Watch(operation::Watching),
    /// What the scripts and tasks of an operation said.
    Logs(operation::Named),
    /// Lists the operations.
    Operations(operation::List),
    /// Stops an operation and takes down again what it built.
    Cancel(operation::Named),
    /// Tries a failed operation again, from the phase that failed.
    Retry(operation::Retry),
    /// Deletes a container.
    Delete(container::Delete),
    /// The templates that containers can be made from.
    #[command(subcommand)]
    Template(template::Template),
    /// The Proxmox hosts.
    #[command(subcommand)]
    Host(host::Host),
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
            Command::Create(args) => create::run(*args, *out).await,
            Command::Ls(args) => container::list(args, *out).await,
            Command::Show(args) => container::show(args, *out).await,
            Command::Watch(args) => operation::watch(args, *out).await,
            Command::Logs(args) => operation::logs(args, *out).await,
            Command::Operations(args) => operation::list(args, *out).await,
            Command::Cancel(args) => operation::cancel(args, *out).await,
            Command::Retry(args) => operation::retry(args, *out).await,
            Command::Delete(args) => container::delete(args, *out).await,
            Command::Template(template) => template.run(*out).await,
            Command::Host(host) => host.run(*out).await,
            Command::Sim(args) => sim::run(args, *out).await,
            Command::Migrate(args) => migrate::run(&args, *out).await,
            Command::Log(log) => log.run(*out).await,
        }
    }
}
