//! The settings as the program uses them.

use std::{net::SocketAddr, path::PathBuf};

use serde::{Deserialize, Deserializer};
use toml::{Table, Value};

use super::{
    Config, ConfigError, check,
    layers::{Entry, Layers},
};
use crate::vault::SecretText;

#[derive(Debug, Clone, Deserialize)]
pub struct DatabaseSettings {
    /// May hold a password.
    pub url: SecretText,
}

#[derive(Debug, Clone, Deserialize)]
pub struct RedisSettings {
    /// May hold a password.
    #[serde(deserialize_with = "unless_empty")]
    pub url: Option<SecretText>,
    pub prefix: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct VaultSettings {
    #[serde(deserialize_with = "unless_empty")]
    pub keys: Option<SecretText>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct ApiSettings {
    pub listen: SocketAddr,
    /// 0: one for each core.
    pub workers: usize,
    pub max_connections: usize,
    pub body_limit: usize,
    pub body_within_s: u64,
    pub answer_within_s: u64,
    /// 0: any number.
    pub requests_per_minute: u64,
    /// With commas between.
    pub allowed_origins: String,
    /// Both empty, or neither.
    pub tls_certificate: PathBuf,
    pub tls_key: PathBuf,
    /// With commas between.
    pub trusted_proxies: String,
    /// Empty: not known.
    pub public_url: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct PeopleSettings {
    pub registration: RegistrationSetting,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RegistrationSetting {
    Closed,
    Invitation,
    Open,
}

#[derive(Debug, Clone, Deserialize)]
pub struct MailSettings {
    /// May hold a password.
    #[serde(deserialize_with = "unless_empty")]
    pub url: Option<SecretText>,
    pub from: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct OidcSettings {
    /// Empty: none.
    pub issuer: String,
    pub client_id: String,
    #[serde(deserialize_with = "unless_empty")]
    pub client_secret: Option<SecretText>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct WorkerSettings {
    pub slots: usize,
    pub lease_s: u64,
    pub drain_s: u64,
    pub download_images: bool,
    pub address_within_s: u64,
    pub healthy_within_s: u64,
    pub drift_every_s: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct TemplateSettings {
    pub root: PathBuf,
}

#[derive(Debug, Clone, Deserialize)]
pub struct LogSettings {
    pub filter: String,
    pub format: LogFormat,
}

#[derive(Debug, Clone, Deserialize)]
pub struct TraceSettings {
    /// Empty: none.
    pub endpoint: String,
    /// May hold a token.
    #[serde(deserialize_with = "unless_empty")]
    pub headers: Option<SecretText>,
    pub service: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Human on a terminal, JSON otherwise.
    Auto,
    Human,
    Json,
}

#[derive(Deserialize)]
struct Sections {
    database: DatabaseSettings,
    redis: RedisSettings,
    vault: VaultSettings,
    api: ApiSettings,
    people: PeopleSettings,
    mail: MailSettings,
    oidc: OidcSettings,
    worker: WorkerSettings,
    templates: TemplateSettings,
    log: LogSettings,
    traces: TraceSettings,
}

pub(super) fn build(layers: Layers) -> Result<Config, ConfigError> {
    check::values(&layers.0)?;
    let report = layers.report();
    let mut root = Table::new();
    for Entry { key, value, .. } in layers.0 {
        let (section, name) = key.split_once('.').unwrap_or(("", &key));
        let section = root.entry(section).or_insert_with(|| Value::Table(Table::new()));
        if let Value::Table(section) = section {
            section.insert(name.to_owned(), value);
        }
    }
    let sections: Sections = root.try_into().map_err(|error: toml::de::Error| ConfigError::Shape(error.to_string()))?;
    let Sections { database, redis, vault, api, people, mail, oidc, worker, templates, log, traces } = sections;
    Ok(Config { database, redis, vault, api, people, mail, oidc, worker, templates, log, traces, report })
}

fn unless_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretText>, D::Error> {
    SecretText::deserialize(deserializer).map(|text| Some(text).filter(|text| !text.expose().is_empty()))
}
