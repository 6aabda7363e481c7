//! Asking read models: by id, or a page at a time; one shape for all of them.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;

use super::{Row, ViewError};
use crate::db::{Db, micros, with_db};

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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Newest,
    Oldest,
    By { sort: &'static Sort, descending: bool },
}

/// What rows can be put in order by, besides when they were made. It is never null.
#[derive(Debug, PartialEq, Eq)]
pub struct Sort {
    /// As callers know it.
    pub field: &'static str,
    /// A column, or what is found for the row elsewhere; one of our own constants.
    pub column: &'static str,
    pub values: Values,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    Text,
    Number,
}

static CREATED: Sort = Sort { field: "created_at", column: "created_at", values: Values::Number };

impl Order {
    fn sort(self) -> &'static Sort {
        match self {
            Self::Newest | Self::Oldest => &CREATED,
            Self::By { sort, .. } => sort,
        }
    }

    const fn descends(self) -> bool {
        match self {
            Self::Newest => true,
            Self::Oldest => false,
            Self::By { descending, .. } => descending,
        }
    }

    const fn direction(self) -> &'static str {
        if self.descends() { "DESC" } else { "ASC" }
    }
}

impl Sort {
    /// Byte by byte on both databases, whatever language Postgres was set up for.
    fn expression(&self, db: &Db) -> String {
        match (self.values, db) {
            (Values::Text, Db::Postgres(_)) => format!("{} COLLATE \"C\"", self.column),
            _ => self.column.to_owned(),
        }
    }

    fn bind(&self, value: &str) -> Bind {
        match self.values {
            Values::Text => Bind::Text(value.to_owned()),
            Values::Number => Bind::Number(value.parse().unwrap_or_default()),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Paged<R> {
    pub items: Vec<R>,
    /// None when there is no more.
    pub next: Option<Cursor>,
}

/// Where a page ended. Its text means nothing to anybody but us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// By which field that page was in order.
    field: String,
    value: String,
    id: String,
}

impl Cursor {
    /// Whether it goes on with pages in that order.
    #[must_use]
    pub fn is_of(&self, order: Order) -> bool {
        self.field == order.sort().field
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cursor is not one that a page ended with; ask without one to begin anew")]
pub struct NotACursor;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(format!("{} {} {}", self.field, self.id, self.value)))
    }
}

impl FromStr for Cursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let text = String::from_utf8(hex::decode(text).map_err(|_| NotACursor)?).map_err(|_| NotACursor)?;
        let mut parts = text.splitn(3, ' ').map(str::to_owned);
        let mut part = || parts.next().ok_or(NotACursor);
        Ok(Self { field: part()?, id: part()?, value: part()? })
    }
}

/// What a question's rows have in common; column names are our own constants, values are always bound.
#[derive(Debug, Clone, Default)]
pub struct Conditions {
    texts: Vec<String>,
    binds: Vec<Bind>,
}

#[derive(Debug, Clone)]
enum Bind {
    Text(String),
    Number(i64),
}

impl Conditions {
    /// The column has this value; no condition without one.
    #[must_use]
    pub fn is(self, column: &'static str, value: Option<impl fmt::Display>) -> Self {
        match value {
            Some(value) => self.one_of(column, &[value]),
            None => self,
        }
    }

    /// The column has one of these values; no condition when there are none.
    #[must_use]
    pub fn one_of(mut self, column: &'static str, values: &[impl fmt::Display]) -> Self {
        if !values.is_empty() {
            let places: Vec<String> = values.iter().map(|value| self.bind(Bind::Text(value.to_string()))).collect();
            self.texts.push(format!("{column} IN ({})", places.join(", ")));
        }
        self
    }

    /// The column has one of these values; nothing is left when there are none.
    #[must_use]
    pub fn among(mut self, column: &'static str, values: &[impl fmt::Display]) -> Self {
        if values.is_empty() {
            self.texts.push("1 = 0".to_owned());
        }
        self.one_of(column, values)
    }

    /// The column has a value, and none of these.
    #[must_use]
    pub fn none_of(mut self, column: &'static str, values: &[impl fmt::Display]) -> Self {
        let places: Vec<String> = values.iter().map(|value| self.bind(Bind::Text(value.to_string()))).collect();
        match places.is_empty() {
            true => self.texts.push(format!("{column} IS NOT NULL")),
            false => self.texts.push(format!("{column} NOT IN ({})", places.join(", "))),
        }
        self
    }

    /// Created at this time or later.
    #[must_use]
    pub fn since(mut self, time: Option<DateTime<Utc>>) -> Self {
        if let Some(time) = time {
            let place = self.bind(Bind::Number(micros(time)));
            self.texts.push(format!("created_at >= {place}"));
        }
        self
    }

    /// Created before this time.
    #[must_use]
    pub fn until(mut self, time: Option<DateTime<Utc>>) -> Self {
        if let Some(time) = time {
            let place = self.bind(Bind::Number(micros(time)));
            self.texts.push(format!("created_at < {place}"));
        }
        self
    }

    fn beyond(mut self, cursor: &Cursor, order: Order, column: &str) -> Self {
        let sign = if order.descends() { "<" } else { ">" };
        let (value, id) = (self.bind(order.sort().bind(&cursor.value)), self.bind(Bind::Text(cursor.id.clone())));
        self.texts.push(format!("({column}, id) {sign} ({value}, {id})"));
        self
    }

    /// The log's positions beyond this one.
    pub(super) fn past(mut self, position: Option<i64>, order: Order) -> Self {
        if let Some(position) = position {
            let place = self.bind(Bind::Number(position));
            let sign = if order.descends() { "<" } else { ">" };
            self.texts.push(format!("l.position {sign} {place}"));
        }
        self
    }

    /// Recorded at this time or later, and before the other.
    pub(super) fn at(mut self, since: Option<DateTime<Utc>>, until: Option<DateTime<Utc>>) -> Self {
        for (sign, time) in [(">=", since), ("<", until)] {
            if let Some(time) = time {
                let place = self.bind(Bind::Number(micros(time)));
                self.texts.push(format!("a.at {sign} {place}"));
            }
        }
        self
    }

    fn bind(&mut self, value: Bind) -> String {
        self.binds.push(value);
        format!("${}", self.binds.len())
    }

    fn clause(&self) -> String {
        if self.texts.is_empty() { String::new() } else { format!("WHERE {}", self.texts.join(" AND ")) }
    }
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
    let sql = format!(
        "SELECT id, CAST({column} AS TEXT), document FROM {} {clause} ORDER BY {column} {direction}, id {direction} LIMIT {place}",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_from_its_text_and_nothing_else_does() {
        let cursor = Cursor { field: "hostname".into(), value: "a b  c".into(), id: "0199-a".into() };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for text in ["", "zz", "3137", "ffff"] {
            assert_eq!(text.parse::<Cursor>(), Err(NotACursor), "{text}");
        }
    }
}
