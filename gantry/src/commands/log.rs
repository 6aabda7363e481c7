//! The event log as a file: is it whole, out of one database, into another, and the read models made from it.

use std::path::{Path, PathBuf};

use platform::log::{Log as EventLog, Replayed, Replaying, VerifyError};
use serde_json::json;
use tokio::io::{AsyncBufRead, AsyncWrite, BufReader, BufWriter};

use crate::{
    exit::{Exit, Failure, Outcome, While as _},
    output::{Colour, Output},
    settings::{self, From},
};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Log {
    /// Walks the chain of hashes and tells the first event that was changed, removed or moved.
    Verify,
    /// Writes every event as a line of JSON.
    Export {
        /// Where to; standard output when it is not given.
        file: Option<PathBuf>,
    },
    /// Fills an empty log from an export; positions and hashes stay as they were.
    Import {
        /// Where from; `-` is standard input.
        file: PathBuf,
    },
    /// Makes every read model from the log again and compares it with what is there.
    Replay {
        /// Keep what was made, in place of what was there.
        #[arg(long)]
        rebuild: bool,
    },
}

impl Log {
    pub(crate) async fn run(self, from: &From, out: Output) -> Outcome {
        let log = settings::log(&from.of_a_tool()?).await?;
        match self {
            Self::Verify => verify(&log, out).await,
            Self::Export { file } => export(&log, file.as_deref(), out).await,
            Self::Import { file } => import(&log, &file, out).await,
            Self::Replay { rebuild } => replay(&log, rebuild, out).await,
        }
    }
}

async fn verify(log: &EventLog, out: Output) -> Outcome {
    match log.verify().await {
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

async fn export(log: &EventLog, file: Option<&Path>, out: Output) -> Outcome {
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

async fn import(log: &EventLog, file: &Path, out: Output) -> Outcome {
    let input: Box<dyn AsyncBufRead + Unpin> = if file == Path::new("-") {
        Box::new(BufReader::new(tokio::io::stdin()))
    } else {
        let file = tokio::fs::File::open(file).await.during(format!("opening {}", file.display()))?;
        Box::new(BufReader::new(file))
    };
    let events = log.import(input).await?;
    out.answer(&json!({ "events": events }), || {
        format!("{events} events were imported; the read models are made from them.")
    });
    Ok(Exit::Done)
}

async fn replay(log: &EventLog, rebuild: bool, out: Output) -> Outcome {
    let what = if rebuild { Replaying::Rebuild } else { Replaying::Compare };
    let replayed = log.replay(what).await?;
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
