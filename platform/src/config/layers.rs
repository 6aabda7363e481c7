//! The layers laid over each other. The defaults name every key there is and the kind of its value.

use std::path::Path;

use toml::{Table, Value};

use super::{ConfigError, Setting, Source, mask};

pub(super) const DEFAULTS: &str = include_str!("defaults.toml");

/// Names that other programs use too, or that we promised.
const SHORT: &[(&str, &str)] = &[
    ("DATABASE_URL", "database.url"),
    ("REDIS_URL", "redis.url"),
    ("GANTRY_VAULT_KEYS", "vault.keys"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "traces.endpoint"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "traces.headers"),
    ("OTEL_SERVICE_NAME", "traces.service"),
];

pub(super) struct Entry {
    pub key: String,
    pub value: Value,
    pub source: Source,
}

pub(super) struct Layers(pub Vec<Entry>);

impl Layers {
    pub(super) fn defaults() -> Result<Self, ConfigError> {
        let table: Table = DEFAULTS.parse().map_err(|error: toml::de::Error| ConfigError::Shape(error.to_string()))?;
        let entry = |(key, value)| Entry { key, value, source: Source::Default };
        Ok(Self(flat(table).into_iter().map(entry).collect()))
    }

    pub(super) fn file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            // The parser's own rendering quotes the line, which may hold a key.
            let (line, what) = (before.matches('\n').count() + 1, error.message().to_owned());
            ConfigError::Syntax { path: path.to_owned(), line, what }
        })?;
        flat(table).into_iter().try_for_each(|(key, value)| self.set(&key, value, Source::File(path.to_owned())))
    }

    /// `GANTRY_SECTION__KEY`, and the short names; the long one wins. Set but empty is as good as not set.
    pub(super) fn environment(&mut self, variables: &[(String, String)]) -> Result<(), ConfigError> {
        let given = || variables.iter().filter(|(_, value)| !value.is_empty());
        for (name, value) in given() {
            if let Some((_, key)) = SHORT.iter().find(|(short, _)| short == name) {
                self.set_text(key, value, Source::Environment(name.clone()))?;
            }
        }
        for (name, value) in given() {
            if let Some((section, key)) = name.strip_prefix("GANTRY_").and_then(|rest| rest.split_once("__")) {
                let key = format!("{section}.{key}").to_ascii_lowercase();
                self.set_text(&key, value, Source::Environment(name.clone()))?;
            }
        }
        Ok(())
    }

    pub(super) fn flags(&mut self, flags: &[(String, String)]) -> Result<(), ConfigError> {
        flags.iter().try_for_each(|(key, value)| self.set_text(key, value, Source::Flag))
    }

    pub(super) fn report(&self) -> Vec<Setting> {
        let shown = |entry: &Entry| Setting {
            key: entry.key.clone(),
            value: mask::value(&entry.key, &plain(&entry.value)),
            source: entry.source.clone(),
        };
        self.0.iter().map(shown).collect()
    }

    /// A text, read as the kind of value that the default is.
    fn set_text(&mut self, key: &str, text: &str, source: Source) -> Result<(), ConfigError> {
        let as_given = || Value::String(text.to_owned());
        let value = match self.entry(key, &source)?.value {
            Value::Integer(_) => text.parse().map_or_else(|_| as_given(), Value::Integer),
            Value::Boolean(_) => text.parse().map_or_else(|_| as_given(), Value::Boolean),
            _ => as_given(),
        };
        self.set(key, value, source)
    }

    fn set(&mut self, key: &str, value: Value, source: Source) -> Result<(), ConfigError> {
        let entry = self.entry(key, &source)?;
        if !entry.value.same_type(&value) {
            let wanted = match entry.value {
                Value::Integer(_) => "a whole number",
                Value::Boolean(_) => "true or false",
                _ => "a text",
            };
            let value = mask::value(key, &plain(&value));
            return Err(ConfigError::Value { key: key.to_owned(), from: source, wanted: wanted.to_owned(), value });
        }
        (entry.value, entry.source) = (value, source);
        Ok(())
    }

    fn entry(&mut self, key: &str, from: &Source) -> Result<&mut Entry, ConfigError> {
        match self.0.iter().position(|entry| entry.key == key) {
            Some(at) => Ok(&mut self.0[at]),
            None => {
                let distance = |entry: &&Entry| strsim::damerau_levenshtein(&entry.key, key);
                let nearest = self.0.iter().min_by_key(distance).map(|entry| entry.key.clone()).unwrap_or_default();
                Err(ConfigError::UnknownKey { key: key.to_owned(), from: from.clone(), nearest })
            }
        }
    }
}

/// `section.key` and value, in their order.
fn flat(table: Table) -> Vec<(String, Value)> {
    let mut entries = Vec::new();
    for (section, value) in table {
        match value {
            Value::Table(table) => {
                entries.extend(table.into_iter().map(|(key, value)| (format!("{section}.{key}"), value)));
            }
            other => entries.push((section, other)),
        }
    }
    entries
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
