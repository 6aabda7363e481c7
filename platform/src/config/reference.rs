//! The page about settings, made from the defaults so that it can't be behind them.

use std::fmt::Write as _;

use super::layers::DEFAULTS;

const HEAD: &str = "\
# Settings

Made from `platform/src/config/defaults.toml` by `cargo run -p platform --example configuration > docs/configuration.md`; a test holds the two equal.

What is set later in this list wins: the defaults below, the settings file (`--config FILE`, else `GANTRY_CONFIG`, else
`./gantry.toml` if there is one), the environment (`GANTRY_SECTION__KEY`; also `DATABASE_URL`, `REDIS_URL`,
`GANTRY_VAULT_KEYS`, `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_HEADERS` and `OTEL_SERVICE_NAME`), flags. A variable that is set but empty counts as not set. An unknown key is refused, and so are
backends that do not fit together. `gantry config` prints what is in force and where each value is from, with secrets masked.

| Run as | Database | Redis |
|---|---|---|
| `gantry serve` | SQLite or Postgres | only with Postgres, and not needed |
| `gantry api`, `gantry worker` | Postgres | needed |
";

/// The page, as Markdown.
#[must_use]
pub fn reference() -> String {
    let mut page = HEAD.to_owned();
    let (mut section, mut notes) = (String::new(), String::new());
    for line in DEFAULTS.lines() {
        if let Some(note) = line.strip_prefix('#') {
            notes = format!("{notes}{note}").trim().to_owned();
        } else if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.clone_into(&mut section);
            let _ = write!(page, "\n## {name}\n\n{notes}\n\n| Key | Default | Environment | |\n|---|---|---|---|\n");
            notes.clear();
        } else if let Some((key, default)) = line.split_once(" = ") {
            let variable = format!("GANTRY_{}__{}", section.to_uppercase(), key.to_uppercase());
            let _ = writeln!(page, "| `{section}.{key}` | `{default}` | `{variable}` | {notes} |");
            notes.clear();
        }
    }
    page
}
