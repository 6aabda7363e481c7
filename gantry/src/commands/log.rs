//! The event log as a file: is it whole, out of one database, into another, and the read models made from it.

use std::path::{Path, PathBuf};

use platform::log::{Replayed, Replaying, VerifyError};
use serde_json::json;
use tokio::io::{AsyncBufRead, AsyncWrite, BufReader, BufWriter};

use crate::{
    database::{self, Place},
    exit::{Exit, Failure, Outcome, While as _},
    output::{Colour, Output},
};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Log {
    /// Walks the chain of hashes and tells the first event that was changed, removed or moved.
    Verify {
        #[command(flatten)]
        place: Place,
    },
    /// Writes every event as a line of JSON.
    Export {
        #[command(flatten)]
        place: Place,
        /// Where to; standard output when it is not given.
        file: Option<PathBuf>,
    },
    /// Fills an empty log from an export; positions and hashes stay as they were.
    Import {
        #[command(flatten)]
        place: Place,
        /// Where from; `-` is standard input.
        file: PathBuf,
    },
    /// Makes every read model from the log again and compares it with what is there.
    Replay {
        #[command(flatten)]
        place: Place,
        /// Keep what was made, in place of what was there.
        #[arg(long)]
        rebuild: bool,
    },
}

impl Log {
    pub(crate) async fn run(self, out: Output) -> Outcome {
        match self {
            Self::Verify { place } => verify(&place, out).await,
            Self::Export { place, file } => export(&place, file.as_deref(), out).await,
            Self::Import { place, file } => import(&place, &file, out).await,
            Self::Replay { place, rebuild } => replay(&place, rebuild, out).await,
        }
    }
}

async fn verify(place: &Place, out: Output) -> Outcome {
    match database::log(place).await?.verify().await {
        Ok(verified) => {
            let (events, hash) = (verified.end.position.0, &verified.end.hash);
            out.answer(&json!({ "whole": true, "events": events, "hash": hash }), || {
                let good = out.paint(Colour::Good, "The log is whole:");
                format!("{good} {events} events, the last one's hash is {hash}.\nNote the hash elsewhere to see later that nothing was cut off.")
            });
            Ok(Exit::Done)
        }
        Err(VerifyError::Damaged(damage)) => {
            Err(Failure::from(anyhow::Error::new(damage).context("the log is damaged"))
                .next("restore the last backup that verifies; `gantry log export` writes what can still be read"))
        }
        Err(error) => Err(error.into()),
    }
}

async fn export(place: &Place, file: Option<&Path>, out: Output) -> Outcome {
    let log = database::log(place).await?;
    let Some(file) = file else {
        log.export(BufWriter::new(tokio::io::stdout())).await?;
        return Ok(Exit::Done);
    };
    let target: Box<dyn AsyncWrite + Unpin> =
        Box::new(BufWriter::new(tokio::fs::File::create_new(file).await.during(format!("making {}", file.display()))?));
    let events = log.export(target).await.during(format!("writing {}", file.display()))?;
    out.answer(&json!({ "events": events, "file": file }), || format!("{events} events are in {}.", file.display()));
    Ok(Exit::Done)
}

async fn import(place: &Place, file: &Path, out: Output) -> Outcome {
    let input: Box<dyn AsyncBufRead + Unpin> = if file == Path::new("-") {
        Box::new(BufReader::new(tokio::io::stdin()))
    } else {
        let file = tokio::fs::File::open(file).await.during(format!("opening {}", file.display()))?;
        Box::new(BufReader::new(file))
    };
    let events = database::log(place).await?.import(input).await?;
    out.answer(&json!({ "events": events }), || {
        format!("{events} events were imported; the read models are made from them.")
    });
    Ok(Exit::Done)
}

async fn replay(place: &Place, rebuild: bool, out: Output) -> Outcome {
    let what = if rebuild { Replaying::Rebuild } else { Replaying::Compare };
    let replayed = database::log(place).await?.replay(what).await?;
    let tables: Vec<_> = replayed
        .tables
        .iter()
        .map(|t| json!({ "table": t.table, "rows": t.rows, "wrong": t.wrong, "missing": t.missing, "examples": t.examples }))
        .collect();
    let told = json!({ "events": replayed.events, "agrees": replayed.agrees(), "rebuilt": rebuild, "tables": tables });
    out.answer(&told, || in_words(&replayed, out));
    if replayed.agrees() || rebuild {
        return Ok(Exit::Done);
    }
    Err(Failure::new(Exit::Failed, "the read models are not what the log leads to")
        .next("`gantry log replay --rebuild` makes them anew, then report this: it must not happen"))
}

fn in_words(replayed: &Replayed, out: Output) -> String {
    let mut table = out.table(["read model", "rows", "wrong", "missing", "for example"]);
    for report in &replayed.tables {
        let bad = |count: i64| (count.to_string(), (count > 0).then_some(Colour::Bad));
        table.row([
            (report.table.to_owned(), None),
            (report.rows.to_string(), None),
            bad(report.wrong),
            bad(report.missing),
            (report.examples.join(" "), Some(Colour::Faint)),
        ]);
    }
    let agreed = if replayed.agrees() { "all of it agrees" } else { "not all of it agrees" };
    format!("{}\n{} events were folded again; {agreed}.", table.or_else("There are no read models."), replayed.events)
}
