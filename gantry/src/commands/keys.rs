use platform::{
    clock::Clock,
    vault::{Vault, new_key},
};
use serde_json::json;

use crate::{
    exit::{Exit, Failure, Outcome},
    output::Output,
    settings::{self, From},
};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Keys {
    /// Makes a key and prints it; nothing is kept.
    New,
    /// Seals every secret anew with the first of the keys, so that the others can be thrown away.
    Rotate,
}

impl Keys {
    pub(crate) async fn run(self, from: &From, out: Output) -> Outcome {
        match self {
            Self::New => new(out),
            Self::Rotate => rotate(from, out).await,
        }
    }
}

/// Alone on its line, so that `$(gantry keys new)` is the key.
fn new(out: Output) -> Outcome {
    let key = new_key()?;
    out.answer(&json!({ "key": key.expose() }), || key.expose().to_owned());
    Ok(Exit::Done)
}

async fn rotate(from: &From, out: Output) -> Outcome {
    let config = from.of_a_tool()?;
    let keys = config.keys().map_err(settings::wrong)?;
    let db = settings::present(&config).await?;
    let rotated = Vault::new(db, keys, Clock::system()).rotate().await?;
    let unreadable: Vec<_> = rotated
        .unreadable
        .iter()
        .map(|row| json!({ "id": row.id, "record": row.record, "why": row.why.to_string() }))
        .collect();
    out.answer(&json!({ "resealed": rotated.resealed, "unreadable": unreadable }), || {
        let mut words = format!("{} secrets were sealed anew with the first key.", rotated.resealed);
        for row in &rotated.unreadable {
            words += &format!("\n  left as it was: {} ({}): {}", row.record, row.id, row.why);
        }
        words
    });
    if rotated.unreadable.is_empty() {
        return Ok(Exit::Done);
    }
    Err(Failure::new(Exit::Failed, format!("{} secrets can't be opened with these keys", rotated.unreadable.len()))
        .next("add the key that they were sealed with to GANTRY_VAULT_KEYS, and run it again; throw no key away until then"))
}
