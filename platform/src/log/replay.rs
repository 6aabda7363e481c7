//! Making every read model again from the log, and comparing it with the one that is there.

use domain::{Position, Recorded};
use sqlx::AssertSqlSafe;

use super::{Log, LogError, read, write};
use crate::{
    db::{Tx, with_tx},
    views::{self, Table, ViewError},
};

const CHUNK: i64 = 2000;
/// Differing rows shown per table.
const EXAMPLES: i64 = 5;

/// What to do with what was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaying {
    /// Compare only.
    Compare,
    /// Keep it in the place of what was there.
    Rebuild,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    pub events: i64,
    pub tables: Vec<TableReport>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableReport {
    pub table: &'static str,
    pub rows: i64,
    /// Rows that were there and that the log does not lead to; a changed row counts here and in `missing`.
    pub wrong: i64,
    /// Rows that the log leads to and that were not there.
    pub missing: i64,
    /// Keys of some of them.
    pub examples: Vec<String>,
}

impl Replayed {
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.tables.iter().all(|table| table.wrong == 0 && table.missing == 0)
    }
}

impl Log {
    /// All in one transaction under the head's lock: appends wait meanwhile, and readers see the old tables until the end.
    ///
    /// # Errors
    /// When the database can't be read or written, or an event can't be read.
    pub async fn replay(&self, what: Replaying) -> Result<Replayed, LogError> {
        let mut tx = self.db().begin_long().await?;
        let end = write::lock_head(&mut tx).await?.position;
        let tables: Vec<Table> =
            self.views().iter().filter(|v| v.replayed()).flat_map(|v| v.tables()).copied().collect();
        for table in &tables {
            run(
                &mut tx,
                format!(
                    "CREATE TEMPORARY TABLE before_{0} AS SELECT {1} FROM {0}",
                    table.name,
                    table.columns.join(", ")
                ),
            )
            .await?;
            run(&mut tx, format!("DELETE FROM {}", table.name)).await?;
        }
        let mut at = 0;
        while at < end {
            let rows = read::rows_after(self.db(), at, CHUNK.min(end - at)).await?;
            let first = rows.first().map_or(end + 1, |row| row.0);
            if first != at + 1 {
                return Err(LogError::Gap { from: Position(at + 1), to: Position(first - 1) });
            }
            let events: Vec<Recorded> = rows.into_iter().map(read::recorded).collect::<Result<_, _>>()?;
            at = events.last().map_or(end, |event| event.position.0);
            views::project_all(self.views(), &mut tx, &events).await?;
        }
        let mut reports = Vec::new();
        for table in &tables {
            reports.push(compare(&mut tx, table).await?);
            run(&mut tx, format!("DROP TABLE before_{}", table.name)).await?;
        }
        match what {
            Replaying::Rebuild => tx.commit().await?,
            Replaying::Compare => tx.rollback().await?,
        }
        Ok(Replayed { events: end, tables: reports })
    }
}

async fn compare(tx: &mut Tx, table: &Table) -> Result<TableReport, LogError> {
    let columns = table.columns.join(", ");
    let (now, before) = (table.name.to_owned(), format!("before_{}", table.name));
    let difference =
        |these: &str, those: &str| format!("(SELECT {columns} FROM {these} EXCEPT SELECT {columns} FROM {those}) AS d");
    let (wrong, missing) = (difference(&before, &now), difference(&now, &before));
    let keys = format!(
        "SELECT DISTINCT key FROM (SELECT CAST({0} AS TEXT) AS key FROM {wrong} UNION ALL SELECT CAST({0} AS TEXT) AS key FROM {missing}) AS k
         ORDER BY key LIMIT {EXAMPLES}",
        table.key
    );
    Ok(TableReport {
        table: table.name,
        rows: count(tx, format!("SELECT COUNT(*) FROM {now}")).await?,
        wrong: count(tx, format!("SELECT COUNT(*) FROM {wrong}")).await?,
        missing: count(tx, format!("SELECT COUNT(*) FROM {missing}")).await?,
        examples: with_tx!(tx, conn => sqlx::query_scalar(AssertSqlSafe(keys)).fetch_all(conn).await)?,
    })
}

async fn run(tx: &mut Tx, sql: String) -> Result<(), ViewError> {
    Ok(with_tx!(tx, conn => sqlx::query(AssertSqlSafe(sql)).execute(conn).await.map(drop))?)
}

async fn count(tx: &mut Tx, sql: String) -> Result<i64, LogError> {
    Ok(with_tx!(tx, conn => sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(conn).await)?)
}
