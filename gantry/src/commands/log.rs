//! `gantry log …` and `gantry migrate`: looking after the event log.

use std::{io::Write, path::PathBuf};

use anyhow::{Context as _, bail};
use platform::{
    clock::{self, Clock},
    db::Db,
    log::{Log, Replayed, Replaying},
    views,
};
use tokio::{fs::File, io::BufReader};

#[derive(Debug, clap::Subcommand)]
pub enum LogCommand {
    /// Checks every event against the chain of hashes; says where the first damage is.
    Verify,
    /// Writes every event as a line of JSON.
    Export {
        /// Where to; must not exist yet.
        file: PathBuf,
    },
    /// Fills an empty log from exported lines, with the same positions and hashes.
    Import { file: PathBuf },
    /// Makes every read model again from the log and compares it with the present one.
    Replay {
        /// Keep what was made; appends wait meanwhile.
        #[arg(long)]
        rebuild: bool,
    },
}

/// Brings the schema up to this program's.
pub async fn migrate(db: &Db, out: &mut impl Write) -> anyhow::Result<()> {
    let migrated = db.migrate(clock::now()).await?;
    if migrated.applied.is_empty() {
        writeln!(out, "The schema is {} already, nothing to do.", migrated.schema)?;
    } else {
        writeln!(out, "Applied {}; the schema is {} now.", migrated.applied.join(", "), migrated.schema)?;
    }
    Ok(())
}

/// Fails when the log is damaged or read models differ, so that scripts notice.
pub async fn run(db: Db, command: LogCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let log = Log::open(db, views::all(), Clock::system()).await?;
    match command {
        LogCommand::Verify => {
            let end = log.verify().await?.end;
            writeln!(out, "The log is whole: {} events, the last one's hash is {}", end.position, end.hash)?;
        }
        LogCommand::Export { file } => {
            let to = File::create_new(&file).await.with_context(|| format!("{} can't be made", file.display()))?;
            let events = log.export(to).await?;
            writeln!(out, "Wrote {events} events to {}", file.display())?;
        }
        LogCommand::Import { file } => {
            let from = File::open(&file).await.with_context(|| format!("{} can't be read", file.display()))?;
            let events = log.import(BufReader::new(from)).await.with_context(|| format!("in {}", file.display()))?;
            writeln!(out, "Imported {events} events, and made the read models from them")?;
        }
        LogCommand::Replay { rebuild } => {
            let what = if rebuild { Replaying::Rebuild } else { Replaying::Compare };
            let replayed = log.replay(what).await?;
            report(&replayed, out)?;
            if !replayed.agrees() && !rebuild {
                bail!("read models differ from the log; `gantry log replay --rebuild` mends them");
            }
        }
    }
    log.close().await;
    Ok(())
}

fn report(replayed: &Replayed, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "Replayed {} events", replayed.events)?;
    for table in &replayed.tables {
        if table.wrong == 0 && table.missing == 0 {
            writeln!(out, "{}: {} rows, as they were", table.table, table.rows)?;
        } else {
            let examples = table.examples.join(", ");
            let (wrong, missing) = (table.wrong, table.missing);
            writeln!(
                out,
                "{}: {} rows; {wrong} were there and wrong, {missing} were not there: {examples}",
                table.table, table.rows
            )?;
        }
    }
    Ok(())
}
