//! In which order rows are shown, and where a page ended.

use std::{fmt, str::FromStr};

use super::conditions::Bind;
use crate::db::Db;

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
    pub(super) fn sort(self) -> &'static Sort {
        match self {
            Self::Newest | Self::Oldest => &CREATED,
            Self::By { sort, .. } => sort,
        }
    }

    pub(super) const fn descends(self) -> bool {
        match self {
            Self::Newest => true,
            Self::Oldest => false,
            Self::By { descending, .. } => descending,
        }
    }

    pub(super) const fn direction(self) -> &'static str {
        if self.descends() { "DESC" } else { "ASC" }
    }
}

impl Sort {
    /// Byte by byte on both databases, whatever language Postgres was set up for.
    pub(super) fn expression(&self, db: &Db) -> String {
        match (self.values, db) {
            (Values::Text, Db::Postgres(_)) => format!("{} COLLATE \"C\"", self.column),
            _ => self.column.to_owned(),
        }
    }

    pub(super) fn bind(&self, value: &str) -> Bind {
        match self.values {
            Values::Text => Bind::Text(value.to_owned()),
            Values::Number => Bind::Number(value.parse().unwrap_or_default()),
        }
    }
}

/// Where a page ended. Its text means nothing to anybody but us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// By which field that page was in order.
    pub(super) field: String,
    pub(super) value: String,
    pub(super) id: String,
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
