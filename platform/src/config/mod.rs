//! Settings: the documented defaults, then the file, then the environment, then flags.

mod check;
mod error;
mod layers;
mod mask;
mod reference;
mod sections;

use std::{fmt, path::PathBuf};

pub use check::{Role, sqlite_file};
pub use error::ConfigError;
pub use reference::reference;
pub use sections::{
    ApiSettings, DatabaseSettings, LogFormat, LogSettings, MailSettings, OidcSettings, PeopleSettings, RedisSettings,
    RegistrationSetting, TemplateSettings, TraceSettings, VaultSettings, WorkerSettings,
};

use layers::Layers;

/// What is in force. Built by [`Config::load`] only, so every value has been checked.
#[derive(Debug, Clone)]
pub struct Config {
    pub database: DatabaseSettings,
    pub redis: RedisSettings,
    pub vault: VaultSettings,
    pub api: ApiSettings,
    pub people: PeopleSettings,
    pub mail: MailSettings,
    pub oidc: OidcSettings,
    pub worker: WorkerSettings,
    pub templates: TemplateSettings,
    pub log: LogSettings,
    pub traces: TraceSettings,
    report: Vec<Setting>,
}

/// Where settings come from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// As given by `--config`; else GANTRY_CONFIG, else ./gantry.toml if there is one.
    pub file: Option<PathBuf>,
    pub environment: Vec<(String, String)>,
    /// `("api.listen", "0.0.0.0:80")`, the last of the same key wins.
    pub flags: Vec<(String, String)>,
}

/// One setting, fit to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    pub key: String,
    /// Secrets masked.
    pub value: String,
    pub source: Source,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Default,
    File(PathBuf),
    Environment(String),
    Flag,
}

impl Sources {
    /// This process's environment, the file and the flags of its command line.
    #[must_use]
    pub fn of_process(file: Option<PathBuf>, flags: Vec<(String, String)>) -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self { file, environment: std::env::vars_os().filter_map(text).collect(), flags }
    }
}

impl Config {
    /// # Errors
    /// When the file can't be read, a key is unknown, or a value is not what it has to be; the message says where.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let mut layers = Layers::defaults()?;
        if let Some(path) = sources.file_to_read() {
            layers.file(&path)?;
        }
        layers.environment(&sources.environment)?;
        layers.flags(&sources.flags)?;
        sections::build(layers)
    }

    /// Every setting with its value and where it is from.
    #[must_use]
    pub fn report(&self) -> &[Setting] {
        &self.report
    }
}

impl Sources {
    fn file_to_read(&self) -> Option<PathBuf> {
        let named = || self.environment.iter().find(|(name, value)| name == "GANTRY_CONFIG" && !value.is_empty());
        let here = || Some(PathBuf::from("gantry.toml")).filter(|path| path.exists());
        self.file.clone().or_else(|| named().map(|(_, path)| path.into())).or_else(here)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag => f.write_str("flag"),
        }
    }
}

#[cfg(test)]
mod tests;
