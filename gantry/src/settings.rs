//! The settings that are in force, and what a command needs of them.

use std::path::PathBuf;

use platform::{
    clock::Clock,
    config::{Config, Role, Sources, sqlite_file},
    db::{Db, DbError, Options},
    log::Log,
    views,
};

use crate::exit::{Exit, Failure, Outcome};

/// Where settings come from, as far as the command line says.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct From {
    /// The settings file [default: GANTRY_CONFIG, else ./gantry.toml if there is one].
    #[arg(long, global = true, help_heading = "Everywhere", value_name = "FILE")]
    config: Option<PathBuf>,
    /// One setting, over the file and the environment; may be repeated. `gantry config` lists them.
    #[arg(long, global = true, help_heading = "Everywhere", value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl From {
    pub(crate) fn load(&self) -> Outcome<Config> {
        let flags = self.set.iter().map(|text| pair(text)).collect::<Outcome<Vec<_>>>()?;
        Config::load(&Sources::of_process(self.config.clone(), flags)).map_err(wrong)
    }

    /// The settings of a command that is no server.
    pub(crate) fn of_a_tool(&self) -> Outcome<Config> {
        self.checked(Role::Tool)
    }

    pub(crate) fn checked(&self, role: Role) -> Outcome<Config> {
        let config = self.load()?;
        config.check(role).map_err(wrong)?;
        Ok(config)
    }
}

pub(crate) fn wrong(error: impl Into<Failure>) -> Failure {
    error.into().exit(Exit::Usage)
}

fn pair(text: &str) -> Outcome<(String, String)> {
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| Failure::new(Exit::Usage, format!("--set {text} has no `=`")).next("write --set KEY=VALUE"))?;
    Ok((key.to_owned(), value.to_owned()))
}

/// Connects, and makes SQLite's file when there is none.
pub(crate) async fn connect(config: &Config) -> Outcome<Db> {
    Db::connect(config.database.url.expose(), &Options::default()).await.map_err(|error| {
        let exit = if matches!(error, DbError::Scheme | DbError::Url(_)) { Exit::Usage } else { Exit::Failed };
        Failure::from(error).exit(exit)
    })
}

/// A database that is there.
pub(crate) async fn present(config: &Config) -> Outcome<Db> {
    // Connecting makes SQLite's file; a mistyped name must not leave one behind.
    if let Some(path) = sqlite_file(config.database.url.expose()).filter(|path| !path.exists()) {
        return Err(Failure::new(Exit::Failed, format!("there is no database at {}", path.display()))
            .next("see that DATABASE_URL is right; `gantry migrate` makes a new one"));
    }
    let db = connect(config).await?;
    db.check_schema().await?;
    Ok(db)
}

pub(crate) async fn log(config: &Config) -> Outcome<Log> {
    Ok(Log::open(present(config).await?, views::all(), Clock::system()).await?)
}
