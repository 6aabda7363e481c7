//! Read models of one row per stream: the row is what folding the stream leads to, in a shape made to be asked for.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use domain::{Aggregate, Recorded, StreamId, Version};
use futures_util::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use sqlx::AssertSqlSafe;

use super::{Conditions, Sort, Table, View, ViewError, fold::Folds};
use crate::db::{Tx, micros, with_tx};

/// The row of a read model: kept whole as a document, with the columns beside it that one can ask by.
///
/// Every table has `id`, then the TEXT columns to ask by, then `version`, `created_at`, `updated_at`, `document`.
pub trait Row: Serialize + DeserializeOwned + Send + Sync + 'static {
    type Aggregate: Aggregate<Event: Send + Sync> + Send + Sync;
    /// What one can ask by.
    type Filter: Sync;

    const CATEGORIES: &'static [&'static str] = &[Self::Aggregate::CATEGORY];
    const TABLE: Table;
    /// What lists can be sorted by, besides when things were made.
    const SORTS: &'static [Sort] = &[];

    /// None when the stream is not to be seen (yet, or any more).
    /// `history` has the last event of each kind, in order: a stream may be long, what a row takes from it may not.
    fn of(
        life: &Life,
        state: &Self::Aggregate,
        history: &[Stamped<<Self::Aggregate as Aggregate>::Event>],
    ) -> Option<Self>;

    /// The values of the columns to ask by, in the table's order.
    fn filters(&self) -> Vec<Option<String>>;

    fn conditions(filter: &Self::Filter) -> Conditions;
}

/// When and how far a stream has come.
#[derive(Debug, Clone)]
pub struct Life {
    pub stream: StreamId,
    pub version: Version,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// An event with the circumstances that a row may show.
#[derive(Debug, Clone)]
pub struct Stamped<E> {
    pub event: E,
    pub version: Version,
    pub at: DateTime<Utc>,
}

/// The view that keeps the rows.
#[derive(Debug)]
pub struct Rows<R: Row>(Folds<R::Aggregate>);

impl<R: Row> Default for Rows<R> {
    fn default() -> Self {
        Self(Folds::new(R::TABLE.name))
    }
}

impl<R: Row> View for Rows<R> {
    fn name(&self) -> &'static str {
        R::TABLE.name
    }

    fn categories(&self) -> &'static [&'static str] {
        R::CATEGORIES
    }

    fn tables(&self) -> &'static [Table] {
        const { &[R::TABLE] }
    }

    fn project<'a>(&'a self, tx: &'a mut Tx, events: &'a [&'a Recorded]) -> BoxFuture<'a, Result<(), ViewError>> {
        Box::pin(async move {
            let mut folded = self.0.after(tx, events).await?;
            // Who gave up a name or a place that must be unique did so before another took it.
            folded.sort_by_key(|fold| fold.position);
            let begun: HashSet<&StreamId> =
                events.iter().filter(|event| event.version.0 == 1).map(|event| &event.stream).collect();
            let mut changes = Vec::with_capacity(folded.len());
            for fold in &folded {
                match R::of(&fold.life, &fold.state, fold.history()) {
                    Some(row) => changes.push(Change::Put(columns(&fold.life, &row)?)),
                    // Of what has only begun there is no row yet.
                    None if begun.contains(&fold.life.stream) => {}
                    None => changes.push(Change::Remove(fold.life.stream.id().into())),
                }
            }
            // A batch is few statements, however many rows it changes.
            for alike in changes.chunk_by(|a, b| matches!(a, Change::Put(_)) == matches!(b, Change::Put(_))) {
                write::<R>(tx, alike).await?;
            }
            self.0.keep(folded);
            Ok(())
        })
    }
}

/// What is to become of a row.
enum Change {
    /// Its columns, in the table's order.
    Put(Value),
    /// By its id.
    Remove(Value),
}

fn columns<R: Row>(life: &Life, row: &R) -> Result<Value, ViewError> {
    let damaged = |source| ViewError::Row { view: R::TABLE.name, id: life.stream.id().to_owned(), source };
    let document = serde_json::to_string(row).map_err(damaged)?;
    let mut columns = vec![Value::from(life.stream.id())];
    columns.extend(row.filters().into_iter().map(Value::from));
    columns.extend([life.version.0, micros(life.created_at), micros(life.updated_at)].map(Value::from));
    columns.push(document.into());
    Ok(columns.into())
}

async fn write<R: Row>(tx: &mut Tx, alike: &[Change]) -> Result<(), ViewError> {
    let sql = match (alike.first(), &*tx) {
        (Some(Change::Put(_)), Tx::Postgres(_)) => {
            put_sql::<R>("json_array_elements(CAST($1 AS JSON)) AS asked(value)")
        }
        (Some(Change::Put(_)), Tx::Sqlite(_)) => put_sql::<R>("json_each($1)"),
        // As an array: with a set Postgres reads the whole table as long as that looks small.
        (_, Tx::Postgres(_)) => remove_sql::<R>("= ANY (ARRAY (SELECT json_array_elements_text(CAST($1 AS JSON))))"),
        (_, Tx::Sqlite(_)) => remove_sql::<R>("IN (SELECT value FROM json_each($1))"),
    };
    let rows = alike.iter().map(|(Change::Put(row) | Change::Remove(row))| row);
    let rows = serde_json::to_string(&rows.collect::<Vec<_>>());
    let rows = rows.map_err(|error| ViewError::Refused(error.to_string()))?;
    with_tx!(tx, conn => sqlx::query(AssertSqlSafe(sql)).bind(rows).execute(conn).await.map(drop))?;
    Ok(())
}

/// A unit variant's name as it is in JSON.
pub(super) fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Rows are taken in their order, so that one may take what the one before it has given up.
fn put_sql<R: Row>(rows: &str) -> String {
    let columns = R::TABLE.columns;
    let value = |(at, column): (usize, &&str)| match *column {
        "version" | "created_at" | "updated_at" => format!("CAST(value ->> {at} AS BIGINT)"),
        _ => format!("value ->> {at}"),
    };
    let values: Vec<String> = columns.iter().enumerate().map(value).collect();
    let changes: Vec<String> = columns.iter().skip(1).map(|column| format!("{column} = excluded.{column}")).collect();
    // SQLite takes ON for a join's without the WHERE.
    format!(
        "INSERT INTO {} ({}) SELECT {} FROM {rows} WHERE true ON CONFLICT (id) DO UPDATE SET {}",
        R::TABLE.name,
        columns.join(", "),
        values.join(", "),
        changes.join(", ")
    )
}

fn remove_sql<R: Row>(one_of: &str) -> String {
    format!("DELETE FROM {} WHERE id {one_of}", R::TABLE.name)
}
