//! What values may be, and which of them fit together.

use std::{net::SocketAddr, path::PathBuf};

use toml::Value;

use super::{Config, ConfigError, RegistrationSetting, layers::Entry, mask};
use crate::vault::Keys;

/// What a process is going to do, as far as settings have to fit it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything in this one process.
    Serve,
    Api,
    Worker,
    /// A command beside them: migrate, verify, rotate.
    Tool,
}

/// Whole numbers: the key, the least, the most.
const RANGES: &[(&str, i64, i64)] = &[
    ("api.workers", 0, 1024),
    ("api.max_connections", 1, 1_000_000),
    ("api.body_limit", 1024, 1 << 30),
    ("api.body_within_s", 1, 3600),
    // Callers may ask to wait for nearly a minute.
    ("api.answer_within_s", 60, 3600),
    ("api.requests_per_minute", 0, 1_000_000),
    ("worker.slots", 1, 10_000),
    ("worker.lease_s", 2, 3600),
    ("worker.drain_s", 0, 86_400),
    ("worker.address_within_s", 1, 3600),
    ("worker.healthy_within_s", 1, 3600),
    ("worker.drift_every_s", 0, 86_400),
];

pub(super) fn values(entries: &[Entry]) -> Result<(), ConfigError> {
    entries.iter().try_for_each(|entry| match wanted(entry) {
        None => Ok(()),
        Some(wanted) => Err(ConfigError::Value {
            key: entry.key.clone(),
            from: entry.source.clone(),
            wanted,
            value: match entry.value.as_str() {
                Some("") => "empty".to_owned(),
                Some(text) => mask::value(&entry.key, text),
                None => entry.value.to_string(),
            },
        }),
    })
}

/// What the value should have been, when it is not that.
fn wanted(entry: &Entry) -> Option<String> {
    let key = entry.key.as_str();
    match &entry.value {
        Value::Integer(number) => RANGES
            .iter()
            .find(|(ranged, least, most)| *ranged == key && !(least..=most).contains(&number))
            .map(|(_, least, most)| format!("between {least} and {most}")),
        Value::String(text) => match key {
            "api.listen" if text.parse::<SocketAddr>().is_err() => Some("an address and port like 0.0.0.0:8080".into()),
            "api.trusted_proxies"
                if text
                    .split(',')
                    .any(|net| !net.trim().is_empty() && net.trim().parse::<domain::net::Net>().is_err()) =>
            {
                Some("addresses and networks like `10.0.0.0/8,::1`".into())
            }
            "api.allowed_origins" if text.split(',').any(|origin| !is_origin(origin.trim())) => {
                Some("origins like `https://console.example.org`, without a path; `*` is none".into())
            }
            "log.format" if !["auto", "human", "json"].contains(&text.as_str()) => Some("auto, human or json".into()),
            "log.filter" if tracing_subscriber::EnvFilter::try_new(text).is_err() => {
                Some("levels like `info` or `info,platform=debug`".into())
            }
            "database.url" if !is_database(text) => Some("`sqlite:FILE` or `postgres://user@host/database`".into()),
            "redis.url" if !(text.is_empty() || text.starts_with("redis://") || text.starts_with("rediss://")) => {
                Some("`redis://host:6379` or `rediss://…`".into())
            }
            "people.registration" if !["closed", "invitation", "open"].contains(&text.as_str()) => {
                Some("closed, invitation or open".into())
            }
            "mail.url" if !(text.is_empty() || text.starts_with("smtp://") || text.starts_with("smtps://")) => {
                Some("`smtps://user:password@host`, or `smtp://host?tls=required`".into())
            }
            "oidc.issuer"
                if !(text.is_empty() || text.starts_with("http://127.0.0.1:") || text.starts_with("https://")) =>
            {
                Some("an address like `https://id.example.org`".into())
            }
            "api.public_url" if !(text.is_empty() || text.starts_with("http://") || text.starts_with("https://")) => {
                Some("an address like `https://gantry.example.org`".into())
            }
            "traces.endpoint" if !(text.is_empty() || text.starts_with("http://") || text.starts_with("https://")) => {
                Some("an address like `http://collector:4318`".into())
            }
            "redis.prefix" | "templates.root" | "traces.service" if text.is_empty() => {
                Some("a text that is not empty".into())
            }
            _ => None,
        },
        _ => None,
    }
}

/// As a browser writes it: scheme, host, and the port when it is not the scheme's own.
fn is_origin(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.:[]".contains(c);
    text.is_empty() || rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(plain))
}

fn is_database(url: &str) -> bool {
    ["sqlite:", "postgres://", "postgresql://"].iter().any(|start| url.starts_with(start))
}

impl Config {
    /// Refuses backends that are only half configured.
    ///
    /// # Errors
    /// When they do not fit what the process is going to do; the message says what to set.
    pub fn check(&self, role: Role) -> Result<(), ConfigError> {
        if self.mail.url.is_some() && self.api.public_url.is_empty() {
            return Err(ConfigError::LettersNeedAddress);
        }
        if self.oidc.issuer.is_empty() != self.oidc.client_id.is_empty() {
            return Err(ConfigError::HalfAProvider);
        }
        if self.people.registration == RegistrationSetting::Open && self.mail.url.is_none() {
            return Err(ConfigError::RegistrationNeedsMail);
        }
        if self.api.tls_certificate.as_os_str().is_empty() != self.api.tls_key.as_os_str().is_empty() {
            return Err(ConfigError::HalfTls);
        }
        let role = match role {
            Role::Api => Some("`gantry api`"),
            Role::Worker => Some("`gantry worker`"),
            Role::Serve | Role::Tool => None,
        };
        match (self.database.url.expose().starts_with("sqlite:"), self.redis.url.is_some(), role) {
            (true, true, _) => Err(ConfigError::RedisWithoutPostgres),
            (true, false, Some(role)) => Err(ConfigError::NeedsPostgres { role }),
            (false, false, Some(role)) => Err(ConfigError::NeedsRedis { role }),
            _ => Ok(()),
        }
    }

    /// The vault's keys: those set, else, with SQLite, those of the file beside the database.
    ///
    /// # Errors
    /// When there are none, or they are not as they have to be.
    pub fn keys(&self) -> Result<Keys, ConfigError> {
        match (&self.vault.keys, sqlite_file(self.database.url.expose())) {
            (Some(keys), _) => Ok(Keys::parse(keys.expose())?),
            (None, Some(database)) => Ok(Keys::file_beside(&database)?.keys),
            (None, None) => Ok(Keys::parse("")?),
        }
    }
}

/// The file of an SQLite URL; none for Postgres and for databases in memory.
#[must_use]
pub fn sqlite_file(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    (!path.is_empty() && path != ":memory:").then(|| path.into())
}
