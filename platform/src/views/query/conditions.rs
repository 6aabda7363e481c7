//! What the rows of an answer have in common.

use std::fmt;

use chrono::{DateTime, Utc};

use super::order::{Cursor, Order};
use crate::db::micros;

/// What a question's rows have in common; column names are our own constants, values are always bound.
#[derive(Debug, Clone, Default)]
pub struct Conditions {
    texts: Vec<String>,
    pub(super) binds: Vec<Bind>,
}

#[derive(Debug, Clone)]
pub(super) enum Bind {
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

    pub(super) fn beyond(mut self, cursor: &Cursor, order: Order, column: &str) -> Self {
        let sign = if order.descends() { "<" } else { ">" };
        let (value, id) = (self.bind(order.sort().bind(&cursor.value)), self.bind(Bind::Text(cursor.id.clone())));
        self.texts.push(format!("({column}, id) {sign} ({value}, {id})"));
        self
    }

    /// The log's positions beyond this one.
    pub(in crate::views) fn past(mut self, position: Option<i64>, order: Order) -> Self {
        if let Some(position) = position {
            let place = self.bind(Bind::Number(position));
            let sign = if order.descends() { "<" } else { ">" };
            self.texts.push(format!("l.position {sign} {place}"));
        }
        self
    }

    /// Recorded at this time or later, and before the other.
    pub(in crate::views) fn at(mut self, since: Option<DateTime<Utc>>, until: Option<DateTime<Utc>>) -> Self {
        for (sign, time) in [(">=", since), ("<", until)] {
            if let Some(time) = time {
                let place = self.bind(Bind::Number(micros(time)));
                self.texts.push(format!("a.at {sign} {place}"));
            }
        }
        self
    }

    pub(super) fn bind(&mut self, value: Bind) -> String {
        self.binds.push(value);
        format!("${}", self.binds.len())
    }

    pub(super) fn clause(&self) -> String {
        if self.texts.is_empty() { String::new() } else { format!("WHERE {}", self.texts.join(" AND ")) }
    }
}
