//! The commands, one file each.

mod account;
mod action;
mod adopt;
mod api_key;
mod audit;
mod backup;
mod bulk;
mod by_provider;
mod change;
mod clone;
mod config;
mod container;
mod create;
mod demo;
mod doctor;
mod drift;
mod following;
mod host;
mod invitation;
mod joining;
mod keys;
mod log;
mod login;
mod migrate;
mod operation;
mod plan;
mod raw;
mod rebuild;
mod schedule;
mod serve;
mod shell;
mod show;
mod sim;
mod snapshot;
mod template;
mod token;
mod totp;
mod update;
mod user;

use clap::{Parser, Subcommand};

pub(crate) use following::to_the_end;

use crate::{exit::Outcome, output::Output, settings::From};

const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 failed; 2 the command line or the settings are wrong; 3 the operation failed;
4 it was cancelled; 5 the API does not answer; 6 the API refused.";

/// The control plane in front of Proxmox VE.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub(crate) struct Gantry {
    /// Answer in JSON, for scripts.
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub json: bool,
    /// No colours, also at a terminal (like NO_COLOR=1).
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub no_color: bool,
    #[command(flatten)]
    settings: From,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows Gantry at work on this machine: a simulated Proxmox cluster, and a container made before your eyes.
    Demo(demo::Args),
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
    /// Starts a container.
    Start(action::Args),
    /// Stops a container at once, as if its power were cut.
    Stop(action::Args),
    /// Shuts a container down; one that takes too long is stopped.
    Shutdown(action::Patient),
    /// Reboots a container.
    Reboot(action::Patient),
    /// Does the same with many containers, and tells how all of them go.
    Bulk(bulk::Args),
    /// Applies a container's template again, at the version that it has.
    Apply(action::Args),
    /// Brings a container to the newest version of its template, or all of a template in waves; goes back when it fails.
    Update(update::Args),
    /// Suspends a container to its node's disk; few nodes can.
    Suspend(action::Args),
    /// Resumes a suspended container.
    Resume(action::Args),
    /// Gives a container another size, while it runs; disks only grow.
    Resize(change::Resize),
    /// Changes a container's name, tags, description, or whether it starts with its node.
    Change(change::Change),
    /// Sets root's password in a container that runs.
    Password(change::Password),
    /// Makes a container anew: same name, number and address, nothing of what is in it.
    Rebuild(rebuild::Args),
    /// Deletes a container.
    Delete(container::Delete),
    /// Takes back that a container is to be deleted later.
    Undelete(container::Undelete),
    /// Makes a container from another one, and follows it until it is ready.
    Clone(clone::Args),
    /// A container's backups: making them, restoring one over it or to a new container.
    #[command(subcommand)]
    Backup(backup::Backup),
    /// A container's snapshots: taking them, going back to one.
    #[command(subcommand)]
    Snapshot(snapshot::Snapshot),
    /// Containers that are on Proxmox otherwise than recorded: lists them, accepts it, puts it back.
    #[command(args_conflicts_with_subcommands = true)]
    Drift(drift::Drift),
    /// Makes a guest that is on Proxmox already a container of Gantry's; nothing in it is touched.
    Adopt(adopt::Adopt),
    /// Gives a container back: its guest stays on Proxmox and is not Gantry's any more.
    Release(adopt::Release),
    /// Guests with Gantry's marker that no container has, and containers whose guest is gone.
    Orphans(drift::Orphans),
    /// The templates that containers can be made from.
    #[command(subcommand)]
    Template(template::Template),
    /// The Proxmox hosts.
    #[command(subcommand)]
    Host(host::Host),
    /// Looks whether a host lets Gantry do what it does, and prints the command that mends what is missing.
    Doctor(doctor::Args),
    /// Runs the API and the worker in one process.
    Serve(serve::Args),
    /// Runs the API, for many: needs Postgres and Redis.
    /// With a method and a path it asks the API instead: `gantry api get /v1/containers`.
    Api(raw::ServeOrAsk),
    /// Runs a worker, for many: needs Postgres and Redis.
    Worker,
    /// Shows the settings that are in force, and where each is from.
    Config,
    /// The keys that seal secrets.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// The token that the API wants.
    #[command(subcommand)]
    Token(token::Token),
    /// Makes you the first administrator, with the link that the first start printed (GANTRY_SETUP_LINK or standard input).
    Setup(joining::SetUp),
    /// Asks for a login of your own, where everybody may; a letter tells how to go on.
    Register(joining::Asking),
    /// Comes in by an invitation (GANTRY_INVITATION or standard input).
    Join(joining::Join),
    /// Asks for a link that sets a new password; it comes by letter.
    ResetPassword(joining::Asking),
    /// Asks somebody in.
    Invite(invitation::Invite),
    /// Who was asked in and has not answered yet.
    #[command(subcommand)]
    Invitations(invitation::Invitations),
    /// Signs you in: commands need no GANTRY_TOKEN then.
    Login(login::Login),
    /// Signs you out.
    Logout(login::Logout),
    /// Where you are signed in.
    #[command(subcommand)]
    Context(login::Contextual),
    /// Accounts: customers and teams, and who belongs to them.
    #[command(subcommand)]
    Accounts(account::Accounts),
    /// Shows or sets how much an account may have.
    Quota(account::Quota),
    /// The people who sign in.
    #[command(subcommand)]
    Users(user::Users),
    /// The keys that programs call with.
    #[command(subcommand)]
    ApiKeys(api_key::ApiKeys),
    /// Your second factor: a code that an app shows, asked for at every sign-in.
    #[command(subcommand)]
    Totp(totp::Totp),
    /// Who did what, when, from where, and why.
    Audit(audit::Audit),
    /// Prints a container's passwords; it is recorded that you read them.
    Credentials(audit::Credentials),
    /// Prints the completions for a shell.
    Completions(shell::Completions),
    /// Prints the manual page.
    Manual(shell::Manual),
    /// Runs a simulated Proxmox VE cluster to develop against.
    Sim(sim::Args),
    /// Brings the database's schema up to this program's.
    Migrate,
    /// Looks after the event log: verify, export, import, replay.
    #[command(subcommand)]
    Log(log::Log),
}

