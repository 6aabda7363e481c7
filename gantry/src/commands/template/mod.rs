//! Templates: those that the API knows, and what their authors work with.

mod behind;
mod buckets;
mod changes;
mod diff;
mod fresh;
mod lint;
mod list;
mod pack;
mod refresh;
mod show;
mod test;
mod upload;

use std::path::{Path, PathBuf};

use domain::template::Template as Read;

use crate::{
    client::Api,
    exit::{Exit, Failure, Outcome},
    output::Output,
    settings::From,
};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Template {
    /// The templates that containers can be made from.
    #[command(visible_alias = "ls")]
    List {
        #[command(flatten)]
        api: Api,
    },
    /// The sets of packages that templates share.
    Buckets {
        #[command(flatten)]
        api: Api,
    },
    /// All that a template says: inputs, ports, packages, files, scripts, and its version.
    Show(show::Args),
    /// Has the API look at its templates now; it does so by itself within seconds.
    Refresh {
        #[command(flatten)]
        api: Api,
    },
    /// Which containers have an older version of their template, and what is other in the newest.
    Behind(behind::Behind),
    /// Every version of its template that a container had.
    History(behind::History),
    /// Begins a template: a directory with everything in its place, to be filled.
    New(fresh::Args),
    /// Tells what is wrong with templates, with file, line and the fix.
    Lint(lint::Args),
    /// What is other in one template's directory than in another's.
    Diff(diff::Args),
    /// Packs a template into one .tar.gz that is the same wherever it is made, or unpacks one.
    Pack(pack::Args),
    /// Makes a template the account's own, through the API; again to change it.
    Upload(upload::Upload),
    /// Removes a template of the account's own.
    Remove(upload::Remove),
    /// Makes a throw-away container from a template, and looks whether it does what it says and whether running it a
    /// second time changes nothing.
    Test(test::Args),
}

impl Template {
    pub(crate) async fn run(self, from: &From, out: Output) -> Outcome {
        match self {
            Self::List { api } => list::run(&api, out).await,
            Self::Buckets { api } => buckets::run(&api, out).await,
            Self::Show(args) => show::run(&args, out).await,
            Self::Refresh { api } => refresh::run(&api, out).await,
            Self::Pack(args) => pack::run(&args, out),
            Self::Upload(args) => upload::upload(&args, out).await,
            Self::Remove(args) => upload::remove(&args, out).await,
            Self::Behind(args) => behind::behind(&args, out).await,
            Self::History(args) => behind::history(&args, out).await,
            Self::New(args) => fresh::run(&args, out),
            Self::Lint(args) => lint::run(&args, out),
            Self::Diff(args) => diff::run(&args, out),
            Self::Test(args) => test::run(args, from, out).await,
        }
    }
}

/// The template in a directory, when it can be used.
fn read(directory: &Path) -> Outcome<Read> {
    // A path like `.` has no name of its own.
    let named = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    let read = platform::catalogue::read_template(&named);
    read.template.ok_or_else(|| {
        let wrong: Vec<String> = read.findings.iter().map(ToString::to_string).collect();
        Failure::new(Exit::Failed, format!("{} can't be used:\n  {}", directory.display(), wrong.join("\n  ")))
            .next(format!("`gantry template lint {}` tells more", directory.display()))
    })
}

/// A directory of a template, or by its name below the usual place.
fn directory(named: &str) -> PathBuf {
    let beside = Path::new("infra/lxc/templates").join(named);
    if Path::new(named).is_dir() || !beside.is_dir() { PathBuf::from(named) } else { beside }
}
