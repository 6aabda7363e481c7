//! Asking read models: by id, or a page at a time; one shape for all of them.

mod conditions;
mod order;

use std::fmt;

use sqlx::AssertSqlSafe;

use super::{Row, ViewError};
use crate::db::{Db, with_db};
use conditions::Bind;
pub use conditions::Conditions;
pub use order::{Cursor, NotACursor, Order, Sort, Values};

/// The most rows of one page.
pub const MOST: u32 = 500;

#[derive(Debug, Clone)]
pub struct Page {
    pub limit: u32,
    /// Where the page before ended.
    pub after: Option<Cursor>,
    pub order: Order,
}

impl Default for Page {
    fn default() -> Self {
        Self { limit: 50, after: None, order: Order::Newest }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Paged<R> {
    pub items: Vec<R>,
    /// None when there is no more.
    pub next: Option<Cursor>,
}

/// Recorded events that the conditions hold for, in the order of their positions.
pub(super) async fn recorded(
    db: &Db,
    mut conditions: Conditions,
    order: Order,
    limit: i64,
) -> Result<Vec<crate::log::StoredRow>, ViewError> {
    let direction = order.direction();
    let clause = conditions.clause();
    let place = conditions.bind(Bind::Number(limit));
    let sql = format!(
        "SELECT l.position, l.stream, l.version, l.kind, l.kind_version, l.data, l.meta, l.recorded_at, l.hash
         FROM audit a JOIN log l ON l.position = a.position {clause} ORDER BY l.position {direction} LIMIT {place}"
    );
    Ok(with_db!(db, pool => {
        let mut query = sqlx::query_as(AssertSqlSafe(sql));
        for bind in conditions.binds {
            query = match bind {
                Bind::Text(text) => query.bind(text),
                Bind::Number(number) => query.bind(number),
            };
        }
        query.fetch_all(pool).await
    })?)
}

/// The row of this id.
///
/// # Errors
/// When the database can't be read.
pub async fn get<R: Row>(db: &Db, id: impl fmt::Display) -> Result<Option<R>, ViewError> {
    let sql = format!("SELECT document FROM {} WHERE id = $1", R::TABLE.name);
    let id = id.to_string();
    let found: Option<String> =
        with_db!(db, pool => sqlx::query_scalar(AssertSqlSafe(sql)).bind(&id).fetch_optional(pool).await)?;
    found.map(|document| parse(id, &document)).transpose()
}

/// A page of rows, in the order that is asked for; what is equal in that is in the order of the ids.
///
/// # Errors
/// When the database can't be read.
pub async fn page<R: Row>(db: &Db, filter: &R::Filter, page: &Page) -> Result<Paged<R>, ViewError> {
    let mut conditions = R::conditions(filter);
    let (column, direction) = (page.order.sort().expression(db), page.order.direction());
    if let Some(cursor) = &page.after {
        conditions = conditions.beyond(cursor, page.order, &column);
    }
    let limit = page.limit.clamp(1, MOST);
    let clause = conditions.clause();
    // One more than asked says whether there is a next page.
    let place = conditions.bind(Bind::Number(i64::from(limit) + 1));
    // Without a name of its own the text would be what Postgres orders by, and no index has that.
    let sql = format!(
        "SELECT id, CAST({column} AS TEXT) AS sorted_by, document FROM {} {clause} ORDER BY {column} {direction}, id {direction} LIMIT {place}",
        R::TABLE.name
    );
    let mut rows: Vec<(String, String, String)> = with_db!(db, pool => {
        let mut query = sqlx::query_as(AssertSqlSafe(sql));
        for bind in conditions.binds {
            query = match bind {
                Bind::Text(text) => query.bind(text),
                Bind::Number(number) => query.bind(number),
            };
        }
        query.fetch_all(pool).await
    })?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let field = page.order.sort().field;
    let cursor = |(id, value, _): &(String, String, String)| Cursor {
        field: field.to_owned(),
        value: value.clone(),
        id: id.clone(),
    };
    let next = rows.last().filter(|_| more).map(cursor);
    let items = rows.into_iter().map(|(id, _, document)| parse(id, &document)).collect::<Result<_, _>>()?;
    Ok(Paged { items, next })
}

fn parse<R: Row>(id: String, document: &str) -> Result<R, ViewError> {
    serde_json::from_str(document).map_err(|source| ViewError::Row { view: R::TABLE.name, id, source })
}