impl Gantry {
    pub(crate) async fn run(self, out: &Output) -> Outcome {
        let from = &self.settings;
        match self.command {
            Command::Demo(args) => demo::run(args, *out).await,
            Command::Doctor(args) => doctor::run(&args, from, *out).await,
            Command::Serve(args) => serve::serve(args, from, *out).await,
            Command::Api(args) => raw::run(args, from, *out).await,
            Command::Worker => serve::worker(from, *out).await,
            Command::Config => config::run(from, *out),
            Command::Keys(keys) => keys.run(from, *out).await,
            Command::Token(token) => token.run(from, *out).await,
            Command::Create(args) => create::run(*args, *out).await,
            Command::Ls(args) => container::list(args, *out).await,
            Command::Show(args) => container::show(args, *out).await,
            Command::Watch(args) => operation::watch(args, *out).await,
            Command::Logs(args) => operation::logs(args, *out).await,
            Command::Operations(args) => operation::list(args, *out).await,
            Command::Cancel(args) => operation::cancel(args, *out).await,
            Command::Retry(args) => operation::retry(args, *out).await,
            Command::Start(args) => action::run("start", args, *out).await,
            Command::Stop(args) => action::run("stop", args, *out).await,
            Command::Shutdown(args) => action::patient("shutdown", args, *out).await,
            Command::Reboot(args) => action::patient("reboot", args, *out).await,
            Command::Bulk(args) => bulk::run(args, *out).await,
            Command::Apply(args) => action::run("apply", args, *out).await,
            Command::Update(args) => update::run(args, *out).await,
            Command::Suspend(args) => action::run("suspend", args, *out).await,
            Command::Resume(args) => action::run("resume", args, *out).await,
            Command::Resize(args) => change::resize(args, *out).await,
            Command::Change(args) => change::change(args, *out).await,
            Command::Password(args) => change::password(args, *out).await,
            Command::Adopt(args) => adopt::adopt(args, *out).await,
            Command::Release(args) => adopt::release(args, *out).await,
            Command::Drift(args) => drift::run(args, *out).await,
            Command::Orphans(args) => drift::orphans(args, *out).await,
            Command::Rebuild(args) => rebuild::run(args, *out).await,
            Command::Delete(args) => container::delete(args, *out).await,
            Command::Undelete(args) => container::undelete(args, *out).await,
            Command::Clone(args) => clone::run(args, *out).await,
            Command::Backup(backup) => backup.run(*out).await,
            Command::Snapshot(snapshot) => snapshot.run(*out).await,
            Command::Template(template) => template.run(from, *out).await,
            Command::Host(host) => host.run(*out).await,
            Command::Setup(args) => joining::set_up(args, *out).await,
            Command::Register(args) => joining::register(args, *out).await,
            Command::Join(args) => joining::join(args, *out).await,
            Command::ResetPassword(args) => joining::reset_password(args, *out).await,
            Command::Invite(args) => invitation::invite(args, *out).await,
            Command::Invitations(invitations) => invitations.run(*out).await,
            Command::Login(args) => login::login(args, *out).await,
            Command::Logout(args) => login::logout(args, *out).await,
            Command::Context(context) => context.run(*out),
            Command::Accounts(accounts) => accounts.run(*out).await,
            Command::Quota(quota) => quota.run(*out).await,
            Command::Users(users) => users.run(*out).await,
            Command::ApiKeys(keys) => keys.run(*out).await,
            Command::Totp(totp) => totp.run(*out).await,
            Command::Audit(audit) => audit.run(*out).await,
            Command::Credentials(credentials) => credentials.run(*out).await,
            Command::Completions(completions) => completions.run(*out),
            Command::Manual(manual) => manual.run(*out),
            Command::Sim(args) => sim::run(args, *out).await,
            Command::Migrate => migrate::run(from, *out).await,
            Command::Log(log) => log.run(from, *out).await,
        }
    }
}
