//! What can be wrong with the settings. Values of secret keys are in none of the messages.

use std::{io, path::PathBuf};

use super::Source;
use crate::vault::{KeyFileError, KeysError};

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the settings file {path} can't be read: {source}")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("the settings file {path} is no TOML, line {line}: {what}")]
    Syntax { path: PathBuf, line: usize, what: String },
    #[error("there is no setting `{key}` ({from}); did you mean `{nearest}`? `gantry config` lists all")]
    UnknownKey { key: String, from: Source, nearest: String },
    #[error("{key} ({from}) must be {wanted}, not {value}")]
    Value { key: String, from: Source, wanted: String, value: String },
    #[error("the settings can't be read: {0}")]
    Shape(String),
    #[error(
        "REDIS_URL is set and the database is SQLite: Redis is for several processes, and several processes need Postgres; set DATABASE_URL to postgres://…, or leave REDIS_URL out"
    )]
    RedisWithoutPostgres,
    #[error(
        "{role} runs beside other processes and needs Postgres, but the database is SQLite: set DATABASE_URL and REDIS_URL, or run all in one process with `gantry serve`"
    )]
    NeedsPostgres { role: &'static str },
    #[error(
        "{role} runs beside other processes and needs Redis to hear of them: set REDIS_URL, or run all in one process with `gantry serve`"
    )]
    NeedsRedis { role: &'static str },
    #[error(
        "mail.url is set and api.public_url is not: letters hold links; set the address that people reach the API under"
    )]
    LettersNeedAddress,
    #[error("oidc.issuer and oidc.client_id belong together: set both or none")]
    HalfAProvider,
    #[error("people.registration is open and mail.url is not set: who registers is told by letter how to go on")]
    RegistrationNeedsMail,
    #[error("api.tls_certificate and api.tls_key belong together: set both, or neither")]
    HalfTls,
    #[error("GANTRY_VAULT_KEYS: {0}")]
    Keys(#[from] KeysError),
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
}
