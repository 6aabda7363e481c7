//! Opening the database that the settings name.

use platform::{
    clock::Clock,
    db::{Db, Options},
    log::Log,
    views,
};

use crate::exit::{Exit, Failure, Outcome};

/// Where the log is when a command works on it directly.
#[derive(Debug, clap::Args)]
pub(crate) struct Place {
    /// `sqlite:FILE` or `postgres://…`
    #[arg(long, env = "DATABASE_URL", default_value = "sqlite:gantry.db", hide_env_values = true)]
    database_url: String,
}

pub(crate) async fn connect(place: &Place) -> Outcome<Db> {
    Db::connect(&place.database_url, &Options::default()).await.map_err(|error| {
        use platform::db::DbError;
        let exit = if matches!(error, DbError::Scheme | DbError::Url(_)) { Exit::Usage } else { Exit::Failed };
        Failure::from(error).exit(exit)
    })
}

pub(crate) async fn log(place: &Place) -> Outcome<Log> {
    refuse_missing(&place.database_url)?;
    Ok(Log::open(connect(place).await?, views::all(), Clock::system()).await?)
}

/// Connecting makes SQLite's file; a mistyped name must not leave one behind.
fn refuse_missing(url: &str) -> Outcome<()> {
    let Some(path) = url.strip_prefix("sqlite:") else { return Ok(()) };
    let path = path.strip_prefix("//").unwrap_or(path);
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    if path.is_empty() || path == ":memory:" || std::path::Path::new(path).exists() {
        return Ok(());
    }
    Err(Failure::new(Exit::Failed, format!("there is no database at {path}"))
        .next("see that DATABASE_URL is right; `gantry migrate` makes a new one"))
}
